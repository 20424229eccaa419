"""Migrations: from nothing to the schema of today, whole or not at all."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from nestor.ledger import statements
from nestor.ledger.migrations.upgrade import upgrade
from nestor.ledger.rows import write_entry
from nestor.ledger.schema import REVISION, metadata
from support.entries import an_entry
from support.ledgers import without_issuers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "ledger.db").touch()
    return tmp_path / "ledger.db"


def shape(connection: sqlite3.Connection) -> set[str]:
    """Everything that stands in the schema, without its spacing."""
    found = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name != 'alembic_version'")
    return {"".join(sql.replace('"', "").split()) for (sql,) in found}


def test_the_migrations_lead_from_nothing_to_the_schema(path: Path) -> None:
    upgrade(path)
    with closing(sqlite3.connect(path)) as migrated, closing(sqlite3.connect(":memory:")) as made:
        metadata.create_all(create_engine("sqlite://", creator=lambda: made))
        assert shape(migrated) == shape(made)
        assert migrated.execute("SELECT version_num FROM alembic_version").fetchall() == [(REVISION,)]
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert not compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()


def test_a_ledger_that_is_up_to_date_is_left_as_it_is(path: Path) -> None:
    upgrade(path)
    before = path.read_bytes()
    upgrade(path)
    assert path.read_bytes() == before


def test_a_migration_that_fails_leaves_no_trace(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE replays (key INTEGER)")
        before = shape(connection)
    with pytest.raises(sqlite3.OperationalError):
        upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        assert shape(connection) == before


def test_rows_from_before_issuers_keep_everything_and_serial_numbers_may_come_again(path: Path) -> None:
    upgrade(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statements.ADD_CERTIFICATE, write_entry(an_entry(serial=5)))
        connection.execute("INSERT INTO encodings VALUES (1, x'30')")
        before = connection.execute("SELECT * FROM certificates").fetchall()
        without_issuers(connection)
    upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM certificates").fetchall() == before
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute(statements.ADD_CERTIFICATE, write_entry(an_entry(serial=5, issuer=b"above")))
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statements.ADD_CERTIFICATE, write_entry(an_entry(serial=5)))
