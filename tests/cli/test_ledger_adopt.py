"""`nestor ledger adopt`: what a person types and sees."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.app.authority import Source, existing_issuer
from nestor.app.clock import SystemClock
from nestor.settings import judge
from support.issuing import asked_for, catalog, content, draft, sign
from support.shell import nestor
from support.signing import root

MISUSE, MATERIAL, REFUSED = 2, 4, 5
SINCE = "2026-01-01T00:00:00Z"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    assert nestor("ca", "init", "--data", str(tmp_path / "data")).returncode == 0
    return tmp_path / "data"


def adopt(data: Path, *words: str) -> tuple[int, str, str]:
    done = nestor("ledger", "adopt", *words, "--data", str(data))
    return done.returncode, done.stdout, done.stderr


def test_a_word_is_given_listed_and_ended(data: Path, tmp_path: Path) -> None:
    (tmp_path / "stolen.txt").write_text("# found missing\n\nDEV-7\n0x00ab\n")
    words = ("--since", SINCE, "--until", "2026-02-01T01:00:00+01:00", "--for", "7d", "--profile", "estIdentity")
    code, _, told = adopt(data, *words, "--deny", "dev-9", "--deny-from", str(tmp_path / "stolen.txt"))
    assert code == 0
    assert told.startswith(f"Adoption 1: certificates issued from {SINCE} to 2026-02-01T00:00:00Z are taken in")
    ((word,), (_, plain, _)) = json.loads(adopt(data, "--list", "--json")[1]), adopt(data, "--list")
    assert (word["number"], word["since"], word["state"], word["profile"]) == ("1", SINCE, "open", "estIdentity")
    assert (word["denied"], word["adopted"]) == ("0x00ab, ab, dev-7, dev-9", "0")
    assert plain.split("\t")[0] == "1"
    assert adopt(data, "--end")[2] == "Ended: 1.\n"
    assert json.loads(adopt(data, "--list", "--json")[1])[0]["state"] == "ended"


def test_a_denial_can_be_added_alone(data: Path) -> None:
    code, _, told = adopt(data, "--deny", "dev-9")
    assert (code, told) == (0, "Never to be adopted: dev-9.\n")
    (word,) = json.loads(adopt(data, "--list", "--json")[1])
    assert (word["denied"], word["state"]) == ("dev-9", "ended")


NO_WORDS = {
    (): "One of these is needed",
    ("--end", "--list"): "One of these is needed",
    ("--since", "yesterday"): "--since: 'yesterday' is no time",
    ("--since", "2026-01-01T00:00:00"): "is no time with its zone",
    ("--since", SINCE, "--for", "forever"): "--for: a duration",
    ("--since", "2999-01-01T00:00:00Z"): "--since: it is not before",
}


def test_a_word_without_bounds_is_no_word(data: Path) -> None:
    for words, said in NO_WORDS.items():
        code, _, told = adopt(data, *words)
        assert (code, said in told) == (MISUSE, True), told
    assert json.loads(adopt(data, "--list", "--json")[1]) == []


def test_certificates_at_hand_are_taken_in_and_told_one_by_one(data: Path, tmp_path: Path) -> None:
    issuer = existing_issuer(Source(judge({}), data, SystemClock(), lambda _: None))
    now = datetime.now(UTC)  # noqa: TID251 -- the command lives now
    ours = sign(draft(content(catalog()["estIdentity"], asked_for("estIdentity")), issuer, now=now), issuer)
    strange = root("Stranger", end=now + timedelta(days=1)).sign("dev1").certificate
    (tmp_path / "both.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in (ours, strange)))
    code, out, _ = adopt(data, str(tmp_path / "both.pem"), "--json")
    first, second = json.loads(out)
    assert code == REFUSED
    assert (first["outcome"], first["device"], first["profile"]) == ("adopted", "dev1", "estIdentity")
    assert "not signed by this CA" in second["outcome"]
    shown = nestor("cert", "show", first["serial"], "--data", str(data)).stdout
    assert "asked for by        ledger adopt" in shown
    assert "adopted             20" in shown
    assert "ledger adopt" in nestor("cert", "list", "--data", str(data)).stdout
    assert json.loads(nestor("cert", "count", "--json", "--data", str(data)).stdout)["adopted"] == {"ledger adopt": 1}


def test_where_there_is_no_ledger_none_is_made(tmp_path: Path) -> None:
    assert adopt(tmp_path / "nowhere", "--since", SINCE)[0] == MATERIAL
    assert not (tmp_path / "nowhere").exists()


def test_a_lost_ledger_starts_over_when_told_so(data: Path) -> None:
    again = ("ledger", "start-over", "--data", str(data))
    assert nestor(*again).returncode == MATERIAL
    (data / "ledger.db").unlink()
    assert adopt(data, "--list")[0] == MATERIAL
    done = nestor(*again)
    assert (done.returncode, "it knows nobody" in done.stderr) == (0, True)
    assert adopt(data, "--since", SINCE)[0] == 0
