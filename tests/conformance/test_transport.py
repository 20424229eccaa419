"""Transport and TLS: who may connect, how, and what a handshake is worth."""

import socket
import ssl
from datetime import timedelta

import pytest
from cryptography import x509

from support.device import Device, Identity, ask, client_context, wrapped
from support.hello import HANDSHAKE_FAILURE, answer_to
from support.openssl import s_client
from support.proving import DAY, NAMES, NOW, REVOKED_SERIAL, Place
from support.shapes import est_identity
from support.signing import CLIENT, SERVER

_V12, _V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
_REFUSED = {"TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "403"}
_GOOD_SUITE = 0xC02B  # ECDHE-ECDSA-AES128-GCM-SHA256
_FORBIDDEN_SUITES = {
    "no encryption": (0x0001, 0x0002, 0x003B, 0xC006, 0xC010),
    "no authentication": (0x0018, 0x001B, 0x0034, 0x006C, 0x00A6, 0xC018),
    "export": (0x0003, 0x0006, 0x0008, 0x000B, 0x0014),
    "DES": (0x0009, 0x000C, 0x0015, 0x000A, 0x0016, 0xC008, 0xC012),
}
_WEAK_SUITES = {
    "CBC": (0xC009, 0xC00A, 0xC013, 0xC014, 0xC023, 0xC024, 0xC027),
    "static RSA": (0x002F, 0x0035, 0x003C, 0x009C, 0x009D),
    "RC4": (0x0004, 0x0005, 0xC007, 0xC011),
}
_WITHOUT_CERTIFICATES = {"SRP": (0xC01D, 0xC01E, 0xC020, 0xC021), "PSK": (0x00A8, 0x00AE, 0x008C, 0xC035, 0xD001)}


def _verdict(device: Device, name: str) -> str:
    """The alert that ends the handshake, or the status of an enrollment."""
    try:
        return str(device.enroll(est_identity(name)).status)
    except ssl.SSLError as error:
        return str(error.reason)


@pytest.mark.conformance("TLS-1")
def test_plain_http_is_neither_answered_nor_redirected(plant: Place) -> None:
    with socket.create_connection(("localhost", plant.server.port), timeout=10) as connection:
        connection.sendall(b"GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n")
        heard = connection.recv(4096)
    assert b"HTTP/1" not in heard or heard.startswith(b"HTTP/1.1 400")


@pytest.mark.conformance("TLS-2")
def test_tls_1_1_is_refused(plant: Place) -> None:
    told = s_client(plant.server.port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert "alert protocol version" in told


@pytest.mark.conformance("TLS-2")
@pytest.mark.parametrize("version", [_V12, _V13])
def test_tls_1_2_and_1_3_connect(stranger: Device, version: ssl.TLSVersion) -> None:
    assert stranger.but(tls=version).get("cacerts").status == 200


@pytest.mark.conformance("TLS-3")
@pytest.mark.parametrize("suites", _FORBIDDEN_SUITES.values(), ids=_FORBIDDEN_SUITES.keys())
def test_suites_that_protect_nothing_are_refused(plant: Place, suites: tuple[int, ...]) -> None:
    assert answer_to(plant.server.port, suites) == ("alert", HANDSHAKE_FAILURE)
    assert answer_to(plant.server.port, (*suites, _GOOD_SUITE)) == ("suite", _GOOD_SUITE)


@pytest.mark.conformance("TLS-4")
@pytest.mark.parametrize("suites", _WEAK_SUITES.values(), ids=_WEAK_SUITES.keys())
def test_only_ephemeral_keys_and_aead_on_tls_1_2(plant: Place, suites: tuple[int, ...]) -> None:
    assert answer_to(plant.server.port, suites) == ("alert", HANDSHAKE_FAILURE)


@pytest.mark.conformance("TLS-4")
def test_compression_is_not_chosen(plant: Place) -> None:
    assert answer_to(plant.server.port, (_GOOD_SUITE,), compressions=b"\x01\x00") == ("suite", _GOOD_SUITE)


@pytest.mark.conformance("TLS-4")
def test_extended_master_secret_is_used_where_offered(plant: Place) -> None:
    assert "Extended master secret: yes" in s_client(plant.server.port, "-tls1_2")


@pytest.mark.conformance("TLS-5")
@pytest.mark.parametrize("version", [_V12, _V13])
def test_a_session_offered_again_is_not_resumed(plant: Place, version: ssl.TLSVersion) -> None:
    context = client_context(plant.server.ca_file, plant.enrolled("resumes").identity, version)
    first, _ = _handshake(plant, context, None)
    _, resumed = _handshake(plant, context, first)
    assert not resumed


@pytest.mark.conformance("TLS-6")
def test_the_server_certificate_holds_its_names(plant: Place) -> None:
    context = client_context(plant.server.ca_file, None)
    with (
        socket.create_connection(("localhost", plant.server.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as session,
    ):
        shown = x509.load_der_x509_certificate(session.getpeercert(binary_form=True) or b"")
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    shown_names = [str(name.value) for name in names]
    assert sorted(shown_names) == sorted(NAMES)


@pytest.mark.conformance("TLS-6")
def test_a_client_that_expects_another_name_turns_away(plant: Place) -> None:
    context = client_context(plant.server.ca_file, None)
    with (
        socket.create_connection(("localhost", plant.server.port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="mismatch"),
    ):
        context.wrap_socket(plain, server_hostname="elsewhere.example")


@pytest.mark.conformance("TLS-7")
def test_a_certificate_is_asked_for_but_not_required(plant: Place) -> None:
    assert "Acceptable client certificate CA names" in s_client(plant.server.port)
    assert plant.stranger.get("cacerts").status == 200
    assert plant.stranger.enroll(est_identity("nobody")).status == 401


@pytest.mark.conformance("TLS-8")
@pytest.mark.parametrize("version", [_V12, _V13])
def test_a_certificate_signed_by_itself_is_refused(plant: Place, version: ssl.TLSVersion) -> None:
    alien = plant.factory.ca.sign("alien", extensions=(CLIENT,), start=NOW - DAY, end=NOW + DAY)
    itself = alien.sign("alien", extensions=(CLIENT,), start=NOW - DAY, end=NOW + DAY, key=alien.key)
    device = plant.stranger.but(identity=Identity(itself.certificate, alien.key), tls=version)
    assert _verdict(device, "alien") in _REFUSED


@pytest.mark.conformance("TLS-8")
@pytest.mark.parametrize("version", [_V12, _V13])
def test_an_expired_certificate_is_refused_with_a_sentence(plant: Place, version: ssl.TLSVersion) -> None:
    device = plant.from_factory("late", start=NOW - 2 * DAY, end=NOW - DAY).but(tls=version)
    answer = device.enroll(est_identity("late"))
    assert answer.status == 401
    assert "The certificate presented expired at" in answer.text


@pytest.mark.conformance("TLS-8")
def test_a_certificate_that_is_not_yet_valid_is_refused_with_a_sentence(plant: Place) -> None:
    answer = plant.from_factory("early", start=NOW + timedelta(hours=1), end=NOW + DAY).enroll(est_identity("early"))
    assert answer.status == 401
    assert "is valid from" in answer.text


@pytest.mark.conformance("TLS-8")
def test_a_certificate_below_an_expired_ca_is_refused(plant: Place) -> None:
    old = plant.factory.ca.sign("Old CA", ca=True, start=NOW - 2 * DAY, end=NOW - DAY)
    leaf = old.sign("below-old", extensions=(CLIENT,), start=NOW - DAY, end=NOW + DAY)
    device = plant.stranger.but(identity=Identity(leaf.certificate, leaf.key, (old.certificate,)))
    assert _verdict(device, "below-old") == "SSLV3_ALERT_CERTIFICATE_EXPIRED"


@pytest.mark.conformance("TLS-8")
def test_a_certificate_below_a_ca_that_is_not_yet_valid_is_refused(plant: Place) -> None:
    new = plant.factory.ca.sign("New CA", ca=True, start=NOW + timedelta(hours=1), end=NOW + DAY)
    leaf = new.sign("below-new", extensions=(CLIENT,), start=NOW - DAY, end=NOW + DAY)
    device = plant.stranger.but(identity=Identity(leaf.certificate, leaf.key, (new.certificate,)))
    assert _verdict(device, "below-new") == "401"


@pytest.mark.conformance("TLS-8")
def test_what_a_certificate_without_ca_bit_signed_is_refused(plant: Place) -> None:
    middle = plant.factory.ca.sign("middle", extensions=(CLIENT,), start=NOW - DAY, end=NOW + DAY)
    leaf = middle.sign("below", extensions=(CLIENT,), start=NOW - DAY, end=NOW + DAY)
    device = plant.stranger.but(identity=Identity(leaf.certificate, leaf.key, (middle.certificate,)))
    assert _verdict(device, "below") in _REFUSED


@pytest.mark.conformance("TLS-8")
def test_a_path_longer_than_a_ca_allows_is_refused(plant: Place) -> None:
    first = plant.factory.ca.sign("First CA", ca=True, path_length=0, start=NOW - DAY, end=NOW + DAY)
    second = first.sign("Second CA", ca=True, start=NOW - DAY, end=NOW + DAY)
    leaf = second.sign("deep", extensions=(CLIENT,), start=NOW - DAY, end=NOW + DAY)
    chain = (second.certificate, first.certificate)
    device = plant.stranger.but(identity=Identity(leaf.certificate, leaf.key, chain))
    assert _verdict(device, "deep") in _REFUSED


@pytest.mark.conformance("TLS-8")
def test_a_name_outside_the_constraints_of_its_ca_is_refused(plant: Place) -> None:
    within = x509.NameConstraints([x509.DNSName("line.example")], None)
    middle = plant.factory.ca.sign("Line CA", ca=True, extensions=(within,), start=NOW - DAY, end=NOW + DAY)
    names = x509.SubjectAlternativeName([x509.DNSName("office.example")])
    leaf = middle.sign("outside", extensions=(CLIENT, names), start=NOW - DAY, end=NOW + DAY)
    device = plant.stranger.but(identity=Identity(leaf.certificate, leaf.key, (middle.certificate,)))
    assert _verdict(device, "outside") in _REFUSED


@pytest.mark.conformance("TLS-9")
def test_a_factory_certificate_onboards_and_renews_nothing(plant: Place) -> None:
    device = plant.from_factory("new-1")
    assert device.enroll(est_identity("new-1")).status == 200
    assert device.reenroll(est_identity("new-1")).status == 403


@pytest.mark.conformance("TLS-10")
def test_renegotiation_is_refused(plant: Place) -> None:
    told = s_client(plant.server.port, "-tls1_2", say=b"R\n")
    assert "RENEGOTIATING" in told
    assert "no renegotiation" in told


@pytest.mark.conformance("TLS-11")
@pytest.mark.parametrize("suites", _WITHOUT_CERTIFICATES.values(), ids=_WITHOUT_CERTIFICATES.keys())
def test_tls_without_certificates_is_not_offered(plant: Place, suites: tuple[int, ...]) -> None:
    assert answer_to(plant.server.port, suites) == ("alert", HANDSHAKE_FAILURE)


@pytest.mark.conformance("TLS-12")
def test_a_revoked_certificate_is_refused_on_an_open_connection_too(plant: Place) -> None:
    device = plant.enrolled("stolen")
    assert device.identity is not None
    connection = device.connect()
    renewal = wrapped(est_identity("stolen").der)
    headers = {"Content-Type": "application/pkcs10"}
    assert ask(connection, "POST", device.path("simpleenroll"), renewal, headers).status == 200
    plant.server.revoke(device.identity)
    answer = ask(connection, "POST", device.path("simpleenroll"), renewal, headers)
    connection.close()
    assert (answer.status, device.enroll(est_identity("stolen")).status) == (403, 403)
    assert "revoked" in answer.text


@pytest.mark.conformance("TLS-12")
def test_a_factory_certificate_on_a_revocation_list_is_refused(plant: Place) -> None:
    assert plant.from_factory("lost", serial=REVOKED_SERIAL).enroll(est_identity("lost")).status == 403


@pytest.mark.conformance("TLS-12")
def test_a_required_revocation_list_that_is_out_of_date_lets_nobody_in(plant: Place) -> None:
    device = plant.stranger.but(identity=plant.strict_factory.make("careful"))
    answer = device.enroll(est_identity("careful"))
    assert answer.status == 503
    assert (answer["Retry-After"] or "").isdigit()


@pytest.mark.conformance("TLS-13")
@pytest.mark.parametrize("version", [_V12, _V13])
def test_a_client_that_sends_its_certificate_alone_is_known(plant: Place, version: ssl.TLSVersion) -> None:
    name = f"leaf-only-{version.name[-1]}"
    device = plant.enrolled(name).but(tls=version)
    assert device.identity is not None
    assert device.identity.chain == ()
    assert device.enroll(est_identity(name)).certificate.issuer == plant.issuing.certificate.subject


@pytest.mark.conformance("TLS-14")
def test_a_certificate_for_servers_only_is_refused(plant: Place) -> None:
    assert _verdict(plant.from_factory("server-only", SERVER), "server-only") == "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"


@pytest.mark.conformance("TLS-14")
def test_a_certificate_without_purposes_passes_unless_switched_off(plant: Place) -> None:
    bare = x509.SubjectKeyIdentifier(b"bare")
    assert plant.from_factory("bare-1", bare).enroll(est_identity("bare-1")).status == 200
    strict = plant.stranger.but(identity=plant.strict_factory.make("bare-2", bare))
    assert strict.enroll(est_identity("bare-2")).status in {401, 403}


@pytest.mark.conformance("TLS-15")
def test_an_expired_factory_certificate_does_not_onboard(plant: Place) -> None:
    device = plant.from_factory("outlived", start=NOW - 2 * DAY, end=NOW - DAY)
    assert _verdict(device, "outlived") == "401"
    assert device.but(user=plant.line.user).enroll(est_identity("outlived")).status == 200


@pytest.mark.conformance("TLS-16")
def test_the_handshake_names_the_cas_of_clients_only(plant: Place) -> None:
    told = s_client(plant.server.port)
    names = told.partition("Acceptable client certificate CA names\n")[2].partition("Requested Signature")[0]
    listed = [line.partition("=")[2].strip() for line in names.splitlines()]
    assert sorted(listed) == ["Factory", "Plant Issuing CA", "Strict Factory", "Works Factory"]


def _handshake(
    plant: Place, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[ssl.SSLSession | None, bool]:
    """Connect, hear an answer (TLS 1.3 sends tickets before it), and leave in good order, as whoever resumes does."""
    with (
        socket.create_connection(("localhost", plant.server.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost", session=session) as connection,
    ):
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        session, resumed = connection.session, bool(connection.session_reused)
        connection.unwrap()
        return session, resumed
