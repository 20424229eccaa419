"""The workload API of the IoT Edge runtime, on its socket: one short call at a time, and nothing kept between two.

Each call has a connection of its own, because a restart of the runtime leaves old ones dead, and a deadline, because
the runtime has none. What comes back is believed only when it parses and fits; a key never gets into an error.
"""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import cast, get_args
from urllib.parse import quote, urlsplit

from aiohttp import BaseConnector, ClientError, ClientResponse, ClientSession, TCPConnector, UnixConnector
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from yarl import URL

from nestor.edge.identity import EdgeIdentity
from nestor.errors import Unavailable

_AT_ONCE = 4
"""Calls at a time; the runtime serves ten to a module and drops the eleventh, and the SDK makes its own."""

_LARGEST = 1_048_576
"""Bytes of an answer that are read; a trust bundle of a hundred certificates has 200,000."""

_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)
"""What `cryptography` raises for bytes that are no certificate or key, or one that it does not know."""

_HINT = "On the host, see `iotedge system status` and `iotedge system logs`; Nestor asks again by itself."


class RuntimeRefusal(Unavailable):
    """The runtime answered, and did not do it; `status` is that of HTTP."""

    def __init__(self, sentence: str, hint: str = "", *, status: int) -> None:
        super().__init__(sentence, hint)
        self.status = status


class WorkloadAPI:
    """What the runtime of this host does for this module; `deadline` is what a call may take, in seconds."""

    def __init__(self, identity: EdgeIdentity, deadline: float = 10.0) -> None:
        self._identity = identity
        self._deadline = deadline
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def trust_bundle(self) -> Sequence[x509.Certificate]:
        """The certificates that modules of this device are to trust, as of now."""
        answer = await self._call("GET", "/trust-bundle", "trust-bundle")
        return _certificates(_text(answer, "certificate", "trust-bundle"), "trust-bundle")

    async def server_certificate(
        self, common_name: str
    ) -> tuple[Sequence[x509.Certificate], CertificateIssuerPrivateKeyTypes]:
        """A new certificate below the Edge CA, its chain after it, and its key, which the runtime made."""
        call = "certificate/server"
        answer = await self._call("POST", self._mine(call), call, {"commonName": common_name})
        chain = _certificates(_text(answer, "certificate", call), call)
        key = _private_key(answer.get("privateKey"), call)
        if key.public_key() != _public_key(chain[0], call):
            raise _odd(call, "its key is not that of its certificate")
        return chain, key

    async def sign(self, data: bytes) -> bytes:
        """HMAC-SHA256 of bytes, with the key of this module."""
        return await self._transform("sign", "digest", {"data": data})

    async def encrypt(self, plaintext: bytes, initialization_vector: bytes) -> bytes:
        """What only this module can decrypt; the vector must be a new one each time."""
        named = {"plaintext": plaintext, "initializationVector": initialization_vector}
        return await self._transform("encrypt", "ciphertext", named)

    async def decrypt(self, ciphertext: bytes, initialization_vector: bytes) -> bytes:
        """What was encrypted. Raises RuntimeRefusal where it cannot be decrypted any more."""
        named = {"ciphertext": ciphertext, "initializationVector": initialization_vector}
        return await self._transform("decrypt", "plaintext", named)

    async def _transform(self, call: str, wanted: str, named: Mapping[str, bytes]) -> bytes:
        body = {name: b64encode(value).decode() for name, value in named.items()}
        answer = await self._call("POST", self._mine(call), call, body)
        try:
            return b64decode(_text(answer, wanted, call), validate=True)
        except ValueError:
            raise _odd(call, f"`{wanted}` is not base64") from None

    def _mine(self, call: str) -> str:
        module, generation = (quote(part, safe="") for part in (self._identity.module, self._identity.generation))
        return f"/modules/{module}/genid/{generation}/{call}"

    async def _call(
        self, method: str, path: str, call: str, body: Mapping[str, str] | None = None
    ) -> Mapping[str, object]:
        """Ask once. Raises Unavailable, which names the call and what to do."""
        connector, base = _way_to(self._identity.workload)
        url = URL(f"{base}{path}?api-version={quote(self._identity.api_version, safe='')}", encoded=True)
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._turns,
                ClientSession(connector=connector) as session,
                session.request(method, url, json=body, allow_redirects=False) as response,
            ):
                return await _answer(response, call)
        except TimeoutError:
            raise Unavailable(
                f"The IoT Edge runtime did not answer the call `{call}` within {self._deadline:g} s.", _HINT
            ) from None
        except (ClientError, OSError, ValueError) as error:
            raise Unavailable(
                f"The IoT Edge runtime cannot be reached at {self._identity.workload} for the call `{call}`: "
                f"{_reason(error)}.",
                _HINT,
            ) from error
        finally:
            await connector.close()


def _way_to(uri: str) -> tuple[BaseConnector, str]:
    """How to connect to the workload API, once, and how its URLs begin."""
    parts = urlsplit(uri)
    if parts.scheme == "unix":
        return UnixConnector(path=parts.path, force_close=True), "http://workload"
    return TCPConnector(force_close=True), uri.rstrip("/")


async def _answer(response: ClientResponse, call: str) -> Mapping[str, object]:
    """The object that an answer holds. Raises Unavailable for an error, and for what is no answer."""
    body = await _read(response, call)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if response.status not in {200, 201}:
        raise _refused(response.status, answer, call)
    if not isinstance(answer, dict):
        raise _odd(call, "it is not a JSON object")
    return answer


async def _read(response: ClientResponse, call: str) -> bytes:
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > _LARGEST:
            raise _odd(call, f"it is longer than {_LARGEST} bytes")
    return bytes(body)


def _refused(status: int, answer: object, call: str) -> RuntimeRefusal:
    told = answer.get("message") if isinstance(answer, dict) else None
    words = told if isinstance(told, str) and told.isprintable() else "it gave no reason"
    return RuntimeRefusal(
        f"The IoT Edge runtime refused the call `{call}` with status {status}: {words.rstrip('.')[:300]}.",
        _HINT,
        status=status,
    )


def _odd(call: str, what: str) -> Unavailable:
    return Unavailable(f"The answer of the IoT Edge runtime to the call `{call}` cannot be used: {what}.", _HINT)


def _reason(error: Exception) -> str:
    """Why a connection failed, in the words of the system where it has some."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or "the connection was closed without an answer"


def _text(answer: Mapping[str, object], name: str, call: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str):
        raise _odd(call, f"it has no text `{name}`")
    return value


def _certificates(pem: str, call: str) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except _UNREADABLE:
        raise _odd(call, "`certificate` holds no certificate that can be read") from None


def _public_key(certificate: x509.Certificate, call: str) -> CertificatePublicKeyTypes:
    try:
        return certificate.public_key()
    except _UNREADABLE:
        raise _odd(call, "the key in its certificate cannot be read") from None


def _private_key(told: object, call: str) -> CertificateIssuerPrivateKeyTypes:
    """The key of an answer. No error carries anything of it."""
    if not isinstance(told, dict) or told.get("type") != "key" or not isinstance(told.get("bytes"), str):
        raise _odd(call, "it holds no key")
    try:
        key = load_pem_private_key(told["bytes"].encode(), password=None)
    except _UNREADABLE:
        raise _odd(call, "its key cannot be read") from None
    if not isinstance(key, get_args(CertificateIssuerPrivateKeyTypes)):
        raise _odd(call, "its key is of a kind that signs nothing")
    return cast("CertificateIssuerPrivateKeyTypes", key)
