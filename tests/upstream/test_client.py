"""Each operation of RFC 7030 asked of a server that answers as the test writes it."""

import base64
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, pkcs7

from nestor.errors import Forbidden, Malformed, SettingsError, Unauthenticated, Unavailable
from nestor.est import keygen
from nestor.est.csrattrs import CsrAttributes
from nestor.upstream.client import ESTClient, fetch_unverified
from nestor.upstream.faults import BadAnswer, Closed
from nestor.upstream.trust import Trust
from support import pki, shapes
from support.device import BASE, basic_header, wrapped
from support.stub import Reply, Stub, attributes, certify, certs_only

_LINK = bytes.fromhex("300b06092a864886f70d010907")


def _client(stub: Stub, trust: Trust, **more: object) -> ESTClient:
    return ESTClient(stub.url, trust, **more)  # type: ignore[arg-type]  # the test's own words


async def test_ca_certificates_come_sorted_out(stub: Stub, trust: Trust, ca: pki.CA) -> None:
    below, stranger = ca.intermediate("Issuing"), pki.authority("Stranger").intermediate("Below the stranger")
    stub.answers["cacerts"] = certs_only(below.certificate, stranger.certificate, ca.certificate)
    async with _client(stub, trust) as client:
        found = await client.cacerts()
    assert found.trusted == (ca.certificate, below.certificate)
    assert found.strangers == (stranger.certificate,)


@pytest.mark.conformance("CL-16")
async def test_a_request_is_sent_as_deployed_servers_want_it(stub: Stub, trust: Trust) -> None:
    request = shapes.est_identity("pump-1")
    async with _client(stub, trust) as client:
        issued = await client.enroll(request.der)
    (heard,) = stub.heard
    assert (heard.method, heard.path, heard.body) == ("POST", f"{BASE}/simpleenroll", wrapped(request.der))
    assert heard.headers["Content-Type"] == "application/pkcs10"
    assert heard.headers["Content-Length"] == str(len(heard.body))
    assert "Transfer-Encoding" not in heard.headers
    assert shapes.spki_of(request.key) == _spki(issued.public_key())


async def test_a_label_is_asked_for(stub: Stub, trust: Trust, ca: pki.CA) -> None:
    stub.answers["edge-ca/cacerts"] = certs_only(ca.certificate)
    async with _client(stub, trust, label="edge-ca") as client:
        assert (await client.cacerts()).root == ca.certificate


@pytest.mark.conformance("CL-17")
async def test_a_renewal_shows_the_certificate_to_be_renewed(ca: pki.CA, trust: Trust, tmp_path: Path) -> None:
    def wants_one(context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=ca.pem().decode())

    device = ca.issue("pump-1")
    (tmp_path / "device").mkdir()
    certificate, key = pki.write(tmp_path / "device", device)
    with Stub(tmp_path, ca.issue("other", alternative_names=["localhost"], server=True), wants_one) as stub:
        stub.answers["simplereenroll"] = lambda heard: certs_only(certify(ca, heard.csr))
        async with _client(stub, trust, certificate=certificate, key=key) as client:
            await client.reenroll(shapes.est_identity("pump-1").der)
    assert stub.heard[0].path == f"{BASE}/simplereenroll"
    assert stub.heard[0].peer == device.certificate.public_bytes(Encoding.DER)


async def test_the_password_goes_where_it_is_needed_and_nowhere_else(stub: Stub, trust: Trust) -> None:
    async with _client(stub, trust, user="", password="grün:7Q2") as client:
        await client.cacerts()
        await client.csrattrs()
        await client.enroll(shapes.est_identity("pump-1").der)
    sent = {heard.path.removeprefix(f"{BASE}/"): heard.headers.get("Authorization") for heard in stub.heard}
    login = basic_header("", "grün:7Q2")
    assert sent == {"cacerts": None, "csrattrs": login, "simpleenroll": login}


@pytest.mark.conformance("CL-5")
async def test_nobody_gets_the_password_before_being_verified(stub: Stub) -> None:
    stub.answers["simpleenroll"] = Reply(401, headers={"WWW-Authenticate": 'Basic realm="est"'})
    stranger = Trust((pki.authority("Stranger").certificate,))
    async with _client(stub, stranger, user="pump-1", password="hunter2") as client:
        with pytest.raises(Unavailable) as refused:
            await client.enroll(shapes.est_identity("pump-1").der)
    assert stub.heard == []
    assert "hunter2" not in f"{refused.value.text} {client!r} {vars(client)['_wire']!r}"


@pytest.mark.conformance("CL-18")
async def test_an_unknown_scheme_is_not_tried_again(stub: Stub, trust: Trust) -> None:
    stub.answers["simpleenroll"] = Reply(401, headers={"WWW-Authenticate": "Negotiate"})
    async with _client(stub, trust, user="pump-1", password="hunter2") as client:
        with pytest.raises(Unauthenticated, match="Negotiate"):
            await client.enroll(shapes.est_identity("pump-1").der)
    assert len(stub.heard) == 1


@pytest.mark.conformance("CL-11")
async def test_a_redirected_request_goes_nowhere_else(stub: Stub, trust: Trust) -> None:
    stub.answers["simpleenroll"] = Reply(307, headers={"Location": "https://elsewhere.example/"})
    async with _client(stub, trust) as client:
        with pytest.raises(BadAnswer, match=r"with a redirect to https://elsewhere\.example/"):
            await client.enroll(shapes.est_identity("pump-1").der)


async def test_the_servers_refusal_is_told_in_its_own_words(stub: Stub, trust: Trust) -> None:
    stub.answers["simpleenroll"] = Reply(403, b"pump-1 is not granted.\n", {"Content-Type": "text/plain"})
    async with _client(stub, trust) as client:
        with pytest.raises(Forbidden, match=r"refuses simpleenroll \(403\): pump-1 is not granted\."):
            await client.enroll(shapes.est_identity("pump-1").der)


async def test_a_certificate_for_another_key_is_refused(stub: Stub, trust: Trust, ca: pki.CA) -> None:
    stub.answers["simpleenroll"] = certs_only(ca.issue("pump-1").certificate)
    async with _client(stub, trust) as client:
        with pytest.raises(BadAnswer, match="a certificate for another key"):
            await client.enroll(shapes.est_identity("pump-1").der)


async def test_what_is_no_request_is_not_sent(stub: Stub, trust: Trust) -> None:
    async with _client(stub, trust) as client:
        with pytest.raises(Malformed):
            await client.enroll(b"0\x00")
    assert stub.heard == []


@pytest.mark.parametrize(
    "reply", [Reply(204), Reply(404), Reply(501), attributes(b"\x30\x00")], ids=["204", "404", "501", "empty"]
)
async def test_a_server_that_wants_nothing_says_so_in_many_ways(stub: Stub, trust: Trust, reply: Reply) -> None:
    stub.answers["csrattrs"] = reply
    async with _client(stub, trust) as client:
        assert await client.csrattrs() == CsrAttributes()


@pytest.mark.conformance("CL-12")
async def test_a_link_is_the_binding_of_the_session_that_stays(stub: Stub, trust: Trust) -> None:
    stub.answers["csrattrs"] = attributes(_LINK)
    async with _client(stub, trust, linkable=True) as client:
        assert (await client.csrattrs()).challenge_password
        link = client.link()
        await client.enroll(shapes.request("pump-1", attributes=[shapes.challenge(link)]).der)
    asked, enrolled = stub.heard
    assert asked.session == enrolled.session
    assert base64.b64decode(link) == enrolled.tls_unique


async def test_a_linked_request_is_not_sent_in_another_session(stub: Stub, trust: Trust) -> None:
    stub.answers["csrattrs"] = Reply(204, close=True)
    async with _client(stub, trust, linkable=True) as client:
        await client.csrattrs()
        link = client.link()
        with pytest.raises(Closed):
            await client.enroll(shapes.request("pump-1", attributes=[shapes.challenge(link)]).der)
    assert [heard.method for heard in stub.heard] == ["GET"]


async def test_a_tls_1_3_session_cannot_be_linked_to(stub: Stub, trust: Trust) -> None:
    async with _client(stub, trust) as client:
        await client.csrattrs()
        with pytest.raises(Unavailable, match=r"no TLS 1\.2 session"):
            client.link()


async def test_a_generated_key_is_asked_for(stub: Stub, trust: Trust, ca: pki.CA) -> None:
    made = ca.issue("pump-1")
    pkcs8 = made.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    kind, body = keygen.respond(
        pkcs8, encrypted=False, certs_only=pkcs7.serialize_certificates([made.certificate], Encoding.DER)
    )
    stub.answers["serverkeygen"] = Reply(200, body, {"Content-Type": kind})
    async with _client(stub, trust) as client:
        generated = await client.server_keygen(shapes.est_identity("pump-1").der)
    assert (generated.key, generated.certificate) == (pkcs8, made.certificate)


async def test_what_anybody_shows_is_fetched_without_a_word_about_us(stub: Stub, ca: pki.CA) -> None:
    assert list(await fetch_unverified(stub.url, None)) == [ca.certificate]
    assert "Authorization" not in stub.heard[0].headers


def test_a_user_with_a_colon_cannot_be_sent(trust: Trust) -> None:
    with pytest.raises(SettingsError, match="no colon"):
        ESTClient("https://est.example", trust, user="a:b", password="c")


def _spki(key: object) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))  # type: ignore[attr-defined]
