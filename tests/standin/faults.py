"""What can be made to go wrong, as one value that a test or a person sets while the stand-in runs.

Each fault is one that the real runtime shows. What happens at one moment (a dropped connection, a session forgotten,
edgeHub gone and back) is a method of `Edge`; what lasts is a field here.
"""

from dataclasses import dataclass, field, fields
from enum import Enum, IntEnum, auto


class Refusal(IntEnum):
    """The return codes of CONNACK by which edgeHub turns a client away."""

    UNAVAILABLE = 3
    BAD_CREDENTIALS = 4
    NOT_AUTHORIZED = 5


class Delivery(Enum):
    """What becomes of a change of the desired properties on its way to the module."""

    IN_ORDER = auto()
    HELD = auto()
    """Kept until `Edge.release_patches`, which may turn the order round."""
    SKIPPED = auto()
    """In the twin, but the module is not told."""
    UNVERSIONED = auto()
    """Told without `$version`."""


@dataclass(slots=True)
class Faults:
    """The faults in force; a fresh value has none."""

    refusal: Refusal | None = None
    """Turn away whoever connects."""
    lost_answers: int = 0
    """Take as many requests about the twin, acknowledge them, and never answer."""
    twin_status: int | None = None
    """Answer requests about the twin with this status: 429, 400, 500."""
    twin_empty: bool = False
    """Answer with a twin of nothing, without versions: an edgeHub offline since its store was lost."""
    metadata: bool = False
    """Put `$metadata` into twins and patches."""
    delivery: Delivery = Delivery.IN_ORDER
    """How changes of the desired properties are told."""
    answer_delay: float = 0.0
    """Seconds before an answer about the twin."""
    acknowledges: bool = True
    """Whether messages of the module get their PUBACK."""

    workload_failing: frozenset[str] = field(default=frozenset())
    """Calls of the workload API that end in status 500, by the last word of their path: sign, server, decrypt..."""
    workload_hangs: bool = False
    """The workload API takes requests and never answers."""
    workload_trust: str = ""
    """The workload API hands out this trust bundle instead of its own."""
    workload_delay: float = 0.0
    """Seconds before the workload API answers."""

    def clear(self) -> None:
        """End every fault."""
        healthy = Faults()
        for one in fields(self):
            setattr(self, one.name, getattr(healthy, one.name))
