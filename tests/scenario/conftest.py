"""Servers whose clock is turned. Time only goes ahead: each test leaves its days and its devices behind."""

from collections.abc import Iterator

import pytest

from support.turned import NO_LIMIT, Turned, TurnedPlant, turned_plant

DAILY = {"lifetime": "1d", "jitter": "0%"}


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turned]:
    """The tutorial's server: everything lives a day."""
    server = Turned(tmp_path_factory.mktemp("tutorial"), {"access": {"limits": NO_LIMIT}}, tutorial=True)
    with server:
        yield server


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnedPlant]:
    """A plant with the usual lifetimes: a month for identities, three for Edge CAs."""
    made = turned_plant(tmp_path_factory.mktemp("plant"))
    with made.server:
        yield made


@pytest.fixture(scope="module")
def daily(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnedPlant]:
    """A plant whose certificates live a day."""
    profiles = dict.fromkeys(("deviceIdentity", "estIdentity", "edgeCa"), DAILY)
    made = turned_plant(tmp_path_factory.mktemp("daily"), profiles=profiles)
    with made.server:
        yield made
