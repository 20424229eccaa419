"""The contract of the Runtime port, held against every implementation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from nestor.app.edge_host import edge_host
from nestor.app.identity import fits, names_of
from nestor.edge.identity import read_identity
from nestor.errors import Unavailable
from nestor.ports import Runtime
from standin.edge import Edge
from support.edge_hosts import MemoryHost

NAME = "gw3.plant.example"


@dataclass(frozen=True)
class Kept:
    """A runtime, how its Edge CA is renewed, and how it goes away."""

    runtime: Runtime
    renew_edge_ca: Callable[[], None]
    leave: Callable[[], None]


@pytest.fixture(params=["memory", "workload"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "memory":
        host = MemoryHost()
        yield Kept(host.runtime, host.runtime.renew_edge_ca, lambda: setattr(host.mood, "away", True))
        return
    with Edge() as edge:
        real = edge_host(read_identity(edge.environment()))
        assert real is not None
        yield Kept(real.runtime, edge.renew_edge_ca, edge.workload_leaves)


async def test_a_server_certificate_comes_with_its_key_and_the_edge_ca_above_it(kept: Kept) -> None:
    (leaf, above, *_), key = await kept.runtime.server_certificate(NAME)
    leaf.verify_directly_issued_by(above)
    assert fits(leaf, key)
    assert names_of(leaf) == [NAME, "nestor"]
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=30, minutes=5)


async def test_no_two_certificates_have_one_key(kept: Kept) -> None:
    ((one, *_), _), ((other, *_), _) = [await kept.runtime.server_certificate(NAME) for _ in range(2)]
    assert one.public_key() != other.public_key()


async def test_the_trust_bundle_holds_the_edge_ca_of_the_day(kept: Kept) -> None:
    (_, before, *_), _ = await kept.runtime.server_certificate(NAME)
    assert before in await kept.runtime.trust_bundle()
    kept.renew_edge_ca()
    bundle = await kept.runtime.trust_bundle()
    (_, after, *_), _ = await kept.runtime.server_certificate(NAME)
    assert after in bundle
    assert before not in bundle


async def test_a_runtime_that_is_away_is_unavailable(kept: Kept) -> None:
    kept.leave()
    for call in (kept.runtime.trust_bundle(), kept.runtime.server_certificate(NAME)):
        with pytest.raises(Unavailable):
            await call
