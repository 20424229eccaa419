"""The ledger that `openssl ca` keeps, read from folders that openssl itself made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nestor.errors import MaterialError
from nestor.ledger.openssl import read_copy, read_index
from support.estca import est_ca
from support.shapes import est_identity


def test_states_and_copies_are_read_as_openssl_wrote_them(tmp_path: Path) -> None:
    ca = est_ca(tmp_path)
    first, second = (ca.issue(est_identity(f"dev-{n}")) for n in (1, 2))
    ca.revoke(second)
    now = datetime.now(UTC)  # noqa: TID251 -- openssl lives now
    valid, revoked = read_index(ca.folder)
    assert (valid.serial, valid.subject, valid.revoked_at) == (1, "/CN=dev-1", None)
    assert (revoked.serial, revoked.reason) == (2, "keyCompromise")
    assert revoked.revoked_at is not None
    assert abs(revoked.revoked_at - now) < timedelta(minutes=5)
    assert [read_copy(ca.folder, serial) for serial in (1, 2)] == [first.certificate, second.certificate]


@pytest.mark.parametrize(
    ("line", "serial", "revoked"),
    [
        ("V\t261226073634Z\t\t0A\tunknown\t/CN=a", 0x0A, None),
        ("E\t20561226073634Z\t\t00D1\tunknown\t/CN=a b/serialNumber=1", 0xD1, None),
        ("R\t261226073634Z\t261126073635Z\t05\tunknown\t/CN=a", 5, datetime(2026, 11, 26, 7, 36, 35, tzinfo=UTC)),
        (
            "R\t261226073634Z\t20501126073635Z,holdInstruction,1.2.3\t05\tunknown\t/CN=\\xC3",
            5,
            datetime(2050, 11, 26, 7, 36, 35, tzinfo=UTC),
        ),
    ],
)
def test_every_form_of_a_line_is_read(tmp_path: Path, line: str, serial: int, revoked: datetime | None) -> None:
    (tmp_path / "index.txt").write_text(f"{line}\n\n")
    (read,) = read_index(tmp_path)
    assert (read.serial, read.revoked_at) == (serial, revoked)


@pytest.mark.parametrize("line", ["hello", "V\t1\t\tXX\tunknown\t/CN=a", "R\t261226073634Z\tsoon\t05\tunknown\t/CN=a"])
def test_a_line_that_openssl_did_not_write_is_an_error_that_names_it(tmp_path: Path, line: str) -> None:
    (tmp_path / "index.txt").write_text(f"V\t261226073634Z\t\t01\tunknown\t/CN=a\n{line}\n")
    with pytest.raises(MaterialError, match="Line 2"):
        read_index(tmp_path)


def test_a_folder_without_an_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match=r"index\.txt"):
        read_index(tmp_path)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"])
def test_a_copy_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    assert read_copy(tmp_path, 0x123) is None
    (tmp_path / "newcerts").mkdir()
    (tmp_path / "newcerts" / "0123.pem").write_bytes(content)
    assert read_copy(tmp_path, 0x123) is None
