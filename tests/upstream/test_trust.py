"""Whom the client believes, seen from the other end of real sessions."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from nestor.errors import MaterialError
from nestor.upstream.trust import ClientCertificate, Trust, provisional_context, read_anchors, verifying_context
from support import pki
from support.conversing import ask, refusal
from support.shapes import CMC_RA, SERVER_AUTH
from support.stub import Stub, certs_only


def test_certificate_and_name_are_verified_from_tls_1_2_on(trust: Trust) -> None:
    context = verifying_context(trust)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.conformance("CL-1")
def test_explicit_anchors_are_the_only_ones(ca: pki.CA) -> None:
    (loaded,) = verifying_context(Trust((ca.certificate,))).get_ca_certs(binary_form=True)
    assert loaded == ca.certificate.public_bytes(Encoding.DER)


def test_a_provisional_session_believes_anybody_but_speaks_no_old_tls() -> None:
    assert provisional_context().verify_mode is ssl.CERT_NONE
    assert provisional_context().minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.conformance("CL-1")
async def test_a_server_under_another_ca_is_refused(stub: Stub) -> None:
    stranger = Trust((pki.authority("Stranger").certificate,))
    assert "does not come from a CA that is trusted here" in await refusal(stub, stranger)
    assert stub.heard == []


@pytest.mark.conformance("CL-1")
async def test_a_server_of_a_private_ca_is_refused_by_this_machines_own_store(stub: Stub) -> None:
    assert "does not come from a CA that is trusted here" in await refusal(stub, Trust())


async def test_an_anchor_need_not_be_a_root(ca: pki.CA, tmp_path: Path) -> None:
    issuing = ca.intermediate("Issuing")
    with Stub(tmp_path, issuing.issue("other", alternative_names=["localhost"], server=True)) as stub:
        stub.answers["cacerts"] = certs_only(ca.certificate)
        assert (await ask(stub, Trust((issuing.certificate,)))).status == 200


@pytest.mark.conformance("CL-3")
async def test_the_name_counts_even_where_the_server_is_a_registration_authority(
    ca: pki.CA, trust: Trust, tmp_path: Path
) -> None:
    usages = x509.ExtendedKeyUsage([SERVER_AUTH, CMC_RA])
    forwarder = ca.issue("forwarder", alternative_names=["elsewhere.example"], extended_key_usage=usages)
    with Stub(tmp_path, forwarder) as stub:
        assert "is for other names" in await refusal(stub, trust)
        assert stub.heard == []


@pytest.mark.conformance("CL-4")
async def test_a_common_name_is_no_server_name(ca: pki.CA, trust: Trust, tmp_path: Path) -> None:
    with Stub(tmp_path, ca.issue("localhost", server=True)) as stub:
        assert "is for other names" in await refusal(stub, trust)


async def test_a_client_certificate_is_shown(ca: pki.CA, trust: Trust, tmp_path: Path) -> None:
    def wants_one(context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=ca.pem().decode())

    device = ca.issue("device")
    (tmp_path / "device").mkdir()
    credential = ClientCertificate(*pki.write(tmp_path / "device", device))
    with Stub(tmp_path, ca.issue("other", alternative_names=["localhost"], server=True), wants_one) as stub:
        stub.answers["cacerts"] = certs_only(ca.certificate)
        assert (await ask(stub, trust, credential)).status == 200
        assert stub.heard[0].peer == device.certificate.public_bytes(Encoding.DER)


def test_anchors_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match=r"nowhere\.pem"):
        read_anchors(tmp_path / "nowhere.pem")
    (tmp_path / "empty.pem").write_bytes(b"nothing")
    with pytest.raises(MaterialError, match="holds no readable PEM certificates"):
        read_anchors(tmp_path / "empty.pem")


def test_a_key_of_another_certificate_is_told(ca: pki.CA, trust: Trust, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    certificate, _ = pki.write(tmp_path, ca.issue("device"))
    _, key = pki.write(tmp_path / "other", ca.issue("device"))
    with pytest.raises(MaterialError, match="the key belongs to another certificate"):
        verifying_context(trust, ClientCertificate(certificate, key))


def test_an_encrypted_key_is_refused_without_asking_the_terminal(ca: pki.CA, trust: Trust, tmp_path: Path) -> None:
    device = ca.issue("device")
    certificate, key = pki.write(tmp_path, device)
    key.write_bytes(device.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    with pytest.raises(MaterialError, match="or the key is encrypted"):
        verifying_context(trust, ClientCertificate(certificate, key))


def test_a_certificate_that_is_not_there_is_named(trust: Trust, tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match=r"device\.pem"):
        verifying_context(trust, ClientCertificate(tmp_path / "device.pem", tmp_path / "device.key"))
