"""A batch serves every row once, goes on after a refused one, and finds what it did before."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509

from nestor.app import batch as rooms
from nestor.app.authority import Source
from nestor.app.batch import Outcome, Status, Wishes
from nestor.app.item import Item
from nestor.app.production import Production, produce
from nestor.errors import CannotIssue, MaterialError
from nestor.model import KeyType
from support import shapes
from support.factories import certificate_in, founded, put_request, put_requests, read_list
from support.shapes import spki_of

ISSUED, FOUND, REFUSED = Status.ISSUED, Status.FOUND, Status.REFUSED


class Bench:
    """A place where batches are run again and again."""

    def __init__(self, place: Path, source: Source) -> None:
        self.source = source
        self.requests = place / "requests"
        self.out = place / "out"

    def run(self, items: Iterable[Item], wishes: Wishes | None = None, out: Path | None = None) -> list[Outcome]:
        told: list[Outcome] = []
        run = Production(items, out or self.out, "bootstrap", wishes or Wishes())
        asyncio.run(produce(self.source, run, told.append))
        return told

    def sent(self, *names: str) -> list[Item]:
        put_requests(self.requests, names)
        return [Item(name, "bootstrap", name, self.requests / f"{name}.csr") for name in names]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, founded(tmp_path / "data"))


def made(*names: str, **fields: object) -> list[Item]:
    return [Item(f"line {number}", "bootstrap", name, **fields) for number, name in enumerate(names, 2)]  # type: ignore[arg-type]


def statuses(outcomes: Sequence[Outcome]) -> list[Status]:
    return [outcome.status for outcome in outcomes]


def test_rows_are_told_in_their_order_and_each_has_its_file(bench: Bench) -> None:
    names = [f"pump{number}" for number in range(rooms.IN_FLIGHT * 2 + 3)]
    told = bench.run(bench.sent(*names))
    assert [outcome.name for outcome in told] == names
    assert set(statuses(told)) == {ISSUED}
    for outcome in told:
        assert outcome.entry is not None
        assert outcome.file == bench.out / f"{outcome.name}.pem"
        assert certificate_in(outcome.file).serial_number == outcome.entry.serial


def test_started_again_it_issues_nothing_twice_and_completes_its_files(bench: Bench) -> None:
    items = bench.sent("pump1", "pump2", "pump3")
    first = bench.run(items)
    before = (bench.out / "pump2.pem").read_bytes()
    (bench.out / "pump2.pem").unlink()
    again = bench.run(items)
    assert statuses(again) == [FOUND] * 3
    assert [one.entry for one in again] == [one.entry for one in first]
    assert (bench.out / "pump2.pem").read_bytes() == before


def test_another_directory_gets_the_same_certificates(bench: Bench, tmp_path: Path) -> None:
    items = bench.sent("pump1", "pump2")
    bench.run(items)
    assert statuses(bench.run(items, out=tmp_path / "elsewhere")) == [FOUND, FOUND]
    for name in ("pump1.pem", "pump2.pem"):
        assert (tmp_path / "elsewhere" / name).read_bytes() == (bench.out / name).read_bytes()


def test_keys_made_here_are_used_again(bench: Bench) -> None:
    first = bench.run(made("pump1", "pump2"))
    key = (bench.out / "pump1.key").read_bytes()
    (bench.out / "pump1.pem").unlink()
    again = bench.run(made("pump1", "pump2", "pump3"))
    assert statuses(again) == [FOUND, FOUND, ISSUED]
    assert [one.entry for one in again[:2]] == [one.entry for one in first]
    assert (bench.out / "pump1.key").read_bytes() == key
    assert again[0].key == bench.out / "pump1.key"


def test_a_key_whose_certificate_was_never_issued_is_used(bench: Bench) -> None:
    bench.run(made("pump1"))
    (bench.out / "pump2.key").write_bytes((bench.out / "pump1.key").read_bytes())
    (told,) = bench.run(made("pump2"))
    assert told.status is ISSUED
    assert certificate_in(bench.out / "pump2.pem").public_key() == certificate_in(bench.out / "pump1.pem").public_key()


def test_a_name_whose_key_was_left_elsewhere_gets_no_second_one(bench: Bench, tmp_path: Path) -> None:
    bench.run(made("pump1"))
    (told,) = bench.run(made("pump1"), out=tmp_path / "elsewhere")
    assert told.fault is not None
    assert "for another key already" in told.fault.sentence
    assert not list((tmp_path / "elsewhere").glob("*.key")), "a key that is good for nothing is not left behind"
    (replaced,) = bench.run(made("pump1"), Wishes(replace=True), out=tmp_path / "elsewhere")
    assert replaced.status is ISSUED


def test_a_refused_row_keeps_no_other_from_its_certificate(bench: Bench) -> None:
    good, *_ = bench.sent("pump1")
    wrong = put_request(bench.requests / "wrong.csr", shapes.request("pump9"))
    broken = put_request(bench.requests / "broken.csr", shapes.Request(shapes.broken(shapes.request("pump3")), None))
    nameless = put_request(bench.requests / "nameless.csr", shapes.request(x509.Name([])))
    (bench.requests / "empty.csr").write_text("")
    rows = [
        Item("line 2", "bootstrap", "pump2", wrong),
        Item("line 3", "bootstrap", "pump3", broken),
        Item("line 4", "bootstrap", "pump4", bench.requests / "missing.csr"),
        Item("line 5", "bootstrap", "pump5", bench.requests / "empty.csr"),
        Item("line 6", "nonsense", "pump6"),
        Item("line 7", "bootstrap", "../pump7"),
        Item("line 8", "bootstrap", None, nameless),
        Item("line 9", "bootstrap", "x" * 65),
        Item("line 10", "bootstrap", fault=MaterialError("It has no name.")),
        good,
        Item("line 12", "bootstrap", "PUMP1"),
    ]
    *refused, last, twin = bench.run(rows)
    assert statuses(refused) == [REFUSED] * 9
    assert (last.status, twin.status) == (ISSUED, REFUSED)
    why = [outcome.fault.sentence for outcome in (*refused, twin) if outcome.fault]
    told = (
        "is for pump9, not for pump2",
        "not that of its key",
        "missing.csr cannot be read",
        "empty.csr holds no certification request",
        "no profile nonsense",
        "cannot be the name of a file",
        "is for nobody",
        "cannot be the name",
        "It has no name",
        "stands in pump1 already",
    )
    for part, sentence in zip(told, why, strict=True):
        assert part in sentence
    assert sorted(place.name for place in bench.out.iterdir()) == ["manifest.csv", "pump1.pem", "refused.csv"]
    assert [row["where"] for row in read_list(bench.out / "refused.csv")] == [
        *(f"line {number}" for number in range(2, 11)),
        "line 12",
    ]
    assert statuses(bench.run(rows))[9:] == [FOUND, REFUSED]


def test_a_file_of_somebody_else_is_not_overwritten_and_nothing_issued_for_it(bench: Bench) -> None:
    bench.run(made("pump1"))
    other = put_request(bench.requests / "pump1.csr", shapes.request("pump1"))
    (told,) = bench.run([Item("line 2", "bootstrap", "pump1", other)], Wishes(replace=True))
    assert told.fault is not None
    assert "is there already" in told.fault.sentence


def test_names_may_come_from_the_requests_alone_but_gateways_are_named(bench: Bench) -> None:
    edge = put_request(bench.requests / "gw.csr", shapes.edge_ca("gw3"))
    pump = put_request(bench.requests / "p.csr", shapes.request("pump1"))
    by_request = bench.run([Item("gw.csr", "edgeCa", None, edge), Item("p.csr", "bootstrap", None, pump)])
    assert statuses(by_request) == [REFUSED, ISSUED]
    assert by_request[0].fault is not None
    assert "not a gateway" in by_request[0].fault.sentence
    assert by_request[1].name == "pump1"
    (named,) = bench.run([Item("line 2", "edgeCa", "gw3", edge)])
    assert (named.status, named.name) == (ISSUED, "gw3")


def test_every_profile_can_be_made_here(bench: Bench) -> None:
    names = (x509.DNSName("host.example"),)
    rows = [
        Item("1", "bootstrap", "a"),
        Item("2", "deviceIdentity", "b"),
        Item("3", "estIdentity", "c"),
        Item("4", "edgeCa", "d"),
        Item("5", "server", "e", alternative_names=names),
    ]
    assert statuses(bench.run(rows)) == [ISSUED] * 5
    edge = certificate_in(bench.out / "d.pem")
    assert edge.subject.rfc4514_string() == "CN=aziot-edge CA d"
    assert edge.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)
    server = certificate_in(bench.out / "e.pem").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert list(server.value) == list(names)


def test_the_kind_of_key_can_be_chosen(bench: Bench) -> None:
    (rsa,) = bench.run(made("pump1"), Wishes(key_type=KeyType.RSA))
    assert rsa.file is not None
    assert b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" in spki_of(_Key(certificate_in(rsa.file)))
    (refused,) = bench.run(made("pump2"), Wishes(key_type=KeyType.ED25519))
    assert refused.status is REFUSED


class _Key:
    def __init__(self, certificate: x509.Certificate) -> None:
        self.public_key = certificate.public_key


def test_a_profile_that_the_ca_has_no_time_for_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    short = {"ca": {"lifetime": "2d"}, "profiles": {"short": {"lifetime": "1h"}}}
    bench = Bench(tmp_path, founded(tmp_path / "data", short))
    told = bench.run([Item("1", "bootstrap", "pump1"), Item("2", "short", "pump2")])
    assert statuses(told) == [REFUSED, ISSUED]
    assert told[0].fault is not None
    assert "too soon" in told[0].fault.sentence


def test_a_ledger_that_is_taken_away_ends_the_batch_and_leaves_no_report(bench: Bench) -> None:
    bench.run(bench.sent("pump0"))
    report = (bench.out / "manifest.csv").read_bytes()
    ledger = bench.source.data / "ledger.db"
    items = bench.sent(*(f"pump{number}" for number in range(1, 200)))
    kept = ledger.with_name("kept.db")

    def rows() -> Iterator[Item]:
        yield from items[:100]
        ledger.rename(kept)
        yield from items[100:]

    with pytest.raises(CannotIssue, match="removed or replaced"):
        bench.run(rows())
    assert (bench.out / "manifest.csv").read_bytes() == report
    kept.rename(ledger)
    assert FOUND in statuses(bench.run(items))


def test_a_directory_that_cannot_be_written_ends_the_batch(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MaterialError, match="cannot be written"):
        bench.run(made("pump1"), out=tmp_path / "file")


def test_a_passphrase_is_never_shown() -> None:
    assert "correct" not in repr(Wishes(passphrase="correct horse"))
