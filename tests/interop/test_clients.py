"""Clients that others wrote: curl with openssl, strongSwan's pki, and aziot-certd as its wire was recorded."""

import base64
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from support.certd import Certd, EstFailed
from support.device import Identity
from support.openssl import run, tool
from support.plants import USER, Plant
from support.shapes import Request, device_identity, edge_ca, est_identity, rsa2048

pytestmark = pytest.mark.xdist_group("interop")


def _make_request(place: Path, name: str, common_name: str) -> tuple[Path, Path]:
    """A key and a request by openssl's own commands."""
    key, request = place / f"{name}.key", place / f"{name}.der"
    run("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key)
    run("req", "-new", "-key", key, "-subj", f"/CN={common_name}", "-outform", "DER", "-out", request)
    return key, request


def _curl(plant: Plant, operation: str, *options: str | Path) -> bytes:
    anchor = plant.server.ca_file
    command = (tool("curl"), "-sS", "--fail-with-body", "--cacert", anchor, *options, f"{plant.server.url}/{operation}")
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done
    return done.stdout


def _curl_csr(plant: Plant, operation: str, request: Path, *options: str | Path) -> x509.Certificate:
    body = request.with_suffix(".b64")
    body.write_bytes(base64.encodebytes(request.read_bytes()))
    kind = ("-H", "Content-Type: application/pkcs10", "-H", "Content-Transfer-Encoding: base64")
    return _printed(_curl(plant, operation, *kind, "--data-binary", f"@{body}", *options))[0]


def _printed(answer: bytes) -> list[x509.Certificate]:
    """The certificates of an answer, as openssl reads it."""
    pem = run("pkcs7", "-inform", "DER", "-print_certs", say=base64.b64decode(answer))
    return x509.load_pem_x509_certificates(pem)


def test_curl_enrolls_by_password_and_renews_by_certificate(plant: Plant, tmp_path: Path) -> None:
    key, request = _make_request(tmp_path, "first", "curl-1")
    first = _curl_csr(plant, "simpleenroll", request, "-u", ":".join(USER))
    (issuer,) = _printed(_curl(plant, "cacerts"))
    first.verify_directly_issued_by(issuer)

    certificate = tmp_path / "first.pem"
    certificate.write_bytes(first.public_bytes(Encoding.PEM))
    _, again = _make_request(tmp_path, "second", "curl-1")
    second = _curl_csr(plant, "simplereenroll", again, "--cert", certificate, "--key", key)
    second.verify_directly_issued_by(issuer)
    assert second.subject == first.subject
    assert second.serial_number != first.serial_number
    assert second.public_key() == x509.load_der_x509_csr(again.read_bytes()).public_key()


def test_curl_is_told_plainly_that_a_password_is_wrong(plant: Plant, tmp_path: Path) -> None:
    _, request = _make_request(tmp_path, "wrong", "curl-2")
    command = (tool("curl"), "-sSi", "--cacert", plant.server.ca_file, f"{plant.server.url}/simpleenroll")
    body = ("-u", "line:wrong", "-H", "Content-Type: application/pkcs10", "--data-binary", f"@{request}")
    said = subprocess.run((*command, *body), capture_output=True, text=True, timeout=30, check=True).stdout
    assert said.startswith("HTTP/1.1 401")
    assert "password" in said.lower()


def _pki(command: str, plant: Plant, *options: str | Path) -> bytes:
    words = (tool("pki"), command, "--url", f"https://localhost:{plant.server.port}", "--cacert", plant.server.ca_file)
    done = subprocess.run((*words, *options), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done
    return done.stdout


def test_strongswan_reads_the_ca_certificates(plant: Plant, tmp_path: Path) -> None:
    place = tmp_path / "ca-out.pem"
    _pki("--estca", plant, "--caout", place, "--outform", "pem", "--force")
    assert place.read_bytes().strip() == plant.server.ca_file.read_bytes().strip()


def test_strongswan_enrolls_by_password_and_renews_by_certificate(plant: Plant, tmp_path: Path) -> None:
    key, request = _make_request(tmp_path, "swan", "swan-1")
    enrolled = _pki("--est", plant, "--in", request, "--userpass", ":".join(USER), "--outform", "pem")
    first = x509.load_pem_x509_certificate(enrolled)

    certificate = tmp_path / "swan.pem"
    certificate.write_bytes(enrolled)
    _, again = _make_request(tmp_path, "swan2", "swan-1")
    renewed = _pki("--est", plant, "--in", again, "--cert", certificate, "--key", key, "--outform", "pem")
    second = x509.load_pem_x509_certificate(renewed)
    (issuer,) = x509.load_pem_x509_certificates(plant.server.ca_file.read_bytes())
    for one in (first, second):
        one.verify_directly_issued_by(issuer)
    assert (second.subject, second.serial_number) != (first.subject, first.serial_number)
    assert second.public_key() == load_pem_private_key((tmp_path / "swan2.key").read_bytes(), None).public_key()


def _kept(certificates: Sequence[x509.Certificate], request: Request) -> Identity:
    """What certd keeps: the first certificate is the leaf, and the key is that of its request."""
    leaf, *chain = certificates
    assert leaf.public_key() == request.key.public_key()
    leaf.verify_directly_issued_by(chain[-1])
    return Identity(leaf, request.key, tuple(chain))


def _create(certd: Certd, identity: Identity | None, request: Request) -> Identity:
    return _kept(replace(certd, identity=identity).create_cert(request.der), request)


def _leaf_only(identity: Identity) -> Identity:
    return replace(identity, chain=())


@pytest.fixture
def certd(plant: Plant) -> Certd:
    return Certd(plant.server.url, plant.server.ca_file)


def test_certd_goes_from_its_factory_certificate_to_a_whole_device(plant: Plant, certd: Certd) -> None:
    est = _create(certd, plant.factory_identity("gw-1"), est_identity("gw-1"))
    device = _create(certd, est, device_identity("gw-1"))
    gateway = _create(certd, est, edge_ca("gw-1"))
    assert device.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    constraints = gateway.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value) == (True, x509.BasicConstraints(ca=True, path_length=0))

    renewed = _create(certd, _leaf_only(est), est_identity("gw-1"))
    assert _create(certd, renewed, device_identity("gw-1")).certificate != device.certificate
    assert _create(certd, renewed, edge_ca("gw-1")).certificate != gateway.certificate


def test_certd_renews_with_the_key_that_it_has(plant: Plant, certd: Certd) -> None:
    est = _create(certd, plant.factory_identity("gw-2"), est_identity("gw-2"))
    key = rsa2048()
    first = _create(certd, est, device_identity("gw-2", key))
    again = _create(certd, est, device_identity("gw-2", key))
    assert again.certificate == first.certificate, "the same bytes within two minutes get the same certificate"


def test_certd_falls_back_to_its_factory_certificate(plant: Plant, certd: Certd) -> None:
    first = _create(certd, plant.factory_identity("gw-3"), est_identity("gw-3"))
    second = _create(certd, plant.factory_identity("gw-3"), est_identity("gw-3"))
    assert second.certificate.subject == first.certificate.subject
    assert second.certificate != first.certificate


def test_certd_enrolls_by_password(certd: Certd) -> None:
    by_password = replace(certd, basic=USER)
    est = _create(by_password, None, est_identity("gw-4"))
    assert _create(by_password, est, device_identity("gw-4")).certificate.subject == est.certificate.subject


def test_certd_is_told_why_it_got_nothing(plant: Plant, certd: Certd) -> None:
    with pytest.raises(EstFailed, match=r"403 .*leaf-1"):
        _create(certd, plant.factory_identity("leaf-1"), edge_ca("leaf-1"))
