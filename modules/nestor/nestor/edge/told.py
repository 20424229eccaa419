"""What a client of edgeHub tells without being asked, and how its calls fail; without a word of the SDK's."""

from dataclasses import dataclass, field

from nestor.errors import Unavailable


class Lost(Unavailable):
    """There is no connection, or no more: the client that says so is of no more use."""


class Declined(Unavailable):
    """edgeHub answered, and did not do it; `status` is that of HTTP. The connection stays."""

    def __init__(self, sentence: str, hint: str = "", *, status: int) -> None:
        super().__init__(sentence, hint)
        self.status = status


@dataclass(frozen=True, slots=True)
class Patched:
    """A change of the desired properties, as it came."""

    patch: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class Missed:
    """Something came that could not be read: a change may be missing."""


@dataclass(frozen=True, slots=True)
class Called:
    """A direct method was called; `request` is the SDK's own, for the answer."""

    request: object = field(repr=False)
    name: str
    payload: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parted:
    """The connection ended, or is about to."""

    reason: Lost


Told = Patched | Missed | Called | Parted
