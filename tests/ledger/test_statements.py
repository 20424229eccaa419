"""Questions of an enrollment go by an index, each of them."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from nestor.ledger import statements
from nestor.ledger.schema import metadata

HOT = {
    name: getattr(statements, name)
    for name in (
        "BY_ID",
        "BY_SHA256",
        "BY_SERIAL",
        "LIVE",
        "REPLAY",
        "STANDING",
        "SUPERSEDE",
        "REVOKE",
        "FACT",
        "SPEND",
    )
}


class Anything(dict[str, object]):
    """A value for every name that a statement asks for."""

    def __missing__(self, name: str) -> int:
        return 1


@pytest.mark.parametrize("name", HOT)
def test_what_an_enrollment_asks_walks_no_table(name: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        metadata.create_all(engine)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {HOT[name]}", Anything())]
    assert not [step for step in plan if step.startswith("SCAN ") and step != "SCAN CONSTANT ROW"]
