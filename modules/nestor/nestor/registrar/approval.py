"""Lets pass what an operator has approved; whatever else needs it waits, in the ledger and in bounded number.

What is approved is told apart by a digest: who asks, from where, on which path, for which names and profile; and on
paths that answer 202, for which key. Behind a forwarder "from where" is what the first hop says of its client, and
where it says nothing, the key has to tell one from another. Everything else was decided before, and is at every try.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from nestor.approval import RETRY_AFTER, Approval, ApprovalAnswer, ApprovalLimits, ApprovalState
from nestor.errors import Forbidden, Pending
from nestor.events import ApprovalAsked
from nestor.model import Label, Order, Requester
from nestor.ports import Ledger, Sink, tell
from nestor.registrar.settings import ApprovalSettings

_SHOWN = 300


def build_limits(settings: ApprovalSettings) -> ApprovalLimits:
    """The limits as values."""
    return ApprovalLimits(settings.waits_for, settings.good_for, settings.per_credential, settings.in_all)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Where and when a request came."""

    address: str
    request_id: str
    now: datetime


class Approver:
    """Holds orders against what operators said."""

    def __init__(self, ledger: Ledger, limits: ApprovalLimits, sinks: Sequence[Sink]) -> None:
        self._ledger = ledger
        self._limits = limits
        self._sinks = sinks

    async def check(self, order: Order, requester: Requester, label: Label, occasion: Occasion) -> Order:
        """The order, on terms that use its approval up.

        Raises Pending where nobody has decided yet, Forbidden where it was denied, TooOften where too many wait.
        """
        asked = self._asked(order, requester, label, occasion)
        found = await self._ledger.approval(asked.key, occasion.now)
        if found is None or found.state in {ApprovalState.PENDING, ApprovalState.USED}:
            found = await self._ledger.await_approval(asked, self._limits)
            if found.requests == 1 and found.state is ApprovalState.PENDING:
                tell(self._sinks, ApprovalAsked(found))
        match found.state:
            case ApprovalState.APPROVED:
                return replace(order, terms=replace(order.terms, approval=found.key), needs_approval=False)
            case ApprovalState.DENIED:
                raise Forbidden(f"The operator has denied {order.device} this certificate, as {found.id}.")
            case _:
                raise _pending(found)

    def _asked(self, order: Order, requester: Requester, label: Label, occasion: Occasion) -> Approval:
        first = order.terms.origin
        address = _asked_from(requester, occasion)
        is_bound = label.approval.answer is ApprovalAnswer.ACCEPTED or not address
        names = x509.SubjectAlternativeName(order.alternative_names).public_bytes() if order.alternative_names else b""
        asked = Approval(
            key=b"",
            id=occasion.request_id,
            device=order.device,
            subject=shortened(order.subject.rfc4514_string()),
            alternative_names=shortened(", ".join(str(name.value) for name in order.alternative_names)),
            profile=order.profile,
            label=label.name,
            caller=requester.caller,
            address=shortened(address or occasion.address),
            bound_key=order.csr.spki_sha256 if is_bound else b"",
            takes_over_from="" if first in {None, requester.origin} else str(first),
            asked_by=shortened(f"{requester.method} {requester.name}"),
            spki_sha256=order.csr.spki_sha256,
            asked_at=occasion.now,
            last_asked_at=occasion.now,
            requests=1,
            until=occasion.now + self._limits.waits_for,
        )
        return replace(asked, key=_digest(asked, order.subject.public_bytes(), names))


def _asked_from(requester: Requester, occasion: Occasion) -> str:
    """The address of whoever asks, with the forwarders behind which it is one; empty where they do not tell it."""
    if not requester.is_stated:
        return occasion.address
    told = requester.conveyance
    if told is None or told.statement is None or not told.statement.address:
        return ""
    # The last hop is this server; the mark of a hop is another one after every start.
    way = [hop.partition("#")[0] for hop in told.hops[:-1]]
    return " behind ".join([told.statement.address, *filter(None, way)])


def _pending(approval: Approval) -> Pending:
    return Pending(
        f"{approval.device} has to be approved by the operator of this server, as {approval.id}.",
        f"Its operator runs: nestor approval approve {approval.id}. Then it is issued at the next try.",
        retry_after=RETRY_AFTER,
    )


def _digest(asked: Approval, subject: bytes, names: bytes) -> bytes:
    words = (asked.device, asked.profile, asked.label, asked.caller, asked.address, asked.takes_over_from)
    parts = (*(word.encode() for word in words), subject, names, asked.bound_key)
    return hashlib.sha256(b"".join(len(part).to_bytes(4) + part for part in parts)).digest()


def shortened(text: str) -> str:
    """What a stranger wrote takes no more room than this, in the ledger and in the log."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
