"""Microsoft's EST tutorial, followed with its own commands, against a server that takes the place of its container."""

import base64
import json
import re
import socket
import subprocess
import textwrap
import tomllib
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from support.certd import Certd
from support.device import Device
from support.openssl import run, s_client, tool
from support.plants import Tutorial
from support.shapes import Request, device_identity, edge_ca, est_identity, request
from support.shell import nestor

pytestmark = pytest.mark.xdist_group("tutorial")

YEAR = timedelta(days=365)
DAY = timedelta(days=1)
SLACK = timedelta(minutes=10)
ESTUSER = ("estuser", "estpwd")
FETCH = """openssl s_client -showcerts -verify 5 -connect localhost:{port} < /dev/null | \
awk '/BEGIN/,/END/{{ if(/BEGIN/){{a++}}; out="cert"a".pem"; print >out}}' && cp cert2.pem cacert.crt.pem"""


def _shell(command: str, place: Path) -> str:
    words = ("sh", "-c", command)
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done
    return done.stdout


@pytest.fixture(scope="module")
def fetched(tutorial: Tutorial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which the tutorial's command left what the server shows."""
    tool("openssl"), tool("awk")
    place = tmp_path_factory.mktemp("fetched")
    _shell(FETCH.format(port=tutorial.port), place)
    return place


def _certificate(place: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(place.read_bytes())


def _lifetime(certificate: x509.Certificate) -> timedelta:
    return certificate.not_valid_after_utc - certificate.not_valid_before_utc


def test_the_second_certificate_that_is_shown_is_the_ca(fetched: Path) -> None:
    authority = _certificate(fetched / "cacert.crt.pem")
    assert authority.subject == authority.issuer
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    run("verify", "-x509_strict", "-CAfile", fetched / "cacert.crt.pem", fetched / "cert1.pem")
    assert not (fetched / "cert3.pem").exists()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("hostname", "localhost"),
        ("hostname", "ip6-localhost"),
        ("hostname", socket.gethostname()),
        ("ip", "127.0.0.1"),
        ("ip", "::1"),
    ],
)
def test_the_server_certificate_is_good_for(kind: str, name: str, tutorial: Tutorial, fetched: Path) -> None:
    verify = (f"-verify_{kind}", name, "-CAfile", str(fetched / "cacert.crt.pem"), "-verify_return_error")
    assert "Verify return code: 0 (ok)" in s_client(tutorial.port, *verify)


def test_the_server_certificate_is_good_for_no_other_name(tutorial: Tutorial, fetched: Path) -> None:
    said = s_client(tutorial.port, "-verify_hostname", "elsewhere", "-CAfile", str(fetched / "cacert.crt.pem"))
    assert "ostname mismatch" in said


def test_lifetimes_are_those_of_the_tutorial(tutorial: Tutorial, fetched: Path) -> None:
    assert abs(_lifetime(_certificate(fetched / "cert2.pem")) - 20 * YEAR) < DAY
    assert abs(_lifetime(_certificate(fetched / "cert1.pem")) - 10 * YEAR) < DAY
    for kind in (est_identity("tutorial-life"), device_identity("tutorial-life"), edge_ca("tutorial-life")):
        issued = Device(tutorial.port, fetched / "cacert.crt.pem", user=ESTUSER).enroll(kind).certificate
        assert abs(_lifetime(issued) - DAY) < SLACK


@pytest.mark.parametrize("asked", [est_identity("any-1"), device_identity("any-2"), edge_ca("any-3"), request("any-4")])
def test_what_is_issued_verifies_below_the_fetched_ca(asked: Request, tutorial: Tutorial, fetched: Path) -> None:
    place = fetched / "issued.pem"
    body = fetched / "asked.b64"
    body.write_bytes(base64.encodebytes(asked.der))
    _shell(
        f"curl -sS --fail --cacert cacert.crt.pem -u estuser:estpwd -H 'Content-Type: application/pkcs10' "
        f"--data-binary @{body.name} https://localhost:{tutorial.port}/.well-known/est/simpleenroll "
        f"| base64 -d | openssl pkcs7 -inform DER -print_certs -out {place.name}",
        fetched,
    )
    run("verify", "-CAfile", fetched / "cacert.crt.pem", place)


def test_the_curl_line_that_is_printed_works_when_pasted(tutorial: Tutorial, tmp_path: Path) -> None:
    tool("curl"), tool("openssl")
    _shell("set -e\n" + _printed_commands(tutorial.log()), tmp_path)
    (issued,) = x509.load_pem_x509_certificates((tmp_path / "my-device.pem").read_bytes())
    assert abs(_lifetime(issued) - DAY) < SLACK


def test_the_blocks_that_are_printed_are_a_config_that_works(tutorial: Tutorial, tmp_path: Path) -> None:
    _, _, rest = tutorial.log().partition("named my-device:\n")
    blocks, _, _ = rest.partition("The lines that put them")
    place = tmp_path / "config.toml"
    place.write_text(textwrap.dedent(blocks))
    place.chmod(0o600)
    done = nestor("device", "check", str(place), "--tutorial", "--data", str(tutorial.data), "--json")
    found = [(one["gravity"], one["about"]) for one in json.loads(done.stdout)]
    assert ("problem", "provisioning.id_scope") in found
    assert found.count(("fine", "edge_ca")) == 1
    assert [about for gravity, about in found if gravity == "problem"] == ["provisioning.id_scope"]


def _printed_commands(log: str) -> str:
    """The commands of the paragraph that holds curl."""
    paragraph = next(part for part in re.split(r"\n\s*\n", log) if "curl " in part)
    return "\n".join(line for line in paragraph.splitlines() if re.match(r"\s+(openssl|curl) ", line))


def test_the_blocks_of_config_toml_that_are_printed_parse_and_enroll(tutorial: Tutorial, fetched: Path) -> None:
    blocks = _printed_blocks(tutorial.log())
    attestation, est = blocks["provisioning"]["attestation"], blocks["cert_issuance"]["est"]
    device = attestation["registration_id"]
    assert (attestation["method"], attestation["identity_cert"]["method"]) == ("x509", "est")
    assert attestation["identity_cert"]["common_name"] == device
    assert blocks["edge_ca"]["method"] == "est"
    assert all(place.startswith("file:///") for place in est["trusted_certs"])
    basic = (est["auth"]["username"], est["auth"]["password"])
    certd = Certd(est["urls"]["default"], fetched / "cacert.crt.pem", basic)
    for asked in (device_identity(device), edge_ca(device)):
        issued, authority = certd.create_cert(asked.der)
        issued.verify_directly_issued_by(authority)


def _printed_blocks(log: str) -> dict[str, Any]:
    """The TOML that begins with the first line that names a table, read for as long as it is TOML."""
    lines = [line.strip() for line in log.splitlines()]
    begin = next(number for number, line in enumerate(lines) if re.fullmatch(r"\[[\w.]+\]", line))
    for end in range(len(lines), begin, -1):
        with suppress(tomllib.TOMLDecodeError):
            return tomllib.loads("\n".join(lines[begin:end]))
    raise AssertionError


def test_a_wrong_password_is_told_plainly(tutorial: Tutorial, fetched: Path) -> None:
    device = Device(tutorial.port, fetched / "cacert.crt.pem", user=("estuser", "wrong"))
    answer = device.enroll(est_identity("dev-1"))
    assert answer.status == 401
    assert "password" in answer.text.lower()
    assert device.but(user=ESTUSER).enroll(est_identity("dev-1")).status == 200
