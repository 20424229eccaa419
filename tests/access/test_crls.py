"""Revocation lists of makers: who is on one, and which lists count."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.access.crls import RevocationList, check_revocation, read_crls
from nestor.errors import CannotIssue, Forbidden, MaterialError
from support.asking import NOW
from support.signing import Signed, key_usage, root

ROOT = root("Factory Root")
LINE = ROOT.sign("Factory Line", ca=True, extensions=[key_usage("key_cert_sign", "crl_sign")])
LEAF = LINE.sign("dev1")
PATH = [LEAF.certificate, LINE.certificate, ROOT.certificate]
DAY = timedelta(days=1)


def serial(signed: Signed) -> int:
    return signed.certificate.serial_number


def check(*pems: bytes, required: bool) -> None:
    lists = [RevocationList(x509.load_pem_x509_crl(pem)) for pem in pems]
    check_revocation(PATH, lists, required=required, now=NOW)


def test_without_lists_nothing_is_revoked_unless_one_is_required() -> None:
    check(required=False)
    with pytest.raises(CannotIssue, match="cannot be told"):
        check(required=True)


def test_current_lists_of_every_issuer_satisfy() -> None:
    check(LINE.revoke(), ROOT.revoke(), required=True)
    check(LINE.revoke(1, 2), ROOT.revoke(3), required=False)


@pytest.mark.parametrize("required", [True, False])
def test_a_revoked_leaf_is_refused(required: bool) -> None:
    with pytest.raises(Forbidden, match="revoked"):
        check(LINE.revoke(serial(LEAF)), ROOT.revoke(), required=required)


@pytest.mark.parametrize("required", [True, False])
def test_a_leaf_below_a_revoked_ca_is_refused(required: bool) -> None:
    with pytest.raises(Forbidden, match="revoked"):
        check(LINE.revoke(), ROOT.revoke(serial(LINE)), required=required)


def test_the_same_serial_in_the_list_of_another_issuer_means_nothing() -> None:
    check(ROOT.revoke(serial(LEAF)), LINE.revoke(serial(LINE)), required=True)


def test_one_list_is_not_enough_where_every_issuer_must_have_one() -> None:
    with pytest.raises(CannotIssue):
        check(LINE.revoke(), required=True)
    with pytest.raises(CannotIssue):
        check(ROOT.revoke(), required=True)


@pytest.mark.parametrize(
    ("start", "end"), [(NOW - 2 * DAY, NOW - timedelta(seconds=1)), (NOW + timedelta(seconds=1), NOW + DAY)]
)
def test_a_list_out_of_date_does_not_clear_anybody_but_still_revokes(start: datetime, end: datetime) -> None:
    with pytest.raises(CannotIssue):
        check(LINE.revoke(start=start, end=end), ROOT.revoke(), required=True)
    check(LINE.revoke(start=start, end=end), ROOT.revoke(), required=False)
    with pytest.raises(Forbidden):
        check(LINE.revoke(serial(LEAF), start=start, end=end), ROOT.revoke(), required=False)


def test_a_current_list_beside_an_old_one_satisfies() -> None:
    check(LINE.revoke(start=NOW - 9 * DAY, end=NOW - DAY), LINE.revoke(), ROOT.revoke(), required=True)


def test_a_list_signed_by_somebody_else_counts_for_nothing() -> None:
    forged = LINE.revoke(serial(LEAF), key=ROOT.key)
    check(forged, required=False)
    with pytest.raises(CannotIssue):
        check(LINE.revoke(key=ROOT.key), ROOT.revoke(), required=True)


def test_a_list_of_the_same_key_under_another_name_counts_for_nothing() -> None:
    renamed = Signed(ROOT.certificate, LINE.key)
    check(renamed.revoke(serial(LEAF)), required=False)


def test_lists_are_read_as_pem_in_any_number_and_as_one_der(tmp_path: Path) -> None:
    path = tmp_path / "crls"
    path.write_bytes(b"from the maker\n" + LINE.revoke() + b"\n# and\n" + ROOT.revoke())
    assert [one.crl.issuer for one in read_crls(path)] == [LINE.certificate.subject, ROOT.certificate.subject]
    path.write_bytes(x509.load_pem_x509_crl(LINE.revoke()).public_bytes(Encoding.DER))
    assert len(read_crls(path)) == 1


@pytest.mark.parametrize("content", [b"", b"no list", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
def test_a_file_without_a_readable_list_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "crls"
    path.write_bytes(content)
    with pytest.raises(MaterialError, match="no readable revocation list"):
        read_crls(path)
    with pytest.raises(MaterialError, match="cannot be read"):
        read_crls(tmp_path / "missing")


def test_delta_and_partitioned_lists_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "crls"
    part = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
    for critical in (x509.DeltaCRLIndicator(1), part):
        path.write_bytes(LINE.revoke(critical=[critical]))
        with pytest.raises(MaterialError, match="delta or partitioned"):
            read_crls(path)
