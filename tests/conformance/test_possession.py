"""Proof of possession and TLS: requests that are linked to their session, and codes instead of bindings."""

import base64
import socket
import ssl
from collections.abc import Callable

import pytest

from support.device import HOST, Device, client_context, wrapped
from support.proving import Place
from support.shapes import Request, challenge, client_auth, est_identity, request
from support.wire import enrollment, hear

_V12 = ssl.TLSVersion.TLSv1_2
_CHALLENGE_PASSWORD_ONLY = b"MAsGCSqGSIb3DQEJBw=="


def _linked(name: str) -> Callable[[str], Request]:
    """How to make a request that carries a binding."""
    return lambda binding: request(name, None, [client_auth()], [challenge(binding)])


@pytest.mark.conformance("POP-1", "POP-2")
def test_a_request_is_linked_by_tls_unique_on_tls_1_2(line: Device) -> None:
    assert line.but(tls=_V12).enroll_linked(_linked("linked-12"), "tls-unique").status == 200


@pytest.mark.conformance("POP-1", "POP-4")
def test_a_request_is_linked_by_tls_exporter_on_tls_1_3(line: Device) -> None:
    assert line.enroll_linked(_linked("linked-13"), "tls-exporter").status == 200


@pytest.mark.conformance("POP-2", "POP-7")
@pytest.mark.parametrize("version", [_V12, ssl.TLSVersion.TLSv1_3])
def test_the_binding_of_another_session_is_refused(plant: Place, version: ssl.TLSVersion) -> None:
    foreign = base64.b64encode(bytes(12 if version == _V12 else 32)).decode()
    for device in (plant.line, plant.enrolled("foreign")):
        answer = device.but(tls=version).enroll(_linked("foreign")(foreign))
        assert answer.status == 400
        assert "linked" in answer.text


@pytest.mark.conformance("POP-3")
def test_a_label_that_requires_linking_says_so_and_holds_to_it(line: Device) -> None:
    device = line.but(label="linked")
    assert device.get("csrattrs").body.strip() == _CHALLENGE_PASSWORD_ONLY
    assert device.enroll(est_identity("unlinked")).status == 400
    assert device.enroll_linked(_linked("linked"), "tls-exporter").status == 200
    assert device.but(tls=_V12).enroll_linked(_linked("linked"), "tls-unique").status == 200


@pytest.mark.conformance("POP-4")
def test_a_finished_message_is_no_binding_on_tls_1_3(line: Device) -> None:
    assert line.enroll_linked(_linked("finished"), "tls-unique").status == 400


@pytest.mark.conformance("POP-5")
def test_tls_unique_is_the_first_finished_message_where_a_client_tried_to_resume(line: Device) -> None:
    context = client_context(line.ca_file, None, _V12)
    session = _enroll(line, context, None)
    _enroll(line, context, session)


@pytest.mark.conformance("POP-6")
def test_on_a_label_set_so_a_challenge_password_is_a_code(plant: Place) -> None:
    plant.server.add_user("code-1", "7Q2-onetime", one_time=True)
    device = plant.stranger.but(label="code")
    coded = [request("code-1", None, [client_auth()], [challenge(code)]) for code in ("7Q2-onetime", "7Q2-guessed")]
    assert [device.enroll(asked).status for asked in coded] == [200, 401]
    assert plant.line.enroll(coded[0]).status == 400, "elsewhere it is a binding, and a wrong one"


def _enroll(line: Device, context: ssl.SSLContext, session: ssl.SSLSession | None) -> ssl.SSLSession | None:
    """Enroll with the binding of a connection that offers to resume a session; the session that it leaves."""
    with (
        socket.create_connection((HOST, line.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=HOST, session=session) as connection,
    ):
        binding = base64.b64encode(connection.get_channel_binding("tls-unique") or b"").decode()
        body = wrapped(_linked("resumer")(binding).der)
        connection.sendall(enrollment(line, len(body)) + body)
        assert hear(connection).startswith(b"HTTP/1.1 200 ")
        return connection.session
