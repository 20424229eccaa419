"""Contexts as other TLS stacks see them."""

import asyncio
import socket
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448

from nestor.errors import MaterialError
from nestor.web.tls import server_context
from support import pki
from support.device import Identity
from support.front import Front, context_of, front
from support.hello import HANDSHAKE_FAILURE, answer_to
from support.openssl import s_client

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = pytest.mark.parametrize("version", [V12, V13])


async def _s_client(served: Front, *options: str | Path, say: bytes = b"") -> str:
    return await asyncio.to_thread(s_client, served.port, *map(str, options), say=say)


async def _refusal(served: Front, identity: Identity | None, version: ssl.TLSVersion) -> str:
    """The alert that a client hears."""
    with pytest.raises(ssl.SSLError) as refused:
        await served.get(identity, version)
    return str(refused.value.reason)


async def test_tls_1_1_is_refused_and_the_reason_told() -> None:
    async with front() as served:
        heard = await _s_client(served, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert "alert protocol version" in heard
    assert "versions of TLS before 1.2" in served.told[0][1]


@pytest.mark.parametrize("suite", [0xC009, 0xC013, 0x009C, 0x003B, 0xC018, 0x00A8, 0xC01D, 0xC0AC])
async def test_only_ecdhe_with_gcm_or_chacha20_is_taken_on_tls_1_2(suite: int) -> None:
    async with front() as served:
        assert await asyncio.to_thread(answer_to, served.port, (suite,)) == ("alert", HANDSHAKE_FAILURE)
        assert await asyncio.to_thread(answer_to, served.port, (0xC02B,)) == ("suite", 0xC02B)
    assert "none of the cipher suites" in served.told[0][1]


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"), "AES256"),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"), "CHACHA20"),
        (("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"), "AES_256"),
        (("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"), "CHACHA20"),
    ],
)
async def test_the_strongest_suite_that_is_offered_is_taken(offered: tuple[str, ...], taken: str) -> None:
    async with front() as served:
        heard = await _s_client(served, *offered)
    assert taken in heard.partition("Cipher is ")[2].partition("\n")[0]


async def test_renegotiation_is_refused() -> None:
    async with front() as served:
        assert "no renegotiation" in await _s_client(served, "-tls1_2", say=b"R\n")


@VERSIONS
async def test_a_session_that_is_offered_again_gets_a_full_handshake(version: ssl.TLSVersion) -> None:
    async with front() as served:
        device = served.root.issue("dev-1")
        context = served.tls(device, version)
        first, _ = await asyncio.to_thread(_session, served.port, context, None)
        _, resumed = await asyncio.to_thread(_session, served.port, context, first)
    assert not resumed


def _session(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None) -> tuple[Any, bool]:
    with (
        socket.create_connection(("localhost", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost", session=session) as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        session, resumed = connection.session, bool(connection.session_reused)
        connection.unwrap()  # a session that did not end in good order cannot be resumed anyway
        return session, resumed


async def test_the_chain_is_shown_as_it_was_given() -> None:
    async with front() as served:
        heard = await _s_client(served, "-showcerts")
    assert heard.count("BEGIN CERTIFICATE") == 2
    assert "1 s:CN = Root" in heard


async def test_the_names_of_anchors_are_sent_and_no_others() -> None:
    root = pki.authority()
    below = root.intermediate("Issuing")
    async with front(root=root, intermediates=[below.certificate]) as served:
        heard = await _s_client(served)
    names = heard.partition("Acceptable client certificate CA names\n")[2].partition("Requested")[0]
    assert names.strip() == "CN = Root"


async def test_a_certificate_is_asked_for_even_without_anchors() -> None:
    async with front(believed=[]) as served:
        assert "No client certificate CA names sent" in await _s_client(served)
        assert await served.get() == "hello"
        assert await _refusal(served, pki.authority().issue("dev-1"), V13) == "TLSV1_ALERT_UNKNOWN_CA"


@VERSIONS
async def test_a_client_without_a_certificate_is_served(version: ssl.TLSVersion) -> None:
    async with front() as served:
        assert await served.get(None, version) == "hello"
    assert served.told == []


@VERSIONS
async def test_a_certificate_that_is_out_of_date_passes_the_handshake_and_is_left_to_the_request(
    version: ssl.TLSVersion,
) -> None:
    async with front() as served:
        early = served.root.issue("pump-2", not_before=pki.yesterday() + timedelta(days=2))
        for identity in (served.root.expired("pump-1"), early):
            assert await served.get(identity, version) == "hello"
    assert served.told == []


@VERSIONS
async def test_an_expired_certificate_is_verified_in_all_else(version: ssl.TLSVersion) -> None:
    async with front() as served:
        elsewhere = pki.authority("Elsewhere").expired("pump-1")
        for_servers = served.root.expired("pump-2", client=False, server=True)
        assert await _refusal(served, elsewhere, version) == "TLSV1_ALERT_UNKNOWN_CA"
        assert await _refusal(served, for_servers, version) == "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"


@VERSIONS
async def test_a_certificate_of_an_unknown_ca_gets_its_alert_and_its_sentence(version: ssl.TLSVersion) -> None:
    async with front() as served:
        stranger = pki.authority("Elsewhere").issue("pump-1")
        assert await _refusal(served, stranger, version) == "TLSV1_ALERT_UNKNOWN_CA"
    assert "CN=pump-1 of the client was refused: none of the CAs" in served.told[0][1]


@VERSIONS
async def test_a_certificate_for_servers_gets_its_alert_and_its_sentence(version: ssl.TLSVersion) -> None:
    async with front() as served:
        wrong = served.root.issue("pump-1", client=False, server=True)
        assert await _refusal(served, wrong, version) == "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"
    assert "does not allow TLS clients" in served.told[0][1]


async def test_an_expired_ca_is_named_as_the_one_above() -> None:
    async with front() as served:
        old = served.root.expired("Old CA", ca=True)
        leaf = pki.CA(old.certificate, old.key, (old.certificate,)).issue("pump-1")
        await _refusal(served, leaf, V13)
    assert "The certificate CN=Old CA above the client's was refused: it has expired." in served.told[0][1]


@VERSIONS
async def test_a_client_below_a_known_intermediate_need_not_send_it(version: ssl.TLSVersion) -> None:
    root = pki.authority()
    below = root.intermediate("Issuing")
    device = below.issue("dev-1")
    alone = Identity(device.certificate, device.key)
    async with front(root=root, intermediates=[below.certificate]) as served:
        assert await served.get(alone, version) == "hello"
    async with front(root=root) as served:
        assert await _refusal(served, alone, version) == "TLSV1_ALERT_UNKNOWN_CA"
        assert await served.get(device, version) == "hello"


async def test_an_issuing_ca_alone_is_an_anchor() -> None:
    below = pki.authority().intermediate("Issuing")
    device = below.issue("dev-1")
    async with front(believed=[below.certificate]) as served:
        assert await served.get(Identity(device.certificate, device.key)) == "hello"


async def test_what_an_edge_ca_minted_passes_the_handshake_and_is_left_to_the_policy() -> None:
    async with front() as served:
        minted = served.root.intermediate("aziot-edge CA gw-1").issue("plc-1")
        assert await served.get(minted) == "hello"


async def test_a_server_that_is_not_trusted_is_told_so() -> None:
    async with front() as served:
        served.root = pki.authority("Elsewhere")
        with pytest.raises(ssl.SSLCertVerificationError):
            await served.get()
        await served.settled(0)
    assert "unknown ca (it does not trust the CA of this server's certificate)" in served.told[0][1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "The client spoke plain HTTP; this port speaks HTTPS."),
        (b"CONNECT gw:443 HTTP/1.1\r\n\r\n", "The client took this port for an HTTP proxy; it speaks HTTPS."),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "The client did not speak TLS."),
        (bytes(range(1, 40)), "The client did not speak TLS."),
    ],
)
async def test_what_is_not_tls_is_named(words: bytes, sentence: str) -> None:
    async with front() as served:
        reader, writer = await asyncio.open_connection("localhost", served.port)
        writer.write(words)
        await reader.read()
        writer.close()
    assert [told for _, told in served.told] == [sentence]


async def test_a_name_cannot_break_out_of_its_sentence() -> None:
    async with front() as served:
        elsewhere = pki.authority("Elsewhere")
        await _refusal(served, elsewhere.issue("a\nlevel=info \x1b[31m\u202e"), V13)
        await _refusal(served, elsewhere.issue("x" * 64), V13)
    assert all(sentence.isprintable() for _, sentence in served.told)


def test_a_key_of_another_certificate_is_refused() -> None:
    root = pki.authority()
    shown = root.issue("localhost", server=True)
    with pytest.raises(MaterialError, match="cannot be used for TLS"):
        server_context(chain=[shown.certificate], key=ec.generate_private_key(ec.SECP256R1()), client_anchors=[])


def test_an_empty_chain_is_refused() -> None:
    with pytest.raises(MaterialError):
        server_context(chain=[], key=ec.generate_private_key(ec.SECP256R1()), client_anchors=[])


def test_a_key_that_tls_cannot_use_is_refused() -> None:
    shown = pki.authority().issue("localhost", server=True)
    with pytest.raises(MaterialError, match="of a kind that TLS does not take"):
        server_context(chain=[shown.certificate], key=ed448.Ed448PrivateKey.generate(), client_anchors=[])


def test_an_anchor_may_be_named_twice() -> None:
    root = pki.authority()
    twice = [root.certificate, root.certificate]
    context_of(root, client_anchors=twice, client_intermediates=twice)
