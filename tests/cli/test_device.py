"""`nestor device`, as a process, before a real server: what it writes is what a device then lives on."""

import json
import re
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nestor.device.writing import write_config
from support.certd import Certd
from support.configs import BY_BOOTSTRAP, BY_PASSWORD
from support.device import Identity
from support.pki import authority, write
from support.playing import play
from support.server import Server
from support.shapes import Request, device_identity, edge_ca, est_identity
from support.shell import nestor, nestor_here
from support.trees import CA_FILE, OWNER, users

FACTORY = authority("Factory")
SCOPE = ("--id-scope", "0ne00112233")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("plant")
    access = {"gateways": "gw-*", "bootstrap": {"maker": {"anchors": "file:factory.pem"}}}
    server = Server(place, {"access": access, "labels": {"ca": {"profile": "edgeCa"}}})
    (server.data / "factory.pem").write_bytes(FACTORY.pem())
    server.add_user("line", "0815", "gw-* plc-*")
    with server:
        yield server


@pytest.fixture
def where(server: Server) -> tuple[str, ...]:
    return ("--data", str(server.data), "--config", str(server.config))


def _secret(place: Path) -> tuple[str, ...]:
    (place / "password").write_text("0815\n")
    return ("--user", "line", "--password-from", f"file:{place / 'password'}")


def _certd(written: dict[str, Any], place: Path) -> Certd:
    """aziot-certd with exactly what the config says; its paths lie below `place`."""
    est = written["cert_issuance"]["est"]
    (trusted,) = est["trusted_certs"]
    basic = (est["auth"]["username"], est["auth"]["password"]) if "username" in est["auth"] else None
    return Certd(est["urls"]["default"], place / trusted.removeprefix("file:///"), basic)


def _keep(certd: Certd, asked: Request) -> Identity:
    leaf, *chain = certd.create_cert(asked.der)
    return Identity(leaf, asked.key, tuple(chain))


@pytest.mark.parametrize("auth", ["password", "bootstrap", "both"])
def test_a_device_lives_on_what_was_written_for_it(
    auth: str, server: Server, where: tuple[str, ...], tmp_path: Path
) -> None:
    name, device = f"gw-{auth}", tmp_path / "device"
    (device / "etc/aziot").mkdir(parents=True)
    factory = FACTORY.issue(name)
    certificate, key = write(tmp_path, factory)
    certificate.rename(device / "est-bootstrap.pem")
    key.rename(device / "est-bootstrap.key.pem")
    secret = () if auth == "bootstrap" else _secret(tmp_path)
    script = tmp_path / "script"
    done = nestor("device", "config", name, "--auth", auth, *SCOPE, *secret, "--script", str(script), *where)
    assert (done.returncode, done.stdout) == (0, "")
    play(script.read_text(), device)
    users(device, OWNER, OWNER)

    place = device / "etc/aziot/config.toml"
    checked = nestor("device", "check", str(place), "--root", str(device), *where)
    assert checked.returncode == 0
    assert [line.split()[0] for line in checked.stdout.splitlines()] == ["fine"] * (2 if auth == "password" else 3)
    assert checked.stderr.splitlines()[-1].endswith("nothing is wrong with it.")

    written = tomllib.loads(place.read_text())
    certd = _certd(written, device)
    if auth != "password":
        bootstrap = Certd(certd.url, certd.trusted_certs, certd.basic, factory)
        certd = Certd(certd.url, certd.trusted_certs, certd.basic, _keep(bootstrap, est_identity(name)))
    identity = _keep(certd, device_identity(written["provisioning"]["attestation"]["registration_id"]))
    gateway = _keep(certd, edge_ca(name))
    assert identity.chain == gateway.chain
    listed = server.command("cert", "list", "--device", name)
    assert listed.stdout.count("edgeCa") == listed.stdout.count("deviceIdentity") == 1  # the check issued nothing


def test_blocks_go_to_output_and_the_lines_beside_them(where: tuple[str, ...]) -> None:
    done = nestor("device", "config", "gw-1", *where)
    assert done.returncode == 0
    written = tomllib.loads(done.stdout)
    assert written["provisioning"]["id_scope"] == "<DPS-ID-SCOPE>"
    assert "sudo iotedge config apply" in done.stderr
    assert "BEGIN CERTIFICATE" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last == "# Still to be filled in: provisioning.id_scope, cert_issuance.est.auth.password"


def test_files_with_secrets_are_their_owners_alone_and_never_replaced(where: tuple[str, ...], tmp_path: Path) -> None:
    command = ("device", "config", "gw-1", *SCOPE, *_secret(tmp_path), *where)
    for option, mode in (("--out", 0o600), ("--script", 0o700)):
        place = tmp_path / option.strip("-")
        done = nestor_here(*command, option, str(place))
        assert done.returncode == 0
        assert stat.S_IMODE(place.stat().st_mode) == mode
        assert "0815" in place.read_text()
        assert "0815" not in done.stdout + done.stderr
        again = nestor_here(*command, option, str(place))
        assert again.returncode == 4
        assert again.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--parent-hostname", "gw-0"), "refuses DPS"),
        (("--threshold", "60m"), '"60min"'),
        (("--iothub-hostname", "h.azure-devices.net", *SCOPE), "two ways"),
        (("--iothub-hostname", "https://h.azure-devices.net"), "not a URL"),
        (("--hostname", "x" * 64), "64"),
        (("--password-from", "0815"), "env:NAME or file:PATH"),
        (("--auth", "both", "--bootstrap-key", "key.pem"), "--bootstrap-key"),
        (("--url", "http://localhost/.well-known/est"), "https://"),
        (("--identity", "key", "--no-edge-ca"), "nothing"),
    ],
)
def test_what_would_not_work_is_not_written(options: tuple[str, ...], word: str, where: tuple[str, ...]) -> None:
    done = nestor_here("device", "config", "gw-1", *options, *where)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr


def test_a_script_has_to_be_whole(where: tuple[str, ...], tmp_path: Path) -> None:
    done = nestor_here("device", "config", "gw-1", "--script", str(tmp_path / "script"), *where)
    assert done.returncode == 2
    assert "provisioning.id_scope" in done.stderr
    assert not (tmp_path / "script").exists()


def test_a_url_may_be_given_where_there_is_no_server(tmp_path: Path) -> None:
    nowhere = ("--data", str(tmp_path / "data"))
    assert nestor_here("device", "config", "gw-1", *nowhere).returncode == 4
    done = nestor_here(
        "device", "config", "gw-1", "--url", "https://gw3:8085/.well-known/est", "--label", "ca", *nowhere
    )
    assert done.returncode == 0
    assert tomllib.loads(done.stdout)["cert_issuance"]["est"]["urls"]["default"].endswith("/est/ca")
    assert "nestor ca export --root" in done.stderr


def test_a_child_by_hand_with_a_key_and_labels(where: tuple[str, ...]) -> None:
    by_hand = ("--iothub-hostname", "h.azure-devices.net", "--identity", "key", "--parent-hostname", "gw-0")
    done = nestor_here("device", "config", "gw-1", *by_hand, "--edge-ca-label", "ca", "--keep-key", *where)
    written = tomllib.loads(done.stdout)
    assert written["provisioning"]["authentication"] == {"method": "sas", "device_id_pk": {"value": "<DEVICE-KEY>"}}
    assert written["edge_ca"]["url"].endswith("/ca")
    assert written["edge_ca"]["auto_renew"]["rotate_key"] is False
    assert written["trust_bundle_cert"] == f"file:///{CA_FILE}"


def test_the_tutorials_user_needs_no_options(tmp_path: Path) -> None:
    place = ("--tutorial", "--data", str(tmp_path / "data"))
    assert nestor_here("ca", "init", *place[1:]).returncode == 0
    written = tomllib.loads(nestor_here("device", "config", "my-device", *place).stdout)
    assert written["cert_issuance"]["est"]["auth"] == {"username": "estuser", "password": "estpwd"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def _check(place: Path, text: str, *more: str) -> tuple[int, list[dict[str, str]], str]:
    """The exit code, the findings, and what was said beside them."""
    place.write_text(text)
    place.chmod(0o600)
    done = nestor_here("device", "check", str(place), "--json", *more)
    return done.returncode, json.loads(done.stdout), done.stderr


_SEEDED = """
hostname = "10.3.0.7"
parent_hostname = "10.3.0.7"
[provisioning]
source = "dps"
id_scope = "<DPS-ID-SCOPE>"
[provisioning.attestation]
method = "x509"
registration_id = "gw 3"
[provisioning.attestation.identity_cert]
method = "est"
common_name = "gw-3"
url = "https://gw3/.well-known/est/simpleenroll"
[provisioning.attestation.identity_cert.auto_renew]
rotate_key = "yes"
threshold = "60m"
[edge_ca]
method = "est"
common_name = "10.3.0.7"
expiry_days = 30
autorenew = true
username = "ca"
[cert_issuance.est]
trusted_certs = ["/var/aziot/certs/ca.pem"]
[cert_issuance.est.auth]
username = "gw:3"
password = ""
bootstrap_identity_cert = "file://var/aziot/certs/b.pem"
bootstrap_identity_pk = "pkcs11:token=a?pin-value=1234"
identity_cert = "file:///var/aziot/certs/i.pem"
[cert_issuance.est.identity_auto_renew]
rotate_key = true
threshold = "120%"
retry = "4%"
[cert_issuance.est.urls]
aziot-edged-ca = "http://gw3/.well-known/est"
edge-ca = "https://gw3/.well-known/est"
"""


def test_every_seeded_fault_of_a_file_is_found(place: Path) -> None:
    code, found, said = _check(place, _SEEDED)
    assert code == 7
    identity, est = "provisioning.attestation.identity_cert", "cert_issuance.est"
    assert {(finding["gravity"], finding["about"]) for finding in found} == {
        ("problem", f"{identity}.auto_renew.rotate_key"),
        ("warning", "edge_ca.autorenew"),
        ("problem", "provisioning.source"),
        ("problem", "provisioning.global_endpoint"),
        ("problem", "provisioning.attestation.registration_id"),
        ("warning", f"{identity}.common_name"),
        ("warning", "hostname"),
        ("problem", "parent_hostname"),
        ("warning", "trust_bundle_cert"),
        ("problem", "edge_ca.common_name"),
        ("warning", "edge_ca.expiry_days"),
        ("problem", f"{est}.auth.username"),
        ("problem", f"{est}.auth.password"),
        ("problem", f"{est}.auth.identity_pk"),
        ("warning", f"{est}.auth.identity_cert"),
        ("problem", "edge_ca.password"),
        ("problem", f"{est}.urls.aziot-edged-ca"),
        ("warning", f"{est}.urls.edge-ca"),
        ("problem", f"{identity}.url"),
        ("problem", f"{est}.urls.default"),
        ("problem", f"{est}.trusted_certs[1]"),
        ("problem", f"{est}.auth.bootstrap_identity_cert"),
        ("problem", f"{est}.auth.bootstrap_identity_pk"),
        ("problem", f"{est}.identity_auto_renew.threshold"),
        ("problem", f"{identity}.auto_renew"),
        ("problem", f"{identity}.auto_renew.threshold"),
        ("warning", "edge_ca.auto_renew"),
        ("problem", "provisioning.id_scope"),
    }
    assert re.search(r"\d+ problems, \d+ warnings\.$", said.strip())
    assert "1234" not in json.dumps(found)
    assert all(finding["remedy"] for finding in found)


def test_faults_of_the_files_are_found(place: Path, tmp_path: Path) -> None:
    device = tmp_path / "device"
    device.mkdir()
    code, found, _ = _check(place, write_config(BY_BOOTSTRAP), "--root", str(device))
    assert code == 7
    assert [finding["about"] for finding in found] == [
        "/etc/passwd",
        "cert_issuance.est.trusted_certs[1]",
        "cert_issuance.est.auth.bootstrap_identity_cert",
        "cert_issuance.est.auth.bootstrap_identity_pk",
    ]


def test_what_a_server_would_refuse_is_found(
    place: Path, server: Server, where: tuple[str, ...], tmp_path: Path
) -> None:
    asked = ("--url", server.url.replace("localhost", "gw9"), "--label", "none", *SCOPE, *_secret(tmp_path), *where)
    written = nestor_here("device", "config", "plc-1", *asked).stdout
    code, found, _ = _check(place, written, *where)
    assert code == 7
    words = ("no name gw9", "no label none", "no EST label none")
    assert all(any(word in finding["sentence"] for finding in found) for word in words)
    written = nestor_here("device", "config", "plc-1", *SCOPE, *_secret(tmp_path), *where).stdout
    code, found, _ = _check(place, written, *where)
    assert [finding["about"] for finding in found if finding["gravity"] == "problem"] == ["edge_ca"]
    assert "not a gateway" in found[-1]["sentence"]


def test_a_name_that_another_kind_of_credential_onboarded_is_told_before_the_device_tries(
    place: Path, server: Server, where: tuple[str, ...], tmp_path: Path
) -> None:
    server.device(user=("line", "0815")).enrolled(device_identity("gw-live"))
    device = tmp_path / "device"
    (device / "var/aziot/certs").mkdir(parents=True)
    (device / "var/aziot/secrets").mkdir()
    certificate, key = write(tmp_path, FACTORY.issue("gw-live"))
    certificate.rename(device / "var/aziot/certs/est-bootstrap.pem")
    key.rename(device / "var/aziot/secrets/est-bootstrap.key.pem")
    (device / CA_FILE).write_bytes(server.ca_file.read_bytes())
    written = nestor_here("device", "config", "gw-live", "--auth", "bootstrap", *SCOPE, *where).stdout
    code, found, _ = _check(place, written, "--root", str(device), *where)
    assert code == 7
    assert "does not take it over" in found[-1]["sentence"]


def test_what_was_not_looked_at_is_said(place: Path) -> None:
    code, found, said = _check(place, write_config(BY_PASSWORD))
    assert (code, found) == (0, [])
    assert "--data" in said
    assert said.splitlines()[-1] == f"{place}: nothing is wrong with it."


def test_a_config_that_others_can_read_is_a_warning_and_no_problem(place: Path) -> None:
    place.write_text(write_config(BY_PASSWORD))
    place.chmod(0o644)
    done = nestor("device", "check", str(place))
    assert done.returncode == 0
    assert done.stdout.startswith("warning")
    assert done.stderr.splitlines()[-1] == f"{place}: 0 problems, 1 warning."


def test_what_is_no_toml_is_told_with_its_line(place: Path) -> None:
    code, (found,), _ = _check(place, "[provisioning\n")
    assert code == 7
    assert "line 1" in found["sentence"]


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    assert nestor_here("device", "check", str(tmp_path / "none")).returncode == 4
    (tmp_path / "latin").write_bytes(b'hostname = "gr\xfcn"')
    done = nestor_here("device", "check", str(tmp_path / "latin"))
    assert done.returncode == 4
    assert "UTF-8" in done.stderr
