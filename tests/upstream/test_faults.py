"""Every failure of sockets, TLS and HTTP, as the sentence that a person reads."""

import socket
import ssl
from pathlib import Path

import pytest

from nestor.errors import Unavailable
from nestor.upstream.faults import Closed, fault_of
from nestor.upstream.trust import ClientCertificate, Trust, verifying_context
from nestor.upstream.wire import Wire
from support import pki
from support.conversing import ask, refusal
from support.stub import Stub


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (socket.gaierror(-2, "Name or service not known"), "est is a name that cannot be resolved."),
        (ConnectionRefusedError(), "est has nobody listening."),
        (ConnectionResetError(), "est closed the connection without an answer."),
        (TimeoutError(), "est did not answer in time."),
        (OSError(113, "No route to host"), "est cannot be reached: No route to host."),
        (ValueError("what?"), "est cannot be reached: ValueError."),
    ],
)
def test_every_failure_is_a_sentence_with_a_hint(error: Exception, sentence: str) -> None:
    fault = fault_of(error, "est")
    assert fault.sentence == sentence
    assert fault.hint


def test_the_innermost_cause_is_told() -> None:
    outer = OSError("connect failed")
    outer.__cause__ = ConnectionRefusedError()
    assert fault_of(outer, "est").sentence == "est has nobody listening."


def test_a_server_that_vanishes_may_have_done_what_it_was_asked() -> None:
    assert isinstance(fault_of(ConnectionResetError(), "est"), Closed)
    assert isinstance(fault_of(ssl.SSLEOFError(8, "EOF occurred"), "est"), Closed)


async def test_an_expired_server_certificate_is_told(ca: pki.CA, trust: Trust, tmp_path: Path) -> None:
    with Stub(tmp_path, ca.expired("other", alternative_names=["localhost"], server=True)) as stub:
        assert "The certificate of stub has expired." in await refusal(stub, trust)


async def test_a_certificate_that_is_not_for_servers_is_told(ca: pki.CA, trust: Trust, tmp_path: Path) -> None:
    with Stub(tmp_path, ca.issue("other", alternative_names=["localhost"])) as stub:
        assert "is not a server's" in await refusal(stub, trust)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_alert_that_refuses_a_client_certificate_is_told(
    ca: pki.CA, trust: Trust, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    def strict(context: ssl.SSLContext) -> None:
        context.minimum_version = context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=ca.pem().decode())

    (tmp_path / "device").mkdir()
    with Stub(tmp_path, ca.issue("other", alternative_names=["localhost"], server=True), strict) as stub:
        for shown, told in (
            (pki.authority("Stranger").issue("device"), "does not know the CA of the client certificate"),
            (ca.expired("device"), "refuses the client certificate: it has expired"),
            (ca.issue("device", client=False, server=True), "refuses the client certificate: not made for this use"),
        ):
            credential = ClientCertificate(*pki.write(tmp_path / "device", shown))
            assert told in await refusal(stub, trust, credential)


async def test_a_server_without_tls_1_2_cannot_be_linked_to(ca: pki.CA, trust: Trust, tmp_path: Path) -> None:
    def modern(context: ssl.SSLContext) -> None:
        context.minimum_version = ssl.TLSVersion.TLSv1_3

    other = ca.issue("other", alternative_names=["localhost"], server=True)
    with Stub(tmp_path, other, modern) as stub, pytest.raises(Unavailable, match="does not speak the TLS version"):
        await ask(stub, trust, linkable=True)


async def test_a_port_where_nobody_listens_is_told(trust: Trust) -> None:
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
    async with Wire(f"localhost:{port}", verifying_context(trust)) as wire:
        with pytest.raises(Unavailable, match=f"localhost:{port} has nobody listening"):
            await wire.ask("GET", f"https://localhost:{port}/", {})
