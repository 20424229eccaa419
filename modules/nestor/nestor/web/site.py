"""HTTP in, HTTP out: exact paths, methods, media types and sizes first, then the registrar; knows nothing of policy.

Whatever arrives gets an answer with a sentence; only a fault of our own is a 500. The house is asked for on every
request, so that a swap counts from the next one on.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import Protocol

from aiohttp import hdrs, web

from nestor.conveyance import Hop
from nestor.errors import (
    CannotIssue,
    NestorError,
    NotOffered,
    OurFault,
    TooLarge,
    TooSlow,
    UnknownPath,
    WrongMediaType,
    WrongMethod,
)
from nestor.est import keygen, layers, menu, pkcs7, transfer
from nestor.est.menu import Target
from nestor.est.transfer import Dialect
from nestor.events import Answered, Trouble, TurnedAway
from nestor.model import Credentials, Operation
from nestor.ports import Sink
from nestor.registrar.desk import Ask
from nestor.registrar.reception import Reception
from nestor.web.credentials import peer_credentials, read_basic, read_credentials
from nestor.web.probes import HEALTHZ, PROBES, verdict
from nestor.web.problems import SERVER, respond_to
from nestor.web.relaying import no_route
from nestor.web.settings import LimitSettings
from nestor.web.transport import TLSTransport

MAX_BODY = 64 * 1024
"""Bytes of the largest body; an ML-DSA-87 request is about 10 KB in base64."""


class House(Protocol):
    """What the site needs of the house that stands now."""

    @property
    def registrar(self) -> Reception:
        """The reception."""

    @property
    def chain_order(self) -> bool:
        """Whether /cacerts keeps chain order instead of DER's."""

    async def layers(self, credentials: Credentials, left: int, within: float) -> Sequence[Hop]:
        """This server and those above it, so many at most, for whoever is known here. Raises NestorError."""

    def problems(self) -> Mapping[str, str]:
        """What keeps the server from issuing, by name."""

    def failures(self) -> Mapping[str, str]:
        """What is broken in this process, by name."""


class Site:
    """The handler of every HTTP request on the EST port. `carries` says whether routes share that port."""

    def __init__(
        self, house: Callable[[], House], limits: LimitSettings, sink: Sink, carries: Callable[[], bool] = lambda: False
    ) -> None:
        self._house = house
        self._carries = carries
        self._limits = limits
        self._sink = sink

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request within its time (design D1)."""
        request_id = secrets.token_hex(6)
        transport = request.transport
        if not isinstance(transport, TLSTransport) or transport.is_closing():
            return web.Response()  # nobody is there to read it: the client left, or was sent away
        transport.request_started()
        begun = monotonic()
        try:
            response = await self._answer(request, transport, request_id)
            response.headers[hdrs.SERVER] = SERVER
            if transport.is_ending or not request.content.at_eof():
                response.force_close()
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            return web.Response()  # nobody is there any more
        finally:
            transport.request_finished()
        self._sink(_answered(request, transport.address, response.status, monotonic() - begun, request_id))
        return response

    async def _answer(self, request: web.BaseRequest, transport: TLSTransport, request_id: str) -> web.Response:
        try:
            due = monotonic() + self._limits.request.total_seconds()
            async with asyncio.timeout_at(due):
                return await self._serve(request, transport, request_id, due)
        except NestorError as fault:
            return self._turn_away(request, fault, request_id)
        except TimeoutError:
            late = TooSlow("The request could not be answered in time.", "Send it again.")
            return self._turn_away(request, late, request_id)
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 -- the last line: a bug must neither end the process nor go untold
            self._sink(Trouble("bug", f"{type(error).__name__} while serving request {request_id}.", error))
            return respond_to(OurFault(""), request_id)

    def broken(self, fault: NestorError, request_id: str) -> None:
        """Tell of what was answered before it was a request, or after the site had done its part."""
        if isinstance(fault, OurFault):
            self._sink(Trouble("bug", f"HTTP failed while answering request {request_id}.", fault.__cause__))
        else:
            self._sink(TurnedAway("", "", fault.reason, fault.text, request_id))

    def _turn_away(self, request: web.BaseRequest, fault: NestorError, request_id: str) -> web.Response:
        """Answer a request that did not come to the desk, and tell of it; the desk tells of those that did."""
        address = request.transport.address if isinstance(request.transport, TLSTransport) else ""
        self._sink(TurnedAway(address, _asked(request), fault.reason, fault.text, request_id))
        return respond_to(fault, request_id)

    async def _serve(
        self, request: web.BaseRequest, transport: TLSTransport, request_id: str, due: float
    ) -> web.Response:
        path, _, _ = request.raw_path.partition("?")
        if path in PROBES:
            return self._probe(path, request.method, transport)
        if path == layers.PATH:
            return await self._layers(request, transport, due)
        target = menu.parse_path(path)
        if target is None:
            raise self._nothing_at(path, request)
        allowed = menu.methods(target.operation)
        if request.method not in allowed:
            raise WrongMethod(f"{target.operation} takes {' or '.join(allowed)}, not {request.method[:16]}.", allowed)
        match target.operation:
            case Operation.CACERTS:
                return self._ca_certificates(request, target)
            case Operation.CSR_ATTRS:
                return self._csr_attributes(request, target)
            case Operation.FULL_CMC:
                raise NotOffered("This server does not speak Full CMC (RFC 7030, 4.3).", "Use simpleenroll.")
            case Operation.SIMPLE_ENROLL | Operation.SIMPLE_REENROLL | Operation.SERVER_KEYGEN:
                return await self._enroll(request, target, transport, request_id, due)

    def _nothing_at(self, path: str, request: web.BaseRequest) -> UnknownPath:
        hint = f"EST is served below {menu.BASE}/."
        if self._carries() and not path.startswith(menu.BASE):
            return no_route(request, hint)
        return UnknownPath("There is nothing here.", hint)

    def _probe(self, path: str, method: str, transport: TLSTransport) -> web.Response:
        _check_reading(path, method)
        house = self._house()
        found = house.failures() if path == HEALTHZ else house.problems()
        status, body = verdict(path, found, transport.address)
        return web.json_response(body, status=status, headers=_NOT_KEPT)

    async def _layers(self, request: web.BaseRequest, transport: TLSTransport, due: float) -> web.Response:
        """What stands above, for whoever is known: strangers hear nothing of how a plant is laid out."""
        _check_reading(layers.PATH, request.method)
        transport.request_complete()
        user, password = read_basic(request.headers.get(hdrs.AUTHORIZATION))
        credentials = replace(peer_credentials(transport.peer), user=user, password=password)
        left = layers.read_left(request.headers.get(layers.HOPS_LEFT))
        hops = await self._house().layers(credentials, left, due - monotonic() - _OWN_SHARE)
        return _answer(layers.write(hops), layers.TYPE)

    def _ca_certificates(self, request: web.BaseRequest, target: Target) -> web.Response:
        house = self._house()
        certificates = house.registrar.ca_certificates(target.label)
        if not certificates:
            raise CannotIssue("The CA certificates are not known here.", "The operator finds the reason at /readyz.")
        der = pkcs7.certs_only(certificates, chain_order=house.chain_order)
        return _base64(der, _dialect_of_get(request), menu.CERTS_ONLY_TYPE, {"Cache-Control": "max-age=60"})

    def _csr_attributes(self, request: web.BaseRequest, target: Target) -> web.Response:
        der = self._house().registrar.csr_attributes(target.label)
        return _base64(der, _dialect_of_get(request), menu.CSR_ATTRS_TYPE)

    async def _enroll(
        self, request: web.BaseRequest, target: Target, transport: TLSTransport, request_id: str, due: float
    ) -> web.Response:
        content_type = request.headers.get(hdrs.CONTENT_TYPE)
        if not menu.accepts(target.operation, content_type):
            wanted = menu.REQUEST_TYPES[target.operation]
            raise WrongMediaType(f"{target.operation} takes a body of type {wanted}.", "Set Content-Type.")
        body = await self._body(request)
        if transport.has_gone():
            raise ConnectionResetError  # nobody is there any more to take a certificate
        transport.request_complete()
        credentials = read_credentials(transport.peer, request.headers, moment=monotonic(), deadline=due)
        ask = Ask(target.operation, target.label, body, credentials, request_id)
        dialect = transfer.dialect_of(body)
        try:
            async with asyncio.timeout_at(credentials.deadline):
                response = await self._at_the_desk(ask, dialect)
        except UnknownPath:
            raise  # there is no desk for this label
        except NestorError as fault:
            return respond_to(fault, request_id)
        if credentials.conveyed is not None:
            transport.trust()  # only a forwarder that is listed comes this far
        return response

    async def _at_the_desk(self, ask: Ask, dialect: Dialect) -> web.Response:
        registrar = self._house().registrar
        if ask.operation is Operation.SERVER_KEYGEN:
            made = await registrar.generate(ask)
            content_type, parts = keygen.respond(made.key, made.encrypted, pkcs7.certs_only([made.certificate]))
            return _answer(parts, content_type)
        certificate = await registrar.enroll(ask)
        return _base64(pkcs7.certs_only([certificate]), dialect, menu.CERTS_ONLY_TYPE)

    async def _body(self, request: web.BaseRequest) -> bytes:
        """The body, chunked or not, within size and time."""
        if (request.content_length or 0) > MAX_BODY:
            raise _TOO_LARGE
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body.total_seconds()):
                while (chunk := await request.content.readany()) or not request.content.at_eof():
                    body += chunk
                    if len(body) > MAX_BODY:
                        raise _TOO_LARGE
        except TimeoutError:
            raise TooSlow("The body of the request did not arrive in time.", "Send it again.") from None
        return bytes(body)


_TOO_LARGE = TooLarge(f"The body is larger than {MAX_BODY} bytes; no request for a certificate is.", "Send one CSR.")
_PROBED, _ELSE = "health", "other"
_NOT_KEPT = {"Cache-Control": "no-store"}
_OWN_SHARE = 0.25
"""Seconds that are kept back from those above, to write down what they said."""

_SHOWN = 200
"""How much of a request line the log shows."""


def _check_reading(path: str, method: str) -> None:
    if method not in {hdrs.METH_GET, hdrs.METH_HEAD}:
        raise WrongMethod(f"{path} takes GET.", (hdrs.METH_GET, hdrs.METH_HEAD))


def _asked(request: web.BaseRequest) -> str:
    return f"{request.method} {request.raw_path}"[:_SHOWN]


def _answered(request: web.BaseRequest, address: str, status: int, seconds: float, request_id: str) -> Answered:
    path, _, _ = request.raw_path.partition("?")
    target = menu.parse_path(path)
    operation = target.operation.value if target else _PROBED if path in PROBES else _ELSE
    return Answered(address, _asked(request), operation, status, seconds, request_id)


def _dialect_of_get(request: web.BaseRequest) -> Dialect:
    """A GET shows no dialect; the client that counts line breaks as data sends no User-Agent either (design D18)."""
    return Dialect.WRAPPED if hdrs.USER_AGENT in request.headers else Dialect.ONE_LINE


def _base64(der: bytes, dialect: Dialect, content_type: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return _answer(
        transfer.encode(der, dialect), content_type, {"Content-Transfer-Encoding": "base64", **(headers or {})}
    )


def _answer(body: bytes, content_type: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=body, headers={"Content-Type": content_type, "Cache-Control": "no-store", **(headers or {})}
    )
