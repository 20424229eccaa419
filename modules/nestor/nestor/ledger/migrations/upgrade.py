"""Runs the migrations that a ledger lacks, in one transaction. Imports Alembic, so it is itself imported only then."""

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from nestor.ledger.connection import connect


def upgrade(path: Path) -> None:
    """Bring the database file to the newest revision; one that is there already is left as it is.

    Raises sqlite3.Error, and leaves the file as it was.
    """
    try:
        _run(path)
    except DBAPIError as error:
        raise error.orig or error from error


def _run(path: Path) -> None:
    engine = create_engine("sqlite://", creator=lambda: connect(path, writable=True), poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    scripts = ScriptDirectory(str(Path(__file__).parent))

    def steps(found: Any, _: MigrationContext) -> list[RevisionStep]:
        return list(scripts._upgrade_revs("head", found))  # noqa: SLF001 -- Alembic's own command does the same

    with engine.connect() as connection, EnvironmentContext(Config(), scripts) as environment:
        environment.configure(connection=connection, fn=steps, transactional_ddl=True)
        with environment.begin_transaction():
            environment.run_migrations()


def _begin(connection: Connection) -> None:
    # The driver itself begins nothing (see connect); two processes that upgrade at once take turns.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
