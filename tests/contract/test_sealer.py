"""The contract of the Sealer port, held against every implementation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from nestor.app.edge_host import edge_host
from nestor.edge.identity import read_identity
from nestor.errors import MaterialError, Unavailable
from nestor.ports import Sealer
from standin.edge import Edge
from support.edge_hosts import MemoryHost

SECRET = bytes(range(32))


@dataclass(frozen=True)
class Kept:
    """A sealer, how it loses its key, and how it goes away."""

    sealer: Sealer
    lose_key: Callable[[], None]
    leave: Callable[[], None]


@pytest.fixture(params=["memory", "runtime"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "memory":
        host = MemoryHost()
        yield Kept(host.sealer, host.sealer.lose_key, lambda: setattr(host.mood, "away", True))
        return
    with Edge(hub_present=False) as edge:
        real = edge_host(read_identity(edge.environment()))
        assert real is not None
        yield Kept(real.sealer, edge.lose_sealing_key, edge.workload_leaves)


async def test_what_was_sealed_comes_back(kept: Kept) -> None:
    sealed = await kept.sealer.seal(SECRET)
    assert await kept.sealer.unseal(sealed) == SECRET


async def test_what_is_sealed_tells_nothing_and_is_never_the_same(kept: Kept) -> None:
    one, other = await kept.sealer.seal(SECRET), await kept.sealer.seal(SECRET)
    assert one != other
    assert SECRET not in one


async def test_a_changed_byte_is_not_unsealed(kept: Kept) -> None:
    sealed = await kept.sealer.seal(SECRET)
    with pytest.raises(MaterialError):
        await kept.sealer.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]))


async def test_a_lost_key_is_told_from_a_sealer_that_is_away(kept: Kept) -> None:
    sealed = await kept.sealer.seal(SECRET)
    kept.lose_key()
    with pytest.raises(MaterialError):
        await kept.sealer.unseal(sealed)
    fresh = await kept.sealer.seal(SECRET)
    assert await kept.sealer.unseal(fresh) == SECRET
    kept.leave()
    for call in (kept.sealer.unseal(sealed), kept.sealer.unseal(fresh), kept.sealer.seal(SECRET)):
        with pytest.raises(Unavailable):
            await call
