"""What passes between this module and the cloud: how the link is, what a direct method answers, one message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LinkState:
    """Whether edgeHub is reached, since when it is so, and in a sentence why not."""

    connected: bool
    since: datetime
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class MethodAnswer:
    """What a direct method answers: a status in the manner of HTTP, and an object."""

    status: int
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Message:
    """A message for the routes of edgeHub, from one of this module's outputs."""

    output: str
    body: bytes = field(repr=False)
    content_type: str
    properties: Mapping[str, str] = field(default_factory=dict)
