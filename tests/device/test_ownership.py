"""Owners and modes: the two services read what they need, and nobody else reads a key."""

from pathlib import Path

from nestor.device.files import Step, look
from nestor.device.ownership import check_own_mode, check_ownership
from nestor.device.places import places_of
from nestor.finding import Finding
from support.configs import AUTH, BY_BOOTSTRAP, config, only, problems, warnings
from support.pki import authority
from support.trees import CA_FILE, CERTIFICATE, KEY, STRANGER, tree

ROOT = authority()
BOOTSTRAP = ROOT.issue("gw3")
TRUST = "cert_issuance.est.trusted_certs[1]"
CERT_AT, KEY_AT = f"{AUTH}.bootstrap_identity_cert", f"{AUTH}.bootstrap_identity_pk"


def _found(root: Path) -> list[Finding]:
    return list(check_ownership(look(places_of(config(BY_BOOTSTRAP)), root)))


def test_a_good_tree_is_fine(tmp_path: Path) -> None:
    assert _found(tree(tmp_path, ROOT, BOOTSTRAP)) == []


def test_what_is_missing_is_told_with_what_to_bring(tmp_path: Path) -> None:
    tree(tmp_path, ROOT)
    found = _found(tmp_path)
    assert problems(found) == [CERT_AT, KEY_AT]
    (tmp_path / CA_FILE).unlink()
    assert "nestor ca export --root" in _found(tmp_path)[0].remedy


def test_a_certificate_that_its_service_cannot_read_is_told_with_the_line_that_mends_it(tmp_path: Path) -> None:
    tree(tmp_path, ROOT, BOOTSTRAP, reader=STRANGER)
    (tmp_path / CERTIFICATE).chmod(0o600)
    found = only(_found(tmp_path))
    assert problems([found]) == [CERT_AT]
    assert "aziotcs cannot read" in found.sentence
    assert found.remedy == f"sudo chown aziotcs:aziotcs /{CERTIFICATE} && sudo chmod 644 /{CERTIFICATE}"


def test_a_key_that_its_service_cannot_read_is_a_problem(tmp_path: Path) -> None:
    tree(tmp_path, ROOT, BOOTSTRAP, keeper=STRANGER)
    found = only(_found(tmp_path))
    assert problems([found]) == [KEY_AT]
    assert "chmod 600" in found.remedy


def test_a_folder_that_cannot_be_passed_is_told_and_not_the_file(tmp_path: Path) -> None:
    tree(tmp_path, ROOT, BOOTSTRAP, keeper=STRANGER)
    (tmp_path / KEY).chmod(0o644)
    (tmp_path / KEY).parent.chmod(0o700)
    found = _found(tmp_path)
    assert problems(found) == [KEY_AT]
    assert "cannot pass /var/aziot/secrets" in found[0].sentence


def test_the_class_of_the_owner_counts_before_that_of_others(tmp_path: Path) -> None:
    tree(tmp_path, ROOT)
    (tmp_path / CA_FILE).chmod(0o044)
    assert TRUST in problems(_found(tmp_path))


def test_a_key_that_others_can_use_is_a_warning(tmp_path: Path) -> None:
    tree(tmp_path, ROOT, BOOTSTRAP)
    (tmp_path / KEY).chmod(0o604)
    assert warnings(_found(tmp_path)) == [KEY_AT]


def test_a_machine_without_the_users_is_told_so_once(tmp_path: Path) -> None:
    tree(tmp_path, ROOT, BOOTSTRAP)
    (tmp_path / "etc/passwd").unlink()
    (tmp_path / KEY).chmod(0o644)
    found = only(_found(tmp_path))
    assert warnings([found]) == ["/etc/passwd"]
    assert "aziotks" in found.sentence


def test_a_config_with_a_secret_is_its_owners_alone() -> None:
    assert list(check_own_mode(Step("config.toml", 0, 0, 0o100600))) == []
    assert warnings(check_own_mode(Step("config.toml", 0, 0, 0o100640))) == ["config.toml"]
    assert list(check_own_mode(None)) == []
