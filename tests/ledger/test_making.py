"""A new ledger: what the migrations would have made, without them, whole or not at all."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from subprocess import run

import pytest

from nestor.ledger.making import lay_out
from nestor.ledger.migrations.upgrade import upgrade


def _schema(path: Path) -> set[str]:
    """Everything that stands in the schema, without its spacing."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return {"".join(sql.replace('"', "").split()) for (sql,) in found}


def _revision(path: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchall()


def test_a_new_ledger_is_what_the_migrations_lead_to(tmp_path: Path) -> None:
    made, migrated = tmp_path / "made.db", tmp_path / "migrated.db"
    for path, work in ((made, lay_out), (migrated, upgrade)):
        path.touch()
        work(path)
    assert _schema(made) == _schema(migrated)
    assert _revision(made) == _revision(migrated)


def test_alembic_takes_it_for_its_own_and_has_nothing_to_do(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch()
    lay_out(path)
    before = path.read_bytes()
    upgrade(path)
    assert path.read_bytes() == before


def test_a_file_that_is_not_empty_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE facts (word TEXT)")
    before = _schema(path)
    with pytest.raises(sqlite3.OperationalError):
        lay_out(path)
    assert _schema(path) == before


def test_a_first_start_needs_no_alembic(tmp_path: Path) -> None:
    program = f"""
import pathlib, sys
from nestor.ledger.opening import make_ledger
make_ledger(pathlib.Path({str(tmp_path)!r}))
sys.exit("alembic" in sys.modules)
"""
    assert run((sys.executable, "-c", program), check=False).returncode == 0
    assert (tmp_path / "ledger.db").exists()
