"""`nestor ca`: made once, shown, handed out."""

import json
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from support.server import Server
from support.shapes import est_identity
from support.shell import nestor, nestor_here


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_ca_is_made_once_and_shown_as_the_portal_shows_it(data: Path) -> None:
    made = nestor("ca", "init", "--subject", "CN=Plant 3 Root CA,O=Contoso", "--data", str(data))
    assert made.returncode == 0
    shown = json.loads(nestor("ca", "show", "--json", "--data", str(data)).stdout)
    assert shown["subject"] == "CN=Plant 3 Root CA,O=Contoso"
    assert shown["sha256"] in made.stderr
    assert len(shown["sha1"]) == 40
    assert {"notBefore", "notAfter", "signsWith"} <= set(shown)
    again = nestor("ca", "init", "--data", str(data))
    assert again.returncode == 4
    assert "There is, or was, a CA" in again.stderr


def test_the_root_of_a_layer_is_named_after_it(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "nestor.toml"
    config.write_text('[upstream.identity]\nname = "layer2"\n', "utf-8")
    made = nestor_here("ca", "init", "--data", str(data), "--config", str(config))
    assert "Made CN=Nestor Root CA layer2, valid until" in made.stderr


def test_a_server_follows_a_ca_that_was_made_first(tmp_path: Path) -> None:
    server = Server(tmp_path, {})
    server.command("ca", "init", "--subject", "CN=Plant 3 Root CA")
    with server:
        shown = server.device().get("cacerts").certificates
        assert [one.subject.rfc4514_string() for one in shown] == ["CN=Plant 3 Root CA"]
        assert server.device().ask("GET", "/readyz").status == 200


def test_the_key_is_for_its_owner_only_and_never_exported(data: Path) -> None:
    nestor("ca", "init", "--data", str(data))
    assert stat.S_IMODE((data / "ca" / "key.pem").stat().st_mode) == 0o600
    exported = nestor("ca", "export", "--data", str(data)).stdout
    assert "PRIVATE" not in exported
    assert len(x509.load_pem_x509_certificates(exported.encode())) == 1


@pytest.mark.parametrize("key_type", ["ec-p256", "ec-p384", "rsa"])
def test_the_kind_of_key_can_be_chosen(data: Path, key_type: str) -> None:
    assert nestor("ca", "init", "--key-type", key_type, "--data", str(data)).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--key-type", "ml-dsa-65"), "'ec-p256', 'ec-p384', 'rsa'"),
        (("--lifetime", "0d"), "from 1s to 100y"),
        (("--subject", "Plant"), "'Plant' is no name of a CA. Write it like CN="),
        (("--issuing-subject", "CN=x"), "go with --offline-root"),
        (("--issuing-lifetime", "1y"), "go with --offline-root"),
        (("--offline-root", "usb", "--subject", "CN=x", "--issuing-subject", "CN=x"), "names of their own"),
        (("--offline-root", "usb", "--issuing-subject", "CN=nestor  root ca"), "names of their own"),
        (("--offline-root", "usb", "--issuing-lifetime", "999999d"), "from 1s to 100y"),
    ],
)
def test_options_that_cannot_be_make_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = nestor_here("ca", "init", *words, "--data", str(data))
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_ca_from_files_is_not_made(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text('[ca]\nsource = "file"\ncertificate = "file:ca.pem"\nkey = "file:../ca-key.pem"\n')
    for more in ((), ("--offline-root", str(tmp_path / "usb"))):
        done = nestor_here("ca", "init", "--config", str(config), "--data", str(data), *more)
        assert done.returncode == 3
        assert done.stderr.startswith("error: ca.source is file: there is nothing to make.\n")
    assert list(tmp_path.iterdir()) == [config]


def test_a_ca_of_a_century_issues(tmp_path: Path) -> None:
    server = Server(tmp_path, {})
    assert nestor_here("ca", "init", "--lifetime", "100y", "--data", str(server.data)).returncode == 0
    user = server.add_user("gw3", "0815")
    with server:
        assert server.device(user=user).enroll(est_identity("gw3")).status == 200


def test_an_offline_root_leaves_its_key_outside(data: Path, tmp_path: Path) -> None:
    away = tmp_path / "usb"
    done = nestor("ca", "init", "--offline-root", str(away), "--data", str(data))
    assert done.returncode == 0
    assert sorted(path.name for path in away.iterdir()) == ["root-key.pem", "root.pem"]
    assert stat.S_IMODE((away / "root-key.pem").stat().st_mode) == 0o600
    issuer, root = x509.load_pem_x509_certificates(nestor("ca", "export", "--data", str(data)).stdout.encode())
    issuer.verify_directly_issued_by(root)
    only = nestor("ca", "export", "--root", "--data", str(data)).stdout
    assert x509.load_pem_x509_certificate(only.encode()) == root


def test_a_passphrase_from_the_environment_encrypts_the_key(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "nestor.toml"
    config.write_text('[keys]\npassphrase = "env:NESTOR_TEST_PASS"\n')
    words = ("--config", str(config), "--data", str(data))
    assert nestor("ca", "init", *words, environment={"NESTOR_TEST_PASS": "correct horse"}).returncode == 0
    assert "ENCRYPTED" in (data / "ca" / "key.pem").read_text()
    assert nestor("ca", "show", *words, environment={"NESTOR_TEST_PASS": "correct horse"}).returncode == 0
    wrong = nestor("ca", "show", *words, environment={"NESTOR_TEST_PASS": "battery staple"})
    assert wrong.returncode == 4
    assert "battery staple" not in wrong.stderr
    missing = nestor("ca", "show", *words)
    assert "NESTOR_TEST_PASS is not set" in missing.stderr


def test_der_goes_to_a_file(data: Path, tmp_path: Path) -> None:
    nestor("ca", "init", "--data", str(data))
    assert nestor_here("ca", "export", "--der", "--data", str(data)).returncode == 2
    place = tmp_path / "ca.cer"
    assert nestor("ca", "export", "--der", "--out", str(place), "--data", str(data)).returncode == 0
    x509.load_der_x509_certificate(place.read_bytes())


def test_where_there_is_no_ca_the_next_step_is_told(data: Path) -> None:
    done = nestor("ca", "show", "--data", str(data))
    assert done.returncode == 4
    assert done.stderr.splitlines()[1] == "hint: Make one: nestor ca init."


@pytest.mark.parametrize("how", [(), ("--offline-root", "away")])
def test_a_ca_made_by_hand_is_served(tmp_path: Path, how: tuple[str, ...]) -> None:
    server = Server(tmp_path, {})
    made = nestor(
        "ca", "init", *(word.replace("away", str(tmp_path / "away")) for word in how), "--data", str(server.data)
    )
    assert made.returncode == 0
    with server:
        assert server.device().ask("GET", "/readyz").status == 200
        shown = {one.fingerprint(SHA256()).hex().upper() for one in server.device().get("cacerts").certificates}
        assert made.stderr.split("SHA-256 ")[1].split()[0] in shown
