"""An older Nestor on the ledger of a newer one: it says so, issues nothing, shows the CA, and changes not a byte."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from support.plants import plant
from support.shapes import est_identity


def _written_by(ledger: Path, revision: str) -> None:
    """Let a ledger be of a revision, with what that one added."""
    with closing(sqlite3.connect(ledger)) as connection, connection:
        if revision > "9":
            connection.execute("CREATE TABLE later (word TEXT)")
            connection.execute("INSERT INTO later VALUES ('kept')")
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def _revision(ledger: Path) -> str:
    with closing(sqlite3.connect(ledger)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_an_older_image_on_a_newer_ledger_refuses_with_a_sentence_and_loses_nothing(tmp_path: Path) -> None:
    place = plant(tmp_path)
    server = place.server
    with server:
        device = place.enrolled("dev-1")
    here = _revision(server.ledger)
    _written_by(server.ledger, "9999")
    before = hashlib.sha256(server.ledger.read_bytes()).digest()
    with server:
        answer = place.line.ask("GET", "/readyz")
        assert answer.status == 503
        told = json.loads(answer.text)["problems"]["ledger"]
        assert f"was written by a newer Nestor (revision 9999, this one knows {here})" in told
        assert "Run that version again" in told
        assert place.line.get("cacerts").status == 200
        assert device.enroll(est_identity("dev-1"), operation="simplereenroll").status == 503
        assert f"NOT ISSUING (ledger)   {told}" in server.log()
    assert hashlib.sha256(server.ledger.read_bytes()).digest() == before
    _written_by(server.ledger, here)
    with server:
        assert place.line.ask("GET", "/readyz").status == 200
        assert device.enroll(est_identity("dev-1"), operation="simplereenroll").status == 200
