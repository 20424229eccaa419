"""Which route takes a request: the most specific one, whatever order they were written in; and never what is EST's."""

from dataclasses import dataclass
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from nestor.proxy.routing import Pattern, Table, climbs, is_reserved
from support.proxying import EST


@dataclass(frozen=True)
class Named:
    name: str
    pattern: Pattern


TABLE = (
    Named("registry", Pattern("/v2/")),
    Named("one", Pattern("/v2/one/")),
    Named("blob", Pattern(header="x-ms-version")),
    Named("old blob", Pattern(header="X-MS-Version", value="2009-09-19")),
    Named("reading", Pattern(methods=frozenset({"GET"}))),
    Named("websocket", Pattern("/$iothub/websocket")),
)


def found(target: str, method: str = "POST", **headers: str) -> str | None:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    names = set()
    for order in permutations(TABLE):
        route = Table(order, EST).find(method, target, fields)
        names.add(route.name if route else None)
    [name] = names
    return name


def test_the_longest_path_goes_first_then_headers_then_methods() -> None:
    assert found("/v2/") == "registry"
    assert found("/v2") == "registry"
    assert found("/v2/one/manifests/1?x=/v3") == "one"
    assert found("/v2/oneself") == "registry"
    assert found("/v2/one", x_ms_version="2009-09-19") == "one"
    assert found("/container/blob", x_ms_version="2020-01-01") == "blob"
    assert found("/container/blob", X_Ms_Version="2009-09-19") == "old blob"
    assert found("/container/blob", "GET") == "reading"
    assert found("/$iothub/websocket?iothub-no-client-cert=true") == "websocket"


def test_what_no_route_takes_goes_nowhere() -> None:
    assert found("/container/blob") is None
    assert found("/v22/") == found("/%762/") == found("*") == found("https://other.example/v2/") is None


def test_what_would_be_echoed_to_the_client_is_carried_on_no_route() -> None:
    assert found("/v2/", "TRACE") is found("/v2/", "CONNECT") is None


@given(st.text("/.%2eE5fstwn-kol;\\?hzrad", max_size=60), st.sampled_from(EST))
def test_no_way_of_writing_it_leads_past_what_is_reserved(text: str, own: str) -> None:
    table = Table([Named("all", Pattern())], EST)
    assert table.find("GET", own, []) is None
    assert table.find("GET", f"{own}/{text.replace('?', '')}", []) is None
    assert table.find("GET", f"/{own}", []) is None
    taken = table.find("GET", f"/{text}", []) is not None
    assert not (taken and is_reserved(f"/{text}".partition("?")[0], EST))


@given(st.lists(st.sampled_from(["..", ".", "%2e%2e", ".%2E", "%2e"]), min_size=1, max_size=3))
def test_segments_of_dots_are_seen_however_they_are_written(dots: list[str]) -> None:
    assert climbs("/v2/" + "/".join(dots))
    assert climbs("/v2\\" + "\\".join(dots))
    assert not climbs("/v2/a..b/...?x=/../")


@given(
    st.permutations(
        [
            Pattern("/a/"),
            Pattern("/a/b"),
            Pattern("/"),
            Pattern("/a/", header="x"),
            Pattern("/a", methods=frozenset({"GET"})),
        ]
    )
)
def test_the_order_of_writing_does_not_matter(patterns: list[Pattern]) -> None:
    table = Table([Named(str(pattern), pattern) for pattern in patterns], EST)
    assert [route.pattern for route in table.routes] == [
        Pattern("/a/b"),
        Pattern("/a/", header="x"),
        Pattern("/a", methods=frozenset({"GET"})),
        Pattern("/a/"),
        Pattern("/"),
    ]
