"""The topics of edgeHub for modules, as values: twin, direct methods, messages. Pure."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

_READ = re.compile(r"\$iothub/twin/GET/\?\$rid=(?P<request>.+)")
_REPORT = re.compile(r"\$iothub/twin/PATCH/properties/reported/\?\$rid=(?P<request>.+)")
_ANSWER = re.compile(r"\$iothub/methods/res/(?P<status>-?\d+)/\?\$rid=(?P<request>.+)")
_EVENT = re.compile(r"devices/(?P<device>[^/]+)/modules/(?P<module>[^/]+)/messages/events/(?P<properties>.*)")

_OUTPUT, _CONTENT_TYPE = "$.on", "$.ct"


@dataclass(frozen=True, slots=True)
class TwinRead:
    """The module asks for its twin."""

    request: str


@dataclass(frozen=True, slots=True)
class TwinReport:
    """The module patches its reported properties."""

    request: str


@dataclass(frozen=True, slots=True)
class MethodAnswer:
    """The module answers a direct method."""

    request: str
    status: int


@dataclass(frozen=True, slots=True)
class Event:
    """A message of the module; `system` holds what the SDK says about it (`$.on`, `$.ct`, `$.mid`)."""

    properties: dict[str, str]
    system: dict[str, str] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """The output that it left by."""
        return self.system.get(_OUTPUT, "")

    @property
    def content_type(self) -> str:
        """The media type of its body."""
        return self.system.get(_CONTENT_TYPE, "")


Topic = TwinRead | TwinReport | MethodAnswer | Event


def understand(topic: str) -> Topic | None:
    """What a module publishes there; None where edgeHub expects nothing of a module."""
    if told := _READ.fullmatch(topic):
        return TwinRead(told["request"])
    if told := _REPORT.fullmatch(topic):
        return TwinReport(told["request"])
    if told := _ANSWER.fullmatch(topic):
        return MethodAnswer(told["request"], int(told["status"]))
    if told := _EVENT.fullmatch(topic):
        pairs = dict(parse_qsl(told["properties"], keep_blank_values=True))
        system = {name: value for name, value in pairs.items() if name.startswith("$.")}
        return Event({name: value for name, value in pairs.items() if name not in system}, system)
    return None


def twin_answer(status: int, request: str, version: int | None = None) -> str:
    """Where an answer about the twin goes."""
    told = "" if version is None else f"&$version={version}"
    return f"$iothub/twin/res/{status}/?$rid={request}{told}"


def desired_patch(version: int) -> str:
    """Where a change of the desired properties goes."""
    return f"$iothub/twin/PATCH/properties/desired/?$version={version}"


def method_call(name: str, request: str) -> str:
    """Where a direct method is called."""
    return f"$iothub/methods/POST/{name}/?$rid={request}"
