"""A registration authority, seen from below and from above: what goes up, what does not, and what comes down."""

import base64
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.conveyance import Conveyance
from nestor.est import csrattrs
from nestor.est.conveying import write_conveyance
from nestor.est.csrattrs import CsrAttributes
from support import pki
from support.device import Device, wrapped
from support.layers import PASSWORD, USER, Above, Forwarder, Makers, nestor_upstream, until
from support.server import Server
from support.shapes import CMC_RA, Request, broken, device_identity, est_identity
from support.stub import Heard, Reply, attributes, certs_only

pytestmark = pytest.mark.xdist_group("forwarding")

_ASKED = csrattrs.encode(CsrAttributes(signature_hash="sha384"))
_KEYS = {"profile": "deviceIdentity", "serverKeyGeneration": {"enabled": True}}
_FORGED = pki.authority("Forger").issue("pump-9")


@dataclass(frozen=True)
class Site:
    """Two forwarders one above the other, and what stands above both."""

    above: Above
    upper: Forwarder
    lower: Forwarder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("site")
    makers = Makers(place)
    labels = {"labels": {"here": {"authority": "local"}, "linked": {"linking": True}, "dead-end": {}, "keys": _KEYS}}
    with Above(place / "above", makers) as above:
        above.answers["line1/simpleenroll"] = above.answers["simpleenroll"]
        above.answers["csrattrs"] = above.answers["line1/csrattrs"] = attributes(_ASKED)
        upstream = {
            "url": above.base,
            "anchors": f"file:{above.anchor}",
            **makers.certify("upper"),
            "labels": {"default": "default", "linked": "line1", "keys": "line1"},
        }
        with Forwarder(place / "n1", upstream, {**makers.listed("lower"), **labels}) as upper:
            upper.ready()
            below = nestor_upstream(upper, upper.ca_file, makers.certify("lower"))
            with Forwarder(place / "n2", below) as lower:
                yield Site(above, upper, lower.ready())


@pytest.fixture
def line(site: Site) -> Device:
    return site.upper.line()


def _conveyed(heard: Heard) -> list[bytes]:
    return [base64.b64decode(value.strip(":")) for value in heard.headers.get_all("Client-Cert", [])]


@pytest.mark.conformance("RA-1", "CL-16")
def test_the_request_goes_up_as_it_came_in_the_form_that_every_server_takes(site: Site, line: Device) -> None:
    request = est_identity("pump-1")
    with site.above.hearing() as heard:
        assert line.enroll(request).status == 200
    (sent,) = heard
    assert base64.b64decode(sent.body) == request.der
    assert sent.headers["Content-Type"] == "application/pkcs10"
    assert sent.headers["Content-Length"] == str(len(sent.body))
    assert {len(row) for row in sent.body.splitlines()[:-1]} == {64}


@pytest.mark.conformance("RA-2")
@pytest.mark.parametrize("flaw", ["signature", "password", "nobody", "label", "body", "binding"])
def test_what_is_refused_here_is_not_heard_of_above(flaw: str, site: Site, line: Device) -> None:
    request = est_identity("pump-2")
    with site.above.hearing() as heard:
        match flaw:
            case "signature":
                answer, status = line.enroll(Request(broken(request), request.key)), 400
            case "password":
                answer, status = line.but(user=(USER, "wrong")).enroll(request), 401
            case "nobody":
                answer, status = line.but(user=None).enroll(request), 401
            case "label":
                answer, status = line.but(label="unheard-of").enroll(request), 404
            case "body":
                answer, status = line.post("simpleenroll", b"no request"), 400
            case _:
                answer, status = line.but(label="linked").enroll(request), 400
    assert answer.status == status
    assert heard == []


@pytest.mark.conformance("RA-3")
def test_the_forwarder_shows_that_it_speaks_for_others(site: Site, line: Device) -> None:
    with site.above.hearing() as heard:
        assert line.enroll(est_identity("pump-3")).status == 200
    certificate = x509.load_der_x509_certificate(heard[0].peer or b"")
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(purposes) == {ExtendedKeyUsageOID.CLIENT_AUTH, CMC_RA}


@pytest.mark.conformance("RA-4")
def test_a_device_that_conveys_somebody_is_refused_and_nobody_hears_of_it(site: Site, line: Device) -> None:
    ((name, value),) = write_conveyance(Conveyance(certificate=_FORGED.certificate), 0)
    with site.above.hearing() as heard:
        answer = line.but(headers={name: value}).enroll(est_identity("pump-9"))
    assert answer.status == 400
    assert heard == []


@pytest.mark.conformance("RA-4", "RA-6")
def test_the_certificate_of_the_session_is_conveyed_and_none_where_there_is_none(site: Site, line: Device) -> None:
    with site.above.hearing() as heard:
        identity = line.enrolled(est_identity("pump-4"))
        device = site.upper.device(identity=identity)
        assert device.enroll(device_identity("pump-4")).status == 200
        assert _resumed(site.upper, device, device_identity("pump-4")) == 200
    assert [_conveyed(one) for one in heard] == [[], *([[identity.certificate.public_bytes(Encoding.DER)]] * 2)]
    assert 'user="line"' in heard[0].headers["Nestor-Requester"]


def _resumed(server: Server, device: Device, request: Request) -> int:
    """The status of an enrollment in a session that the client tried to resume."""
    context = device.but(tls=ssl.TLSVersion.TLSv1_2)._context()
    first = _session(server, context)
    body = wrapped(request.der)
    head = f"POST {device.path('simpleenroll')} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += f"Content-Type: application/pkcs10\r\nContent-Length: {len(body)}\r\n\r\n"
    session = first.session
    first.close()
    with _session(server, context, session) as secured:
        secured.sendall(head.encode() + body)
        return int(secured.recv(64).split()[1])


def _session(server: Server, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    plain = socket.create_connection(("localhost", server.port))
    return context.wrap_socket(plain, server_hostname="localhost", session=session)


@pytest.mark.conformance("RA-5")
def test_two_hops_higher_the_certificate_of_the_device_is_the_same_to_the_byte(site: Site) -> None:
    with site.above.hearing() as heard:
        identity = site.lower.line().enrolled(est_identity("pump-5"))
        assert site.lower.device(identity=identity).enroll(device_identity("pump-5")).status == 200
    assert _conveyed(heard[1]) == [identity.certificate.public_bytes(Encoding.DER)]
    assert len(heard[1].headers["Nestor-Hops"].split(",")) == 2
    left = [int(one.headers["Nestor-Deadline"]) for one in heard]
    assert all(9000 < one < 12_000 for one in left)


@pytest.mark.conformance("RA-7", "RA-8", "RA-17")
def test_no_other_word_about_identities_goes_up_and_no_password_anywhere(site: Site, line: Device) -> None:
    words = ("x-ms-edge-clientcert", "X-Forwarded-Client-Cert", "X-SSL-Client-Cert", "Forwarded", "X-Forwarded-For")
    with site.above.hearing() as heard:
        assert line.but(headers=dict.fromkeys(words, "marked")).enroll(est_identity("pump-6")).status == 200
    assert "marked" not in str(heard[0].headers)
    assert "Authorization" not in heard[0].headers
    assert PASSWORD not in str(heard[0].headers)
    kept = b"".join(path.read_bytes() for path in site.upper.data.rglob("*") if path.is_file())
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert basic not in site.upper.log()
    assert f"{USER}:{PASSWORD}" not in site.upper.log()
    assert basic.encode() not in kept


@pytest.mark.conformance("RA-10")
def test_a_label_goes_where_the_map_says_and_nowhere_else(site: Site, line: Device) -> None:
    with site.above.hearing() as heard:
        assert line.but(label="dead-end").enroll(est_identity("pump-7")).status == 404
        assert line.but(label="dead-end").get("cacerts").status == 404
    assert heard == []
    assert "line1/csrattrs" in "".join(one.path for one in site.above.heard)


@pytest.mark.conformance("KG-10")
def test_no_key_is_made_above_for_a_device_and_nobody_hears_of_the_wish(site: Site, line: Device) -> None:
    with site.above.hearing() as heard:
        for label in (None, "keys"):
            answer = line.but(label=label).post("serverkeygen", wrapped(device_identity("pump-7").der))
            assert (answer.status, "Make the key on the device." in answer.text) == (501, True)
    assert heard == []


@pytest.mark.conformance("RA-12")
def test_csr_attributes_come_down_byte_by_byte_and_with_the_link_where_the_path_wants_it(
    site: Site, line: Device
) -> None:
    assert line.get("csrattrs").der == _ASKED
    asked = csrattrs.decode(line.but(label="linked").get("csrattrs").der)
    assert asked.challenge_password
    assert asked.signature_hash == "sha384"


@pytest.mark.conformance("RA-13")
def test_of_a_chain_only_the_certificate_goes_down(site: Site, line: Device) -> None:
    site.above.enrolled = lambda certificate: certs_only(site.above.ca.certificate, certificate)
    try:
        request = est_identity("pump-8")
        assert line.enroll(request).certificate.public_key() == request.key.public_key()
    finally:
        site.above.enrolled = certs_only


@pytest.mark.conformance("RA-13")
@pytest.mark.parametrize("wrong", ["key", "name", "issuer", "ended", "ca", "purpose"])
def test_a_certificate_that_is_not_what_was_asked_for_does_not_go_down(wrong: str, site: Site, line: Device) -> None:
    changes = {
        "key": {"key": ec.generate_private_key(ec.SECP256R1()).public_key()},
        "name": {"subject": x509.Name.from_rfc4514_string("CN=pump-99")},
        "issuer": {"ca": pki.authority("Somebody")},
        "ended": {"start": pki.yesterday().replace(year=2020)},
        "ca": {"extensions": [x509.BasicConstraints(ca=True, path_length=0)]},
        "purpose": {"extensions": [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])]},
    }[wrong]
    site.above.issue = lambda csr: site.above.certify(csr, **changes)
    try:
        answer = line.enroll(est_identity("pump-10"))
    finally:
        site.above.issue = site.above.certify
    assert answer.status == 502
    assert "not handed down" in answer.text or "another key" in answer.text


@pytest.mark.conformance("RA-16")
def test_what_was_captured_on_the_way_is_worth_nothing_on_another_session(site: Site) -> None:
    with site.above.hearing() as heard:
        request = est_identity("pump-11")
        assert site.lower.line().enroll(request).status == 200
    captured = {name: heard[0].headers[name] for name in ("Nestor-Requester", "Nestor-Hops", "Idempotency-Key")}
    assert site.upper.device(headers=captured).enroll(request).status == 400
    other = site.upper.line().enrolled(est_identity("pump-12"))
    assert site.upper.device(identity=other, headers=captured).enroll(request).status == 400


@pytest.mark.conformance("RA-18")
def test_the_server_certificate_is_a_servers_and_the_client_certificate_a_forwarders(site: Site, line: Device) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(site.upper.ca_file)
    with _session(site.upper, context) as session:
        shown = x509.load_der_x509_certificate(session.getpeercert(binary_form=True) or b"")
    purposes = shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.SERVER_AUTH in purposes
    assert CMC_RA not in purposes
    assert shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    with site.above.hearing() as heard:
        line.enroll(est_identity("pump-13"))
    client = x509.load_der_x509_certificate(heard[0].peer or b"")
    assert CMC_RA in client.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    with pytest.raises(x509.ExtensionNotFound):
        client.extensions.get_extension_for_class(x509.SubjectAlternativeName)


@pytest.mark.conformance("RA-11")
def test_another_root_above_is_not_shown_below_and_the_operator_hears_of_it(site: Site, line: Device) -> None:
    before = line.get("cacerts").certificates
    usual = site.above.answers["cacerts"]
    other = pki.authority("Foreign Root")
    site.above.answers["cacerts"] = certs_only(other.certificate)
    try:
        until(lambda: "does not vouch for it" in site.upper.log(), 30)
    finally:
        site.above.answers["cacerts"] = usual
    assert line.get("cacerts").certificates == before


@pytest.mark.conformance("CL-18")
def test_a_scheme_that_is_not_known_here_is_not_answered(site: Site, line: Device) -> None:
    usual = site.above.answers["simpleenroll"]
    site.above.answers["simpleenroll"] = Reply(401, b"", {"WWW-Authenticate": "Negotiate"})
    try:
        with site.above.hearing() as heard:
            assert line.enroll(est_identity("pump-14")).status == 502
    finally:
        site.above.answers["simpleenroll"] = usual
    assert len(heard) == 1
