"""What one EST server tells the next about a request that it hands on: who asked, by which way, until when.

The first hop writes who asked, and every later one leaves it as it is (RFC 9440, 2.4). Nothing of it is a proof: it is
believed only from a forwarder that the settings name, and then within its scope (design D7).
"""

from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

MOST_HOPS = 8
"""How many forwarders a request may pass."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The word of the first hop that somebody without a certificate asked: how they proved it, who, on which label.

    `method` is a word of `model.Method`. `address` is the client's, as the first hop saw it; empty where none is told.
    """

    method: str
    user: str
    label: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Conveyance:
    """Who asked, and on which way the request has come.

    `certificate` proved possession of its key to the first hop, `chain` is what it was sent with. `hops` are the ids of
    the forwarders, the first one first. `deadline` is the moment, monotonic and in seconds, by which the whole answer
    is due. `idempotency_key` stays the same when a forwarder sends the same request again.
    """

    certificate: x509.Certificate | None = None
    chain: tuple[x509.Certificate, ...] = ()
    statement: Statement | None = None
    hops: tuple[str, ...] = ()
    deadline: float | None = None
    idempotency_key: str | None = field(default=None, repr=False)

    @property
    def names_somebody(self) -> bool:
        """Whether it says who asked; where it does not, the forwarder asks for itself."""
        return self.certificate is not None or self.statement is not None


@dataclass(frozen=True, slots=True)
class Hop:
    """What a server says of itself, and of the one above that it asks; nothing secret, and no device.

    `server` is its id among the hops. `forwards`: whether what devices ask of it comes from above. `problems` are the
    names of what keeps it from issuing. `parent` is the address that it asks, empty at the top; `reached` and `since`
    say how that is, `latency` is that of the last answer in seconds, `fault` a sentence. `reached` is None where the
    parent was not asked.
    """

    server: str
    forwards: bool = False
    problems: tuple[str, ...] = ()
    parent: str = ""
    reached: bool | None = None
    since: datetime | None = None
    latency: float | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """A request that is about to be handed on, as the ledger keeps it until its certificate is recorded.

    `key` is that of replays (design D6): the same request, sent again, is the same intent.
    """

    key: bytes = field(repr=False)
    sent_at: datetime
    device: str
    profile: str
    label: str
    spki_sha256: bytes
