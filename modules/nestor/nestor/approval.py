"""What an operator may have to approve before it is issued (design D8): the rules of a path, and what waits there.

An approval is for names, a credential and an address, never for a key: a device that makes a new key for every try
gets its certificate all the same. Pure; times are aware datetimes in UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from nestor.errors import CannotDecide, TooOften

RETRY_AFTER = 60
"""Seconds after which it is worth asking again."""


class ApprovalAnswer(StrEnum):
    """Whether requests on a path have to be approved, and what is answered until then.

    `retry` is a status that every client takes for a failure and tries again after. `accepted` is 202 (RFC 7030,
    4.2.3), for clients that repeat the very same request: such an approval is for the key as well.
    """

    NONE = "none"
    RETRY = "retry"
    ACCEPTED = "accepted"


class ApprovalScope(StrEnum):
    """Which requests have to be approved on a path that asks for it.

    `newDevices`: those without a certificate of ours. `newProfiles`: also those for a profile of which the device has
    no live certificate. `everything`: renewals too.
    """

    NEW_DEVICES = "newDevices"
    NEW_PROFILES = "newProfiles"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """What a path says of approvals.

    `reonboarding`: a name that is live may be had by another class of credential than the first, once that is approved.
    """

    answer: ApprovalAnswer = ApprovalAnswer.NONE
    scope: ApprovalScope = ApprovalScope.NEW_PROFILES
    reonboarding: bool = False


NO_APPROVAL = ApprovalRules()
"""What policy admits is issued."""


@dataclass(frozen=True, slots=True)
class ApprovalLimits:
    """How long what waits is kept after it was last asked for, and a denial holds; how long an approval is good.

    At most `per_credential` and `in_all` may wait at a time.
    """

    waits_for: timedelta
    good_for: timedelta
    per_credential: int
    in_all: int


class ApprovalState(StrEnum):
    """What has become of a request that has to be approved; `used` when its certificate was issued."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    USED = "used"


OPEN = frozenset({ApprovalState.PENDING, ApprovalState.APPROVED})
"""From here a certificate may still come."""

EVERY_STATE = frozenset(ApprovalState)


@dataclass(frozen=True, slots=True)
class Approval:
    """A request that has to be approved, as the ledger keeps it until `until`.

    `key` is a digest of what would be approved: everything up to `takes_over_from`. `id` is what people call it by: the
    id of the first request. `bound_key` is the SHA-256 of the only public key that it is for, empty where any will do;
    `spki_sha256` is that of the last request. `takes_over_from` is the class of credential that first onboarded the
    device, where it is another one. Whatever was the last request's: `address` stays, the others change.
    """

    key: bytes
    id: str
    device: str
    subject: str
    alternative_names: str
    profile: str
    label: str
    caller: str
    address: str
    bound_key: bytes
    takes_over_from: str
    asked_by: str
    spki_sha256: bytes
    asked_at: datetime
    last_asked_at: datetime
    requests: int
    until: datetime
    state: ApprovalState = ApprovalState.PENDING
    decided_at: datetime | None = None
    decided_by: str = ""

    def competes_with(self, other: "Approval") -> bool:
        """Whether the other would give the same device to somebody else: another credential, address or bound key."""
        mine, theirs = (self.caller, self.address, self.bound_key), (other.caller, other.address, other.bound_key)
        both_keys = bool(self.bound_key and other.bound_key)
        return self.device == other.device and (mine != theirs if both_keys else mine[:2] != theirs[:2])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an operator says: approved or denied, who says it, when, and until when it is good."""

    state: ApprovalState
    by: str
    at: datetime
    until: datetime


def verdict(state: ApprovalState, by: str, at: datetime, limits: ApprovalLimits) -> Verdict:
    """A verdict that is good for as long as the limits say."""
    return Verdict(state, by, at, at + (limits.good_for if state is ApprovalState.APPROVED else limits.waits_for))


def competitors(approval: Approval, others: Iterable[Approval]) -> list[Approval]:
    """Those of the others that keep it from being approved."""
    return [other for other in others if other.state in OPEN and approval.competes_with(other)]


_NAMED = 5


def decided(approval: Approval, said: Verdict, others: Iterable[Approval]) -> Approval:
    """What becomes of it; said twice, it stays. Raises CannotDecide: it is used, or others want the same device."""
    if approval.state is said.state:
        return approval
    if approval.state is ApprovalState.USED:
        raise CannotDecide(f"{approval.id} was approved, and its certificate is issued.", "Revoke that, if need be.")
    if said.state is ApprovalState.APPROVED:
        _check_alone(approval, competitors(approval, others))
    return replace(approval, state=said.state, decided_at=said.at, decided_by=said.by, until=said.until)


def tried_again(approval: Approval, asked: Approval) -> Approval:
    """The same request once more: one that waits is kept for longer, one that was decided stays as it is."""
    if approval.state is not ApprovalState.PENDING:
        return approval
    return replace(
        approval,
        requests=approval.requests + 1,
        spki_sha256=asked.spki_sha256,
        last_asked_at=asked.last_asked_at,
        until=asked.until,
    )


def no_room(asked: Approval, limits: ApprovalLimits, *, waiting: int = 0, of_credential: int = 0) -> TooOften | None:
    """Why this one cannot wait as well, while so many do."""
    if of_credential >= limits.per_credential:
        sentence = f"{of_credential} requests of {asked.asked_by} wait for approval already."
    elif waiting >= limits.in_all:
        sentence = f"{waiting} requests wait for approval already."
    else:
        return None
    hint = "The operator of this server approves or denies some of them first."
    return TooOften(sentence, hint, retry_after=RETRY_AFTER)


def _check_alone(approval: Approval, rivals: Sequence[Approval]) -> None:
    if rivals:
        told = ", ".join(f"{one.id} ({one.asked_by} from {one.address})" for one in rivals[:_NAMED])
        more = f" and {len(rivals) - _NAMED} more" if len(rivals) > _NAMED else ""
        raise CannotDecide(
            f"{approval.id} cannot be approved: {approval.device} is also asked for as {told}{more}.",
            "Find out which of them is the device, and deny the others first.",
        )
