"""What happened, for whoever listens: log, counters, reports. Nobody who tells an event knows who hears it."""

from dataclasses import dataclass
from datetime import datetime

from nestor.approval import Approval
from nestor.cloud import LinkState
from nestor.model import Entry, Refusal


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A certificate left the house; `replayed` when the same request got the same one again."""

    entry: Entry
    replayed: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody asked for what they did not get; by `forwarder`, if one conveyed it, whatever may be said of that."""

    refusal: Refusal
    forwarder: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request has its answer, whatever that says; `operation` is a word of EST, `health`, or `other`."""

    address: str
    request: str
    operation: str
    status: int
    seconds: float
    request_id: str


@dataclass(frozen=True, slots=True)
class Carried:
    """A request was carried on a route, or could not be: then `status` is 0. Bytes are those of bodies."""

    route: str
    address: str
    request: str
    status: int
    seconds: float
    sent: int
    received: int
    request_id: str


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A request that never came to the desk: a wrong path or method, a body of another kind, too large or too slow."""

    address: str
    request: str
    reason: str
    sentence: str
    request_id: str


@dataclass(frozen=True, slots=True)
class HandshakeFailed:
    """Somebody did not get as far as a request."""

    address: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Listening:
    """The server takes connections; `authority` is the SHA-256 of its CA certificate, empty where there is none."""

    url: str
    addresses: tuple[str, ...]
    authority: str


@dataclass(frozen=True, slots=True)
class Adopted:
    """The ledger took in a certificate that it had not seen issued, on an operator's word (design D23)."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate was revoked; `by` says on what way: a direct method, or a command on this host."""

    entry: Entry
    by: str


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """Somebody asks for a certificate that an operator has to approve first; told once for all tries."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class ApprovalDecided:
    """An operator approved or denied a request; the approval tells who did."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class SettingsApplied:
    """A new house stands; `revision` identifies its settings."""

    revision: str


@dataclass(frozen=True, slots=True)
class SettingsRefused:
    """New settings did not hold; the last good ones stay in force."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Widened:
    """The module twin widened power by one key of the settings, as the host lets it (design D10)."""

    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that an operator should know of; `about` is a stable short word, the sentence never holds a secret.

    `cause` is the error behind it, which is for the log alone. `passing` is what keeps nothing from being issued and
    is expected to mend itself: the log gives it less weight, and nobody counts it.
    """

    about: str
    sentence: str
    cause: BaseException | None = None
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a line in the log: a start, a stop, a renewal of the server's own certificate."""

    about: str
    sentence: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """EdgeHub is reached, or is not any more."""

    state: LinkState


@dataclass(frozen=True, slots=True)
class UpstreamState:
    """Whether the server of the layer above is reached, since when; `latency` of its last answer in seconds.

    `reached` is None until it has been asked. `sentence` says what is wrong.
    """

    reached: bool | None
    since: datetime
    sentence: str | None = None
    latency: float | None = None


@dataclass(frozen=True, slots=True)
class UpstreamChanged:
    """The server of the layer above is reached, or is not any more, or something is wrong with what it shows."""

    state: UpstreamState


@dataclass(frozen=True, slots=True)
class Fatal:
    """The process cannot recover and ends, so that whoever watches over it starts it anew."""

    sentence: str


Event = (
    Enrolled
    | Refused
    | Adopted
    | Revoked
    | ApprovalAsked
    | ApprovalDecided
    | Answered
    | Carried
    | TurnedAway
    | HandshakeFailed
    | Listening
    | SettingsApplied
    | SettingsRefused
    | Widened
    | Trouble
    | Note
    | LinkChanged
    | UpstreamChanged
    | Fatal
)
