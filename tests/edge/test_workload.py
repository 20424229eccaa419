"""The workload API against the stand-in for the runtime, and against sockets that answer badly."""

import asyncio
import itertools
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nestor.edge.identity import EdgeIdentity, read_identity
from nestor.edge.workload import RuntimeRefusal, WorkloadAPI
from nestor.errors import Unavailable
from standin.edge import Edge
from support import pki

SOON = 0.5


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    with Edge(module="$nestor/1", hub_present=False) as edge:
        yield edge


@pytest.fixture
def identity(edge: Edge) -> Iterator[EdgeIdentity]:
    edge.faults.clear()
    yield identity_of(edge)
    edge.faults.clear()


def identity_of(edge: Edge) -> EdgeIdentity:
    identity = read_identity(edge.environment())
    assert identity is not None
    return identity


@asynccontextmanager
async def answering(place: Path, answer: bytes) -> AsyncIterator[EdgeIdentity]:
    """A socket that says the same to everybody."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    path = place / "w.sock"
    async with await asyncio.start_unix_server(serve, path):
        yield EdgeIdentity("h", "d", "m", "g", "gw", f"unix://{path}", "2022-08-03")


def http(body: object, status: int = 200) -> bytes:
    told = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {len(told)}\r\n\r\n"
    return head.encode() + told


async def refusal(asked: Awaitable[object]) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        await asked
    assert caught.value.hint
    return caught.value


async def test_the_trust_bundle_is_read_anew_each_time(edge: Edge, identity: EdgeIdentity) -> None:
    workload = WorkloadAPI(identity)
    before = await workload.trust_bundle()
    assert before == x509.load_pem_x509_certificates(edge.trust_bundle.encode())
    await asyncio.to_thread(edge.renew_edge_ca)
    assert await workload.trust_bundle() != before


async def test_a_server_certificate_comes_with_its_chain_and_its_key(identity: EdgeIdentity) -> None:
    chain, key = await WorkloadAPI(identity).server_certificate("gateway.plant.example")
    names = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "gateway.plant.example" in names.get_values_for_type(x509.DNSName)
    assert key.public_key() == chain[0].public_key()
    for certificate, issuer in itertools.pairwise(chain):
        certificate.verify_directly_issued_by(issuer)


async def test_what_is_signed_is_signed_with_the_key_of_the_module(edge: Edge, identity: EdgeIdentity) -> None:
    assert await WorkloadAPI(identity).sign(b"data") == edge.identity.sign(b"data")


async def test_what_is_encrypted_is_decrypted(identity: EdgeIdentity) -> None:
    workload = WorkloadAPI(identity)
    assert await workload.decrypt(await workload.encrypt(b"secret", b"v" * 12), b"v" * 12) == b"secret"


async def test_it_is_reached_over_http_too(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.write(http({"digest": b64encode(b"d").decode()}))
        await writer.drain()
        writer.close()

    heard: list[bytes] = []
    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        identity = EdgeIdentity("h", "d", "$edge/hub", "g 1", "gw", f"http://127.0.0.1:{port}/", "2022-08-03")
        assert await WorkloadAPI(identity).sign(b"") == b"d"
    assert heard == [b"POST /modules/%24edge%2Fhub/genid/g%201/sign?api-version=2022-08-03 HTTP/1.1\r\n"]


async def test_a_restart_of_the_runtime_leaves_no_stale_connection(edge: Edge, identity: EdgeIdentity) -> None:
    workload = WorkloadAPI(identity)
    await workload.sign(b"1")
    await asyncio.to_thread(edge.workload_leaves)
    told = await refusal(workload.sign(b"2"))
    assert "cannot be reached" in told.sentence
    assert "`sign`" in told.sentence
    await asyncio.to_thread(edge.workload_returns)
    await workload.sign(b"3")


async def test_no_more_calls_are_made_at_a_time_than_the_runtime_takes(edge: Edge, identity: EdgeIdentity) -> None:
    edge.faults.workload_delay = 0.05
    workload = WorkloadAPI(identity)
    assert len(await asyncio.gather(*(workload.sign(b"%d" % number) for number in range(20)))) == 20
    assert 2 <= edge.workload_most_at_once <= 4


async def test_a_runtime_that_hangs_is_given_up_and_the_wait_for_a_turn_counts_too(
    edge: Edge, identity: EdgeIdentity
) -> None:
    edge.faults.workload_hangs = True
    workload = WorkloadAPI(identity, deadline=0.3)
    begun = asyncio.get_running_loop().time()
    for told in await asyncio.gather(*(refusal(workload.trust_bundle()) for _ in range(9))):
        assert told.sentence == "The IoT Edge runtime did not answer the call `trust-bundle` within 0.3 s."
    assert asyncio.get_running_loop().time() - begun < 0.3 + SOON


async def test_a_refusal_is_told_with_its_status_and_reason(edge: Edge, identity: EdgeIdentity) -> None:
    edge.faults.workload_failing = frozenset({"sign"})
    told = await refusal(WorkloadAPI(identity).sign(b""))
    assert isinstance(told, RuntimeRefusal)
    assert told.status == 500
    assert "`sign` with status 500: sign failed, as it was told to." in told.sentence
    told = await refusal(WorkloadAPI(replace(identity, module="other")).sign(b""))
    assert "Module not found for caller" in told.sentence


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (http(b"<html>"), "it is not a JSON object"),
        (http([]), "it is not a JSON object"),
        (http(b"[" * 500_000), "it is not a JSON object"),
        (http({}), "it has no text `certificate`"),
        (http({"certificate": 5}), "it has no text `certificate`"),
        (http({"certificate": ""}), "no certificate that can be read"),
        (http({"certificate": "A" * 2_000_000}), "longer than 1048576 bytes"),
        (http({"message": "a\nb"}, 500), "with status 500: it gave no reason."),
        (http(b"", 404), "with status 404: it gave no reason."),
        (http(b"", 302), "with status 302"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{", "for the call `trust-bundle`: "),
        (b"", "the call `trust-bundle`: "),
        (b"nonsense\r\n\r\n", "for the call `trust-bundle`: "),
    ],
    ids=lambda value: value if isinstance(value, str) else "answer",
)
async def test_an_answer_that_is_none_is_told_as_such(tmp_path: Path, answer: bytes, what: str) -> None:
    async with answering(tmp_path, answer) as identity:
        assert what in (await refusal(WorkloadAPI(identity, 2).trust_bundle())).sentence


def _key_pem(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()  # type: ignore[no-any-return]


async def test_a_certificate_of_an_unknown_kind_of_key_is_refused(tmp_path: Path) -> None:
    identity = pki.authority("edge").issue("gw", server=True)
    curve, other = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d030163")
    odd = identity.certificate.public_bytes(Encoding.DER).replace(curve, other)
    told = {
        "privateKey": {"type": "key", "bytes": _key_pem(identity.key)},
        "certificate": ssl.DER_cert_to_PEM_cert(odd),
    }
    async with answering(tmp_path, http(told, 201)) as runtime:
        refused = await refusal(WorkloadAPI(runtime).server_certificate("gw"))
    assert "the key in its certificate cannot be read" in refused.sentence


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda told: told.pop("privateKey"), "it holds no key"),
        (lambda told: told["privateKey"].update(type="ref"), "it holds no key"),
        (lambda told: told["privateKey"].update(bytes=told["privateKey"]["bytes"][:90]), "its key cannot be read"),
        (
            lambda told: told["privateKey"].update(bytes=_key_pem(ec.generate_private_key(ec.SECP256R1()))),
            "its key is not that of its certificate",
        ),
    ],
    ids=["none", "kept back", "cut off", "of another"],
)
async def test_a_key_that_does_not_fit_is_refused_and_never_shown(
    tmp_path: Path, change: Callable[[Any], object], what: str
) -> None:
    identity = pki.authority("edge").issue("gw", server=True)
    told = {
        "privateKey": {"type": "key", "bytes": _key_pem(identity.key)},
        "certificate": identity.certificate.public_bytes(Encoding.PEM).decode(),
    }
    change(told)
    async with answering(tmp_path, http(told, 201)) as runtime:
        fault = await refusal(WorkloadAPI(runtime, 2).server_certificate("gw"))
    assert what in fault.sentence
    seen = repr((fault, fault.__cause__)) + str(fault)
    assert "PRIVATE" not in seen
    assert not any(line in seen for line in _key_pem(identity.key).splitlines())
