"""Sealing by the runtime: what comes back, what does not come back any more, and how the two kinds of "no" differ."""

from collections.abc import Iterator

import pytest

from nestor.edge.identity import read_identity
from nestor.edge.sealing import RuntimeSealer
from nestor.edge.workload import WorkloadAPI
from nestor.errors import MaterialError, Unavailable
from standin.edge import Edge


@pytest.fixture
def edge() -> Iterator[Edge]:
    with Edge(hub_present=False) as edge:
        yield edge


def sealer_of(edge: Edge, deadline: float = 5) -> RuntimeSealer:
    identity = read_identity(edge.environment())
    assert identity is not None
    return RuntimeSealer(WorkloadAPI(identity, deadline))


async def test_what_is_sealed_comes_back_and_tells_nothing(edge: Edge) -> None:
    sealer = sealer_of(edge)
    sealed = await sealer.seal(b"the key of the CA")
    assert b"key" not in sealed
    assert await sealer.unseal(sealed) == b"the key of the CA"
    assert await sealer_of(edge).unseal(sealed) == b"the key of the CA"


async def test_no_two_sealings_are_alike(edge: Edge) -> None:
    sealer = sealer_of(edge)
    assert len({await sealer.seal(b"the same") for _ in range(20)}) == 20


async def test_a_key_store_that_was_emptied_is_told_as_such(edge: Edge) -> None:
    sealed = await sealer_of(edge).seal(b"secret")
    edge.lose_sealing_key()
    with pytest.raises(MaterialError, match="the key that sealed it is gone"):
        await sealer_of(edge).unseal(sealed)


async def test_a_module_that_was_made_anew_is_told_as_such(edge: Edge) -> None:
    sealed = await sealer_of(edge).seal(b"secret")
    edge.recreate_module()
    with pytest.raises(MaterialError, match="the key that sealed it is gone"):
        await sealer_of(edge).unseal(sealed)


async def test_a_runtime_that_unseals_nothing_at_all_may_do_so_later(edge: Edge) -> None:
    sealed = await sealer_of(edge).seal(b"secret")
    for failing in ({"decrypt"}, {"encrypt", "decrypt"}):
        edge.faults.workload_failing = frozenset(failing)
        with pytest.raises(Unavailable, match="seals and unseals nothing"):
            await sealer_of(edge).unseal(sealed)
    edge.faults.clear()
    assert await sealer_of(edge).unseal(sealed) == b"secret"


async def test_a_runtime_that_is_away_may_come_back(edge: Edge) -> None:
    sealed = await sealer_of(edge).seal(b"secret")
    edge.workload_leaves()
    with pytest.raises(Unavailable, match="cannot be reached"):
        await sealer_of(edge).unseal(sealed)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await sealer_of(edge).seal(b"secret")


async def test_a_runtime_that_hangs_is_not_taken_for_a_lost_key(edge: Edge) -> None:
    sealed = await sealer_of(edge).seal(b"secret")
    edge.faults.workload_hangs = True
    with pytest.raises(Unavailable, match="did not answer"):
        await sealer_of(edge, deadline=0.2).unseal(sealed)


async def test_what_nestor_did_not_seal_is_refused_without_asking(edge: Edge) -> None:
    sealed = await sealer_of(edge).seal(b"secret")
    calls = len(edge.workload_calls)
    for other in (b"", b"secret", sealed[:28], b"nestor-sealed-2\n" + sealed[16:]):
        with pytest.raises(MaterialError, match="not a value that Nestor sealed"):
            await sealer_of(edge).unseal(other)
    assert len(edge.workload_calls) == calls


async def test_one_changed_byte_unseals_nothing(edge: Edge) -> None:
    sealed = bytearray(await sealer_of(edge).seal(b"secret"))
    sealed[-1] ^= 1
    with pytest.raises(MaterialError):
        await sealer_of(edge).unseal(bytes(sealed))
