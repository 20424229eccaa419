"""Status codes and error bodies: what a client learns when it does not get what it wants."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from support.answers import read_answer
from support.der import sequence
from support.device import BASE, Device, ask, wrapped
from support.process import wait_for
from support.proving import PASSWORD, Place
from support.server import Server
from support.shapes import broken, challenge, est_identity, request
from support.wire import enrollment, hear, say, session

_CLOSE = "Host: localhost\r\nConnection: close"
_SPOILED = {
    "not base64": b"certificate, please\n",
    "not DER": wrapped(b"certificate, please"),
    "bytes left over": wrapped(est_identity("spoiled").der + b"\x00"),
    "broken signature": wrapped(broken(est_identity("spoiled"))),
    "wrong binding": wrapped(request("spoiled", attributes=[challenge("AAECAwQFBgcICQoL")]).der),
    "nothing": b"",
}

_STRANGE = {
    "no such path": ("GET /nowhere HTTP/1.1", 404),
    "no such label": (f"GET {BASE}/no-such-label/cacerts HTTP/1.1", 404),
    "wrong method": (f"GET {BASE}/simpleenroll HTTP/1.1", 405),
    "too large": (f"POST {BASE}/simpleenroll HTTP/1.1\r\nContent-Length: 70000", 413),
    "wrong type": (f"POST {BASE}/simpleenroll HTTP/1.1\r\nContent-Type: text/html\r\nContent-Length: 0", 415),
    "full CMC": (f"POST {BASE}/fullcmc HTTP/1.1\r\nContent-Length: 0", 501),
    "no HTTP": ("GARBAGE <script>", 400),
    "two hosts": ("GET / HTTP/1.1\r\nHost: twice", 400),
}


@pytest.mark.conformance("HTTP-1")
@pytest.mark.parametrize("operation", ["simpleenroll", "simplereenroll"])
def test_success_is_200(plant: Place, operation: str) -> None:
    assert plant.enrolled("happy").enroll(est_identity("happy"), operation).status == 200


@pytest.mark.conformance("HTTP-2")
def test_a_failure_is_explained_in_text(line: Device) -> None:
    answer = line.post("simpleenroll", b"garbage!")
    assert (answer.status, (answer["Content-Type"] or "").partition(";")[0]) == (400, "text/plain")
    assert "base64" in answer.text
    assert not any(inside in answer.text for inside in ("Traceback", ".py", PASSWORD))


@pytest.mark.conformance("HTTP-2")
def test_what_a_body_calls_a_request_the_log_calls_so_too(tmp_path: Path) -> None:
    """And nothing that came in is sent back. The server is fresh, since no log tells of everything for ever."""
    with Server(tmp_path, {}) as server:
        for what, (start, status) in _STRANGE.items():
            answer = read_answer(say(server.device(), f"{start}\r\n{_CLOSE}\r\n\r\n".encode()))
            assert (answer.status, answer["Server"]) == (status, "Nestor"), what
            request_id = answer.text.rpartition("(request ")[2].rstrip(")\n")
            assert request_id
            assert "script" not in answer.text
            wait_for(lambda told=f"request={request_id}": told in server.log(), 2)


@pytest.mark.conformance("HTTP-3", "HTTP-6")
@pytest.mark.parametrize("body", _SPOILED.values(), ids=_SPOILED.keys())
def test_what_is_no_good_request_is_400_and_text(line: Device, body: bytes) -> None:
    answer = line.post("simpleenroll", body)
    assert (answer.status, (answer["Content-Type"] or "").partition(";")[0]) == (400, "text/plain")


@pytest.mark.conformance("HTTP-4")
def test_401_carries_a_challenge(stranger: Device) -> None:
    answer = stranger.but(label="by-password").enroll(est_identity("who"))
    assert (answer.status, answer["WWW-Authenticate"]) == (401, 'Basic realm="Nestor EST", charset="UTF-8"')


@pytest.mark.conformance("HTTP-4")
def test_where_no_password_helps_it_is_403_without_challenge(stranger: Device) -> None:
    answer = stranger.but(label="by-certificate").enroll(est_identity("who"))
    assert (answer.status, answer["WWW-Authenticate"]) == (403, None)


@pytest.mark.conformance("HTTP-5")
def test_who_is_known_and_asks_for_the_name_of_another_is_403(plant: Place) -> None:
    answer = plant.enrolled("one").enroll(est_identity("another"))
    assert answer.status == 403
    assert "another" in answer.text


@pytest.mark.conformance("HTTP-7")
def test_another_media_type_is_415(line: Device) -> None:
    answer = line.post("simpleenroll", wrapped(est_identity("typed").der), Content_Type="application/json")
    assert answer.status == 415


@pytest.mark.conformance("HTTP-7")
def test_a_body_without_media_type_is_taken_as_the_right_one(line: Device) -> None:
    assert line.ask("POST", line.path("simpleenroll"), wrapped(est_identity("untyped").der)).status == 200


@pytest.mark.conformance("HTTP-8")
@pytest.mark.parametrize("accepted", ["text/html", "text/plain", "application/json;q=1, */*;q=0"])
def test_accept_is_ignored(line: Device, accepted: str) -> None:
    assert line.get("cacerts", Accept=accepted).status == 200
    assert line.but(headers={"Accept": accepted}).enroll(est_identity("accepting")).status == 200


@pytest.mark.conformance("HTTP-9")
def test_a_body_that_is_too_large_is_413(line: Device) -> None:
    assert line.post("simpleenroll", b"A" * 70_000).status == 413


@pytest.mark.conformance("HTTP-9")
def test_a_body_in_chunks_that_is_too_large_is_413_before_it_ends(line: Device) -> None:
    chunk = b"4000\r\n" + b"A" * 0x4000 + b"\r\n"
    with session(line) as connection:
        connection.sendall(enrollment(line, None, "Transfer-Encoding: chunked") + 5 * chunk)
        heard = hear(connection)
    assert heard.startswith(b"HTTP/1.1 413 ")


@pytest.mark.conformance("HTTP-9")
def test_a_body_in_chunks_that_is_large_enough_for_any_request_is_read(line: Device) -> None:
    chunk = b"4000\r\n" + b"\n" * 0x4000 + b"\r\n"
    body = wrapped(est_identity("roomy").der)
    whole = 3 * chunk + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    assert read_answer(say(line, enrollment(line, None, "Transfer-Encoding: chunked") + whole)).status == 200


@pytest.mark.conformance("HTTP-9")
def test_deeply_nested_asn1_is_refused_at_once(line: Device) -> None:
    nested = b"\x05\x00"
    for _ in range(10_000):
        nested = sequence(nested)
    began = time.monotonic()
    answer = line.post("simpleenroll", wrapped(nested[:48_000]))
    assert (answer.status, time.monotonic() - began < 2) == (400, True)


@pytest.mark.conformance("HTTP-11", "CA-9")
def test_a_server_that_cannot_issue_says_503_and_goes_on_showing_its_ca(desk: Server) -> None:
    line = desk.device(user=("line", PASSWORD))
    shown = line.get("cacerts").certificates
    assert line.enroll(est_identity("before")).status == 200
    with _without_ca_key(desk):
        answer = line.enroll(est_identity("after"))
        assert (answer.status, (answer["Retry-After"] or "").isdigit()) == (503, True)
        assert line.get("cacerts").certificates == shown
        assert line.ask("GET", "/readyz").status == 503
        assert line.ask("GET", "/healthz").status == 200


@pytest.mark.conformance("HTTP-11", "AUTH-7")
def test_too_many_wrong_passwords_are_429_and_a_right_one_still_passes(layer: Place) -> None:
    guessing = layer.stranger.but(user=("line", "guess"))
    answers = [guessing.enroll(est_identity("guessed")) for _ in range(22)]
    assert [answer.status for answer in answers[:20]] == [401] * 20
    assert answers[-1].status == 429
    assert (answers[-1]["Retry-After"] or "").isdigit()
    assert layer.line.enroll(est_identity("known")).status == 200


@pytest.mark.conformance("HTTP-12", "CSR-2")
def test_a_path_that_asks_for_nothing_answers_an_empty_sequence(stranger: Device) -> None:
    answer = stranger.get("csrattrs")
    assert (answer.status, answer.body.strip()) == (200, b"MAA=")


@pytest.mark.conformance("HTTP-13")
@pytest.mark.parametrize("path", [BASE, f"{BASE}/", f"{BASE}/cacerts", "/", f"{BASE}/device", f"{BASE}/device/"])
def test_nothing_is_redirected(line: Device, path: str) -> None:
    for method in ("GET", "POST"):
        assert not 300 <= line.ask(method, path, b"" if method == "POST" else None).status < 400


@pytest.mark.conformance("HTTP-14")
def test_a_header_that_is_too_long_is_refused_and_the_server_goes_on(stranger: Device) -> None:
    # The answer may be lost where the server hangs up on what it no longer reads.
    with suppress(ConnectionError, ssl.SSLError):
        assert stranger.get("cacerts", Client_Cert=f":{'A' * 65_536}:").status in {400, 431}
    assert stranger.get("cacerts").status == 200


@pytest.mark.conformance("HTTP-15")
def test_a_connection_is_kept_until_the_client_closes_it(line: Device) -> None:
    connection = line.connect()
    statuses = [ask(connection, "GET", line.path("cacerts"), None, {}).status for _ in range(3)]
    closing = ask(connection, "GET", line.path("cacerts"), None, {"Connection": "close"})
    assert (statuses, closing.status, closing["Connection"]) == ([200, 200, 200], 200, "close")
    connection.close()


@pytest.mark.conformance("HTTP-15")
@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_a_client_that_reads_to_the_end_is_not_kept_waiting(stranger: Device, version: str) -> None:
    began = time.monotonic()
    answer = read_answer(say(stranger, f"GET {BASE}/cacerts {version}\r\n{_CLOSE}\r\n\r\n".encode()))
    assert (answer.status, time.monotonic() - began < 5) == (200, True)


@pytest.mark.conformance("HTTP-15")
def test_a_client_that_waits_to_be_told_to_continue_is_told(line: Device) -> None:
    body = wrapped(est_identity("patient").der)
    with session(line) as connection:
        connection.sendall(enrollment(line, len(body), "Expect: 100-continue"))
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert hear(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.conformance("HTTP-16")
def test_what_depends_on_who_asks_is_not_cached(line: Device) -> None:
    answers = [line.enroll(est_identity("cached")), line.get("csrattrs"), line.post("simpleenroll", b"!")]
    assert [answer["Cache-Control"] for answer in answers] == ["no-store"] * 3


@contextmanager
def _without_ca_key(server: Server) -> Iterator[None]:
    """Start the server again with its CA key out of the way, and once more with it."""
    key = server.data / "ca" / "key.pem"
    hidden = key.rename(key.with_suffix(".hidden"))
    server.stop()
    server.start()
    try:
        yield
    finally:
        server.stop()
        hidden.rename(key)
        server.start()
