"""The proxy: gives each request its place on its route, has it carried, and tells what came of it.

Whoever asks hears which route of which server failed, counted and not named, and no more; where it leads to, and why it
failed, is for the operator.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from nestor.errors import Malformed, NestorError, RouteClosed, RouteFailed, RouteLate
from nestor.events import Carried, Event, Note, Trouble
from nestor.ports import Clock
from nestor.proxy import headers
from nestor.proxy.caller import Asked, Caller, Route
from nestor.proxy.exchange import Exchange
from nestor.proxy.line import Lost
from nestor.proxy.message import Garbled, framing_of_request
from nestor.proxy.passthrough import Way
from nestor.proxy.pool import Pool
from nestor.proxy.routing import Headers, Table, climbs
from nestor.proxy.settings import ProxyLimits
from nestor.proxy.standing import Standings
from nestor.proxy.token import Token
from nestor.proxy.turns import Turns


@dataclass(frozen=True, slots=True)
class Routes:
    """What is carried where, within which limits; the token is this module's own, for edgeHub.

    `passthrough` is where TLS is handed on to as it is.
    """

    table: Table[Route]
    limits: ProxyLimits
    token: Token | None = None
    passthrough: Way | None = None


_SHOWN = 200


class Proxy:
    """What is carried by this process, whatever the routes are at the moment."""

    def __init__(self, clock: Clock, standings: Standings, tell: Callable[[Event], None]) -> None:
        self._clock = clock
        self._standings = standings
        self._tell = tell
        self._pool = Pool()
        self._turns = Turns()
        self._held: Counter[str] = Counter()

    def close(self) -> None:
        """End the connections that wait."""
        self._pool.close()

    async def carry(self, asked: Asked, route: Route, routes: Routes, caller: Caller, request_id: str) -> bool:
        """Carry one request; tells whether the client's connection can carry another.

        Raises NestorError as long as nothing was answered, ConnectionError afterwards.
        """
        begun = self._clock.monotonic()
        with self._place(route.name, await self._counted(asked, caller, routes.limits), routes.limits):
            exchange = Exchange(asked, route, caller, routes.limits, self._pool, self._turns)
            try:
                await self._run(exchange, routes.token)
                return not exchange.ends
            finally:
                self._note(exchange)
                seconds = self._clock.monotonic() - begun
                told = f"{asked.method} {asked.target}"[:_SHOWN]
                self._tell(
                    Carried(
                        route.name,
                        asked.address,
                        told,
                        exchange.status,
                        seconds,
                        exchange.sent,
                        exchange.received,
                        request_id,
                    )
                )

    async def _run(self, exchange: Exchange, token: Token | None) -> None:
        name, asked = exchange.route.name, exchange.asked
        try:
            framing = framing_of_request(asked.headers)
        except Garbled as doubt:
            raise Malformed(f"The request cannot be handed on: {doubt}.", "Check the client.") from None
        if "#" in asked.target:  # some who read it cut it off there, and what is left is another path
            raise Malformed("The path has a fragment.", "Leave it out.")
        if climbs(asked.target):
            raise Malformed("The path has segments of dots.", "Ask for the path that is meant.")
        if exchange.wants_web_socket and not framing.is_empty:
            raise Malformed("A request for a WebSocket has no body.", "Check the client.")
        if headers.hops(asked.headers) >= headers.MOST_HOPS:
            raise Malformed("The request goes in a circle.", "Check where the routes of these layers lead to.")
        hint = f"The operator of {headers.whose(asked.headers)} finds the reason in its log."
        limits = exchange.limits
        exchange.caller.allow((limits.connect + limits.answer + limits.idle).total_seconds())
        try:
            exchange.more = await self._identity(exchange, token)
            await exchange.run(framing)
        except (Lost, Garbled) as reason:
            detail = reason.told(f"routes.{name}") if isinstance(reason, Lost) else f"{reason}"
            self._fail(
                exchange,
                RouteFailed(
                    f"What the route {name} leads to gives no answer that can be handed on.", hint, detail=detail
                ),
            )
        except TimeoutError:
            self._fail(
                exchange,
                RouteLate(
                    f"What the route {name} leads to does not answer in time.",
                    hint,
                    detail="it does not answer in time",
                ),
            )
        except RouteFailed as fault:
            self._fail(exchange, fault)
        except NestorError as fault:
            self._fail(
                exchange,
                RouteClosed(f"Nothing can be carried on the route {name} at this time.", hint, detail=fault.text),
            )

    async def _identity(self, exchange: Exchange, token: Token | None) -> Headers:
        """What tells edgeHub whose certificate came: for a client that shows a good one, and no token of its own.

        The token never goes without a certificate beside it: by itself it would make a stranger this module.
        """
        if not exchange.route.identity or token is None or headers.values(exchange.asked.headers, b"authorization"):
            return ()
        pem = await exchange.caller.certificate()
        if pem is None:
            return ()
        return (b"Authorization", await token.value()), (b"x-ms-edge-clientcert", headers.escaped(pem))

    def _fail(self, exchange: Exchange, fault: RouteFailed) -> None:
        """Note a failure; raise it, or ConnectionError where the client has heard of an answer already."""
        name = exchange.route.name
        exchange.failed = True
        if self._standings.failed(name, fault.detail):
            self._tell(Trouble("route", f"{name}: {exchange.route.target.authority}: {fault.detail}."))
        if exchange.begun:
            raise ConnectionResetError(fault.detail) from fault
        raise fault

    def _note(self, exchange: Exchange) -> None:
        standing = self._standings.of(exchange.route.name)
        standing.requests += 1
        standing.carried += exchange.sent + exchange.received
        if (
            exchange.status
            and not exchange.failed
            and self._standings.answered(exchange.route.name, exchange.answered_after)
        ):
            self._tell(Note("route", f"{exchange.route.name} works again."))

    async def _counted(self, asked: Asked, caller: Caller, limits: ProxyLimits) -> str:
        """Among whom a request counts: those of its network; where they are many, by whose certificate is good."""
        if self._held[asked.network] < limits.requests_per_address:
            return asked.network
        with suppress(NestorError):
            if holder := await caller.holder():
                return f"device {holder}"  # whose name may look like an address
        return asked.network

    @contextmanager
    def _place(self, name: str, network: str, limits: ProxyLimits) -> Iterator[None]:
        """A place among those that are carried. Raises RouteClosed where there is none."""
        standing = self._standings.of(name)
        full = (
            self._held.total() >= limits.requests
            or standing.under_way >= limits.requests_per_route
            or self._held[network] >= limits.requests_per_address
        )
        if full:
            raise RouteClosed(
                f"The route {name} carries as much as it may.", "Try again later.", detail="too many requests at a time"
            )
        self._held[network] += 1
        standing.under_way += 1
        try:
            yield
        finally:
            standing.under_way -= 1
            self._held[network] -= 1
            if not self._held[network]:
                del self._held[network]
