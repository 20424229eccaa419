"""How the file of a new ledger is laid out: straight from the schema, at its newest revision.

A test holds this to what the migrations lead to. Alembic would do the same, for a second of time and 11 MB of memory.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from nestor.ledger.connection import connect
from nestor.ledger.schema import REVISION, metadata
from nestor.ledger.statements import DIALECT

_VERSIONS = """\
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)"""
"""The table by which Alembic knows a revision."""


def lay_out(path: Path) -> None:
    """Make every table in an empty file, all or none. Raises sqlite3.Error."""
    with closing(connect(path, writable=True)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in (_VERSIONS, *_statements()):
            connection.execute(statement)
        connection.execute("INSERT INTO alembic_version VALUES (?)", (REVISION,))
        connection.execute("COMMIT")


def _statements() -> Iterator[str]:
    """The tables, each before those that refer to it, then its indexes."""
    for table in metadata.sorted_tables:
        yield _sql(CreateTable(table))
        yield from (_sql(CreateIndex(index)) for index in table.indexes)


def _sql(element: ExecutableDDLElement) -> str:
    return str(element.compile(dialect=DIALECT))
