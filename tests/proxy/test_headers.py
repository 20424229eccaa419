"""Header fields across a hop: whatever comes, nothing of the connection and nothing of identity goes on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestor.proxy.headers import announcing, downward, hops, takes_trailers, tells_identity, trailing, upward

NAMES = st.sampled_from(
    [
        b"Connection", b"X-Forwarded-For", b"x_forwarded_host", b"FORWARDED", b"Client-Cert", b"client_cert_chain",
        b"X-MS-Edge-ClientCert", b"Nestor-Hops", b"TE", b"Trailer", b"Transfer-Encoding", b"Upgrade", b"Host",
        b"Content-Length", b"Proxy-Authorization", b"Keep-Alive", b"Accept", b"Cookie", b"X-Mine", b"Via",
    ]
)  # fmt: skip
VALUES = st.sampled_from([b"close", b"x-mine, Accept", b"1", b"chunked", b"", b"a, b", b"1.1 nestor"])
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=12)


@given(FIELDS)
def test_what_goes_up_says_nothing_of_identity_or_of_the_connection(fields: list[tuple[bytes, bytes]]) -> None:
    went = list(upward(fields, host=b"target", more=[(b"x-ms-edge-clientcert", b"ours")]))
    assert [value for name, value in went if tells_identity(name)] == [b"ours"]
    assert [value for name, value in went if name.lower() == b"host"] == [b"target"]
    names = {name.lower() for name, _ in went}
    assert names.isdisjoint({b"connection", b"te", b"transfer-encoding", b"upgrade", b"content-length", b"keep-alive"})
    named = {
        word.strip().lower() for name, value in fields if name.lower() == b"connection" for word in value.split(b",")
    }
    assert names.isdisjoint(named - {b"host", b"via", b"1.1 nestor"})
    assert hops(went) >= 1


@given(FIELDS)
def test_what_may_stay_keeps_its_place_and_its_writing(fields: list[tuple[bytes, bytes]]) -> None:
    went = [field for field in upward(fields, host=b"h") if field in fields and field[0] in {b"Accept", b"Cookie"}]
    kept = [field for field in fields if field in went]
    assert went == kept


@given(FIELDS)
def test_an_answer_loses_what_is_of_the_connection(fields: list[tuple[bytes, bytes]]) -> None:
    names = {name.lower() for name, _ in downward(fields, target="t", asked="a")}
    assert names.isdisjoint({b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"upgrade"})


@given(FIELDS)
def test_no_trailer_frames_routes_or_tells_who_asks(fields: list[tuple[bytes, bytes]]) -> None:
    names = {name.lower() for name, _ in trailing(fields, fields)}
    assert names.isdisjoint({b"content-length", b"transfer-encoding", b"host", b"nestor-hops", b"client-cert"})


@pytest.mark.parametrize(
    "name",
    ["Content-Length", "Authorization", "Range", "If-Match", "Set-Cookie", "Content-Range", "X-Own", "TE", "Via"],
)
def test_what_has_to_be_known_before_a_body_is_no_trailer_and_not_announced(name: str) -> None:
    head = [(b"Connection", b"close, x-own"), (b"Trailer", f"X-Sum, {name}".encode()), (b"Trailer", b"Digest")]
    assert list(trailing([(name.encode(), b"1"), (b"X-Sum", b"7")], head)) == [(b"X-Sum", b"7")]
    assert list(announcing(head)) == [(b"Trailer", b"X-Sum, Digest")]
    assert not list(announcing([(b"Trailer", name.encode()), head[0]]))


@pytest.mark.parametrize(("said", "wanted"), [("trailers", True), ("gzip, Trailers", True), ("deflate", False)])
def test_whoever_wants_trailers_says_so(said: str, wanted: bool) -> None:
    assert takes_trailers([(b"te", said.encode())]) is wanted


@pytest.mark.parametrize(
    "name",
    [
        "X-ARR-ClientCert",
        "X-SSL-Client-Cert",
        "X_SSL_Client_Verify",
        "SSL-Client-Cert",
        "SSL_CLIENT_S_DN",
        "Ssl-Client-Subject-DN",
        "X-Client-Cert",
        "X-ClientCert",
        "X-TLS-Client-Cert",
        "X-Forwarded-Client-Cert",
        "X-Forwarded-Tls-Client-Cert",
        "X-Amzn-Mtls-Clientcert",
        "Client-Cert-Chain",
    ],
)
def test_no_certificate_that_a_client_writes_of_itself_goes_up_by_whatever_name(name: str) -> None:
    field = (name.encode(), b"forged")
    assert field not in list(upward([field], host=b"target"))
    assert not list(trailing([field], ()))


def test_only_addresses_of_the_target_are_readdressed() -> None:
    def moved(place: bytes) -> bytes:
        [(_, value)] = downward([(b"Location", place)], target="registry:5000", asked="gw.example:443")
        return value

    assert moved(b"https://Registry:5000/a?b#c") == b"https://gw.example:443/a?b#c"
    for place in (b"/a", b"https://other:5000/a", b"http://registry:5000/", b"https://registry/", b"https://[", b""):
        assert moved(place) == place
