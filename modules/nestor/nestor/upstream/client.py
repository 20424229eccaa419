"""The EST client: each operation of RFC 7030 as one call. It builds no request, and keeps only its TLS sessions."""

import base64
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import hdrs
from cryptography import x509
from multidict import CIMultiDict

from nestor.conveyance import Hop
from nestor.errors import Malformed, SettingsError, Unavailable
from nestor.est import layers, pkcs10, transfer
from nestor.est.csrattrs import CsrAttributes
from nestor.est.transfer import Dialect
from nestor.model import Operation
from nestor.upstream.address import Address, parse_address
from nestor.upstream.answers import (
    GeneratedKey,
    choose_certificate,
    read_attributes_der,
    read_certificates,
    read_csr_attributes,
    read_generated_key,
)
from nestor.upstream.faults import BadAnswer
from nestor.upstream.identity import ClientIdentity
from nestor.upstream.refusals import refusal_of
from nestor.upstream.rollover import CACertificates, sort_out
from nestor.upstream.trust import ClientCertificate, Trust, provisional_context, verifying_context
from nestor.upstream.wire import TOTAL_TIMEOUT, Answer, Progress, Wire

_NESTOR = "Nestor"
"""What the answers of a Nestor call their server."""

_NOTHING_ASKED = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.NOT_IMPLEMENTED})
_CSR_HEADERS: Mapping[str, str] = {hdrs.CONTENT_TYPE: "application/pkcs10", hdrs.CONTENT_TRANSFER_ENCODING: "base64"}


@dataclass(frozen=True, slots=True)
class Sending:
    """How one request is sent: with further headers, within so many seconds; and how far it came.

    `spki` is the public key that the certificate has to have, where the request was read before.
    """

    headers: Sequence[tuple[str, str]] = ()
    within: float | None = None
    progress: Progress | None = None
    spki: bytes | None = None


_AS_USUAL = Sending()


class ESTClient:
    """A client of one EST server, under one label; an async context manager.

    It shows `certificate` (PEM, chain behind it) with its `key` in TLS, or an `identity`, and sends `user` and
    `password` as Basic authentication with everything but /cacerts; `timeout` is in seconds for one request.
    `linkable` stays at TLS 1.2, so that `link` can be asked for. `created` takes 201 for 200. It has so many
    `connections` at most, through a `proxy` where one is named.

    Raises SettingsError for a URL, label or user that cannot be, MaterialError for files that cannot be used. Every
    operation raises Unavailable where there is no answer, BadAnswer for one that cannot be understood, and for a
    refusal the type that says what the server meant by it.
    """

    def __init__(
        self,
        base_url: str,
        trust: Trust,
        *,
        user: str | None = None,
        password: str | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        identity: ClientIdentity | None = None,
        label: str | None = None,
        timeout: float = TOTAL_TIMEOUT,
        linkable: bool = False,
        created: bool = False,
        connections: int = 1,
        proxy: str | None = None,
    ) -> None:
        credential = ClientCertificate(certificate, key or certificate) if certificate else identity
        self._base_url = base_url
        self._address = parse_address(base_url, label)
        self._login: Mapping[str, str] = {} if user is None else {hdrs.AUTHORIZATION: _basic(user, password or "")}
        context = verifying_context(trust, credential, linkable=linkable)
        self._wire = Wire(self._address.server, context, timeout, connections=connections, proxy=proxy)
        self._granting = {HTTPStatus.OK, HTTPStatus.CREATED} if created else {HTTPStatus.OK}
        self._tls_unique: bytes | None = None

    @property
    def server(self) -> str:
        """The name of the server in sentences."""
        return self._address.server

    def labeled(self, label: str | None) -> "ESTClient":
        """The same client under another label, on the same connections; only the first one is opened and closed."""
        other = copy(self)
        other._address = parse_address(self._base_url, label)  # noqa: SLF001 -- it is ours
        return other

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._wire.__aexit__(kind, error, trace)

    async def cacerts(self, sending: Sending = _AS_USUAL) -> CACertificates:
        """The CA certificates that the server names now (RFC 7030, 4.1)."""
        return sort_out(await _ask_cacerts(self._wire, self._address, sending))

    async def attributes_der(self, sending: Sending = _AS_USUAL) -> bytes | None:
        """The DER of what the server asks of a request, as it is; None where it says nothing (RFC 7030, 4.5)."""
        answer = await self._ask(HTTPMethod.GET, Operation.CSR_ATTRS, self._login, None, sending)
        if answer.status in _NOTHING_ASKED:
            return None
        return read_attributes_der(self._granted(answer, Operation.CSR_ATTRS), self._address.server)

    async def layers(self, left: int, sending: Sending = _AS_USUAL) -> Sequence[Hop]:
        """What the server, if it is a Nestor, tells of itself and of `left` servers above it; nothing from others."""
        told = CIMultiDict([*self._login.items(), (layers.HOPS_LEFT, str(left))])
        url = self._address.beside(layers.PATH)
        answer = await self._wire.ask(HTTPMethod.GET, url, told, within=sending.within, progress=sending.progress)
        if answer.headers.get(hdrs.SERVER) != _NESTOR:
            return ()
        if answer.status != HTTPStatus.OK:
            raise refusal_of(answer, self._address.server, layers.PATH)
        try:
            return layers.read(answer.body)
        except Malformed as fault:
            raise BadAnswer(f"{self._address.server} answers {layers.PATH} in a way that cannot be read.") from fault

    async def csrattrs(self) -> CsrAttributes:
        """What the server asks of a request; nothing, where it says nothing (RFC 7030, 4.5)."""
        answer = await self._wire.ask(HTTPMethod.GET, self._address.url(Operation.CSR_ATTRS), self._login)
        self._tls_unique = answer.tls_unique
        if answer.status in _NOTHING_ASKED:
            return CsrAttributes()
        return read_csr_attributes(self._granted(answer, Operation.CSR_ATTRS), self._address.server)

    def link(self) -> str:
        """The channel binding of the session that `csrattrs` was asked in, as challengePassword carries it.

        From now on that session is the only one (RFC 7030, 3.5). Raises Unavailable where it has no binding.
        """
        if self._tls_unique is None:
            raise Unavailable(f"There is no TLS 1.2 session with {self._address.server} to link a request to.")
        self._wire.stay()
        return base64.b64encode(self._tls_unique).decode()

    async def enroll(self, csr: bytes, sending: Sending = _AS_USUAL) -> x509.Certificate:
        """The certificate for a PKCS #10 request, DER (RFC 7030, 4.2.1); its key is that of the request."""
        return await self._certificate(Operation.SIMPLE_ENROLL, csr, sending)

    async def reenroll(self, csr: bytes, sending: Sending = _AS_USUAL) -> x509.Certificate:
        """The next certificate of the one presented in TLS; the request has its names (RFC 7030, 4.2.2)."""
        return await self._certificate(Operation.SIMPLE_REENROLL, csr, sending)

    async def server_keygen(self, csr: bytes) -> GeneratedKey:
        """A key made by the server, and its certificate (RFC 7030, 4.4)."""
        return read_generated_key(await self._post(Operation.SERVER_KEYGEN, csr), self._address.server)

    async def _certificate(self, operation: Operation, csr: bytes, sending: Sending) -> x509.Certificate:
        spki = sending.spki or pkcs10.read(csr).spki
        found = read_certificates(await self._post(operation, csr, sending), self._address.server)
        return choose_certificate(found, spki, self._address.server)

    async def _post(self, operation: Operation, csr: bytes, sending: Sending = _AS_USUAL) -> Answer:
        body = transfer.encode(csr, Dialect.WRAPPED)
        answer = await self._ask(HTTPMethod.POST, operation, {**_CSR_HEADERS, **self._login}, body, sending)
        return self._granted(answer, operation)

    async def _ask(
        self, method: HTTPMethod, operation: Operation, headers: Mapping[str, str], body: bytes | None, how: Sending
    ) -> Answer:
        url = self._address.url(operation)
        told = CIMultiDict([*headers.items(), *how.headers])
        return await self._wire.ask(method, url, told, body, within=how.within, progress=how.progress)

    def _granted(self, answer: Answer, operation: Operation) -> Answer:
        if answer.status not in self._granting:
            raise refusal_of(answer, self._address.server, operation)
        return answer


async def fetch_unverified(base_url: str, label: str | None) -> Sequence[x509.Certificate]:
    """What anybody at that address shows as CA certificates: worth nothing until proved (RFC 7030, 4.1.1)."""
    address = parse_address(base_url, label)
    async with Wire(address.server, provisional_context()) as wire:
        return await _ask_cacerts(wire, address)


async def _ask_cacerts(wire: Wire, address: Address, sending: Sending = _AS_USUAL) -> Sequence[x509.Certificate]:
    url = address.url(Operation.CACERTS)
    answer = await wire.ask(HTTPMethod.GET, url, {}, within=sending.within, progress=sending.progress)
    if answer.status != HTTPStatus.OK:
        raise refusal_of(answer, address.server, Operation.CACERTS)
    return read_certificates(answer, address.server)


def _basic(user: str, password: str) -> str:
    """The value of Authorization (RFC 7617). Raises SettingsError."""
    if ":" in user:
        raise SettingsError("A user name of Basic authentication holds no colon (RFC 7617).", "Use another user.")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
