"""Three hundred hostile wishes, one after the other, to a module that serves: none changes anything."""

import time
from pathlib import Path

from nestor.twin.kept import FILE
from nestor.twin.legal import size
from nestor.twin.reported import LIMIT
from standin.rules import faults
from support.hostile import corpus
from support.wishing import Module

GOOD = {"listener": {"hostnames": "gw3.plant.example"}, "profiles": {"deviceIdentity": {"lifetime": "7d"}}}
_LONGEST = 2.0


def test_they_are_three_hundred_and_no_two_are_alike() -> None:
    names = [hostile.name for hostile in corpus()]
    assert len(names) >= 300
    assert sorted({name for name in names if names.count(name) > 1}) == []


async def test_none_of_them_changes_anything_and_each_names_its_path(data: Path) -> None:
    async with Module(data, {"twin": {"names": "line1"}}) as module:
        await module.wish(GOOD)
        house, kept, events = module.server.house, (data / FILE).read_bytes(), len(module.told)
        for hostile in corpus():
            begun = time.monotonic()
            outcome = await module.wish(hostile.document)
            assert time.monotonic() - begun < _LONGEST, hostile.name
            assert hostile.path in outcome.refusal, (hostile.name, outcome.refusal)
            assert list(faults(dict(outcome.acknowledgements))) == [], hostile.name
            assert size(outcome.acknowledgements) < LIMIT
            assert module.server.house is house, hostile.name
        assert (data / FILE).read_bytes() == kept
        assert {type(event).__name__ for event in module.told[events:]} <= {"SettingsRefused", "Trouble"}
        begun = time.monotonic()
        outcome = await module.wish({**GOOD, "log": {"level": "warning"}})
        assert outcome.refusal == ""
        assert time.monotonic() - begun < _LONGEST


async def test_no_secret_among_them_is_told_to_anybody(data: Path) -> None:
    async with Module(data) as module:
        await module.wish(GOOD)
        for hostile in corpus():
            if "secret" in hostile.name:
                await module.wish(hostile.document)
        told = f"{module.told} {module.outcomes}"
        for secret in ("correct-horse", "QUJDREVG", "MHcCAQEE", "aGFzaGhh", "R9h/cIPz", "eyJhbGci"):
            assert secret not in told
