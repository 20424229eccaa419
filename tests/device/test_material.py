"""Certificates and keys in files: whether they are what they are taken for, belong together, and are in date."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from nestor.device.files import look
from nestor.device.material import certificates_in, check_material
from nestor.device.places import places_of
from nestor.finding import Finding
from support.configs import AUTH, BY_BOOTSTRAP, config, only, problems, warnings
from support.device import Identity
from support.pki import authority
from support.trees import CA_FILE, CERTIFICATE, KEY, put, tree

NOW = datetime.now(UTC)  # noqa: TID251 -- the certificates live now
ROOT = authority()
BOOTSTRAP = ROOT.issue("gw3")
TRUST = "cert_issuance.est.trusted_certs[1]"
CERT_AT, KEY_AT = f"{AUTH}.bootstrap_identity_cert", f"{AUTH}.bootstrap_identity_pk"


def _found(root: Path, now: datetime = NOW) -> list[Finding]:
    read = config(BY_BOOTSTRAP)
    return list(check_material(read, look(places_of(read), root), now))


def test_a_good_tree_is_fine(tmp_path: Path) -> None:
    assert _found(tree(tmp_path, ROOT, BOOTSTRAP)) == []


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n", ROOT.pem()[40:]]
)
def test_a_file_without_certificates_is_a_problem(tmp_path: Path, content: bytes) -> None:
    tree(tmp_path, ROOT, BOOTSTRAP)
    put(tmp_path, CA_FILE, content)
    assert problems(_found(tmp_path)) == [TRUST]


def test_a_certificate_that_is_no_cas_is_nothing_to_trust(tmp_path: Path) -> None:
    tree(tmp_path, ROOT, BOOTSTRAP)
    put(tmp_path, CA_FILE, BOOTSTRAP.certificate.public_bytes(Encoding.PEM))
    assert problems(_found(tmp_path)) == [TRUST]


def test_a_ca_that_has_ended_is_a_problem_and_beside_a_living_one_a_warning(tmp_path: Path) -> None:
    tree(tmp_path, ROOT, BOOTSTRAP)
    later = NOW + timedelta(days=3660)
    assert TRUST in problems(_found(tmp_path, later))
    old = ROOT.expired("Old Root", ca=True).certificate.public_bytes(Encoding.PEM)
    put(tmp_path, CA_FILE, ROOT.pem() + old)
    assert warnings(_found(tmp_path)) == [TRUST]


@pytest.mark.parametrize(
    ("identity", "word"),
    [
        (ROOT.expired("gw3"), "good from"),
        (ROOT.issue("gw3", not_before=NOW + timedelta(days=2)), "good from"),
        (ROOT.issue("gw3", client=False, server=True), "clientAuth"),
        (ROOT.issue("gw3", ca=True), "certificate of a CA"),
    ],
)
def test_a_bootstrap_certificate_that_will_not_authenticate_is_a_problem(
    tmp_path: Path, identity: Identity, word: str
) -> None:
    found = only(_found(tree(tmp_path, ROOT, identity)))
    assert problems([found]) == [CERT_AT]
    assert word in found.sentence


def test_a_bootstrap_certificate_that_says_nothing_of_its_use_is_fine(tmp_path: Path) -> None:
    assert _found(tree(tmp_path, ROOT, ROOT.issue("gw3", client=False))) == []


def test_a_key_of_another_certificate_is_a_problem(tmp_path: Path) -> None:
    stranger = ROOT.issue("gw4")
    tree(tmp_path, ROOT, Identity(BOOTSTRAP.certificate, stranger.key))
    found = only(_found(tmp_path))
    assert problems([found]) == [KEY_AT]
    assert "does not belong" in found.sentence


def test_a_key_that_nobody_can_open_is_a_problem(tmp_path: Path) -> None:
    tree(tmp_path, ROOT, BOOTSTRAP)
    pem = BOOTSTRAP.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    put(tmp_path, KEY, pem)
    assert "encrypted" in only(_found(tmp_path)).sentence
    put(tmp_path, KEY, b"-----BEGIN PRIVATE KEY-----\nMIIsecret\n-----END PRIVATE KEY-----\n")
    found = only(_found(tmp_path))
    assert problems([found]) == [KEY_AT]
    assert "MII" not in str(found)


def test_what_is_not_there_is_not_judged(tmp_path: Path) -> None:
    tree(tmp_path, ROOT, BOOTSTRAP)
    (tmp_path / CERTIFICATE).unlink()
    assert _found(tmp_path) == []
    assert certificates_in(None) == ()
