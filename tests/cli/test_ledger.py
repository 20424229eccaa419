"""`nestor ledger`: what an operator tells the ledger."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nestor.ledger.opening import open_ledger
from nestor.ledger.settings import LedgerSettings
from support.ledgers import NoonClock
from support.shell import nestor
from support.turned import faketime


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    await open_ledger(LedgerSettings.model_validate({}), tmp_path, create=True, clock=NoonClock()).close()
    return tmp_path


async def test_the_clock_of_the_host_becomes_the_floor(data: Path) -> None:
    done = nestor("ledger", "accept-clock", "--data", str(data))
    assert done.returncode == 0
    assert done.stderr.startswith("The clock is right")
    with closing(sqlite3.connect(data / "ledger.db")) as connection:
        ((value,),) = connection.execute("SELECT value FROM facts WHERE name = 'clock floor'").fetchall()
    assert int(value) > 1_700_000_000


async def test_a_clock_that_was_not_set_is_not_accepted(data: Path) -> None:
    turned = {"LD_PRELOAD": str(faketime()), "FAKETIME": "1970-01-01 00:10:00", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    done = nestor("ledger", "accept-clock", "--data", str(data), environment=turned)
    assert done.returncode == 5
    assert "before the time of this program" in done.stderr
    assert "hint: Set the clock" in done.stderr


def test_where_there_is_no_ledger_the_command_says_so_and_makes_none(tmp_path: Path) -> None:
    done = nestor("ledger", "accept-clock", "--data", str(tmp_path / "nowhere"))
    assert done.returncode == 4
    assert not (tmp_path / "nowhere").exists()
