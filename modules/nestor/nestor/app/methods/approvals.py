"""`listPending`, `approve`, `deny`: an operator's word on requests that wait for it, from afar."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any

from pydantic import AfterValidator

from nestor.app.answer import Answer, Moment
from nestor.app.approvals import Listed, listed, looked_at
from nestor.app.methods.form import Office
from nestor.approval import Approval, ApprovalState, verdict
from nestor.document import Document, described
from nestor.registrar.approval import build_limits
from nestor.twin.legal import shortened, size

_PAGE = 96 * 1024
"""Bytes of a page: IoT Hub takes 128 KB of an answer, everything included."""

_LONGEST = 1024
_RIVALS = 20
_WAY = "direct method"


def _cursor(text: str) -> str:
    time, _, id_ = text.partition("-")
    if not (time.isascii() and time.isdigit() and len(time) < 19 and id_):  # noqa: PLR2004 -- 64 bits
        msg = "a cursor is what the page before answered"
        raise ValueError(msg)
    return text


class ListPending(Document):
    """Which requests to list; without keys, all that wait for approval."""

    all: bool = described("Also those that were approved or denied of late.", default=False)
    limit: int = described("At most so many in one answer.", 50, ge=1, le=500)
    cursor: Annotated[str, AfterValidator(_cursor)] | None = described(
        "What the page before answered, to go on after it.", None
    )


class Decide(Document):
    """Which request, and who decides."""

    id: str = described("Its id, as listPending and the answer to the device show it.", min_length=1, max_length=64)
    by: str | None = described("Who decides, for whoever reads it later.", None, min_length=1, max_length=100)


class Approve(Decide):
    """Which request to approve, and who does."""


class Deny(Decide):
    """Which request to deny, and who does."""


class Waiting(Answer):
    """A request that has to be approved."""

    id: str = described("What it is called by.")
    state: str = described("pending, approved, denied, or used when its certificate was issued.")
    device: str = described("The device that the certificate is to be for.")
    profile: str = described("The profile.")
    subject: str = described("The subject.")
    alternative_names: str | None = described("The subject alternative names, if any.", None)
    label: str = described("The EST path that it was asked for on.")
    asked_by: str = described("By what kind of credential, and who.")
    address: str = described("From where.")
    key: str = described("The SHA-256 of the public key of the last try, in hex (of SubjectPublicKeyInfo).")
    only_this_key: bool = described("Whether it is for this key alone.")
    takes_over_from: str | None = described(
        "The other kind of credential that first got the device its live certificates, if it did.", None
    )
    live_certificates: int = described("Live certificates that the device has; a new device has none.")
    first_asked: Moment = described("When it was first asked for.")
    last_asked: Moment = described("When it was last asked for.")
    requests: int = described("How often.")
    until: Moment = described("When it is forgotten, or until when the decision is good.")
    competes_with: tuple[str, ...] = described("The ids of others that want the same device.")
    decided: Moment | None = described("When it was decided.", None)
    decided_by: str | None = described("Who decided.", None)


class WaitingPage(Answer):
    """Requests that have to be approved, the oldest first."""

    requests: tuple[Waiting, ...] = described("The requests.")
    cursor: str | None = described("Where the next page begins; absent on the last one.", None)


class Decision(Waiting):
    """A request that is decided."""


async def list_pending(office: Office, wish: ListPending) -> WaitingPage:
    """List what waits for approval, the oldest first, page by page; with who competes for the same device."""
    everything = await listed(office.ledger, office.now, every=wish.all)
    rest = [one for one in everything if wish.cursor is None or _order(one.approval) > _after(wish.cursor)]
    shown = list(islice(_that_fit(rest), wish.limit))
    more = len(rest) > len(shown)
    last = rest[len(shown) - 1].approval if shown else None
    return WaitingPage(requests=tuple(shown), cursor="{}-{}".format(*_order(last)) if last and more else None)


async def approve(office: Office, wish: Approve) -> Decision:
    """Approve a request: the next try gets its certificate, once. Refused while others compete for the same device."""
    return await _decide(office, wish, ApprovalState.APPROVED)


async def deny(office: Office, wish: Deny) -> Decision:
    """Deny a request: it is refused for a while (approval.waitsFor). Takes back an approval that was not used yet."""
    return await _decide(office, wish, ApprovalState.DENIED)


async def _decide(office: Office, wish: Decide, state: ApprovalState) -> Decision:
    limits = build_limits(office.server.house.settings.approval)
    by = f"{_WAY}, {wish.by}" if wish.by else _WAY
    said = verdict(state, by, office.now, limits)
    decided = await office.server.approvals.decide(office.ledger, wish.id, said)
    return Decision(**_fields(await looked_at(decided, (), office.ledger, office.now)))


def _that_fit(found: Sequence[Listed]) -> Iterator[Waiting]:
    """The first of them, as many as have room in one answer."""
    left = _PAGE
    for one in found:
        shown = Waiting(**_fields(one))
        left -= size(shown.document())
        if left < 0:
            return
        yield shown


def _order(approval: Approval) -> tuple[int, str]:
    return int(approval.asked_at.timestamp()), approval.id


def _after(cursor: str) -> tuple[int, str]:
    time, _, id_ = cursor.partition("-")
    return int(time), id_


def _fields(one: Listed) -> dict[str, Any]:
    approval = one.approval
    return {
        "id": approval.id,
        "state": approval.state.value,
        "device": shortened(approval.device, _LONGEST),
        "profile": shortened(approval.profile, _LONGEST),
        "subject": shortened(approval.subject, _LONGEST),
        "alternative_names": shortened(approval.alternative_names, _LONGEST) or None,
        "label": shortened(approval.label, _LONGEST),
        "asked_by": shortened(approval.asked_by, _LONGEST),
        "address": shortened(approval.address, _LONGEST),
        "key": approval.spki_sha256.hex(),
        "only_this_key": bool(approval.bound_key),
        "takes_over_from": approval.takes_over_from or None,
        "live_certificates": one.live,
        "first_asked": approval.asked_at,
        "last_asked": approval.last_asked_at,
        "requests": approval.requests,
        "until": approval.until,
        "competes_with": tuple(rival.id for rival in one.rivals[:_RIVALS]),
        "decided": approval.decided_at,
        "decided_by": approval.decided_by or None,
    }
