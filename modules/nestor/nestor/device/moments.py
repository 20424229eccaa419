"""The words in which a config.toml says when to renew: read, judged, and put right. Pure.

cert-renewal's policy.rs takes `NN%` of the lifetime, counted from its begin, or `NNmin` or `NNday` before its end.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from nestor.device.part import Part

USUAL = {"threshold": "80%", "retry": "4%"}
"""What the runtime does where the file says nothing: when to begin, and how long to wait after a failure."""

WHOLE = 100

_TAKEN = re.compile(r"([0-9]{1,9})(%|min|day)")
_MEANT = re.compile(r"\s*([0-9]{1,9})\s*([a-zA-Z%]*)\s*")
_UNITS = {"min": timedelta(minutes=1), "day": timedelta(days=1)}
_WORDS = {
    "": "%",
    "percent": "%",
    "m": "min",
    "mins": "min",
    "minute": "min",
    "minutes": "min",
    "d": "day",
    "days": "day",
}
_HOURS = {"h", "hr", "hour", "hours"}


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in the life of a certificate: a percentage of it, or a time before its end."""

    percent: int | None = None
    before: timedelta | None = None

    def within(self, begin: datetime, end: datetime) -> datetime:
        """When that is, for a certificate with these dates; its begin where it would be earlier."""
        if self.before is not None:
            return end - min(self.before, end - begin)
        return begin + (end - begin) * (self.percent or 0) / WHOLE


def parse_moment(word: str) -> Moment | None:
    """Read `80%`, `60min` or `7day`; None for what the runtime refuses."""
    match = _TAKEN.fullmatch(word)
    number = int(match[1]) if match else 0
    if match is None or number == 0 or (match[2] == "%" and number >= WHOLE):
        return None
    return Moment(percent=number) if match[2] == "%" else Moment(before=number * _UNITS[match[2]])


def moment_of(part: Part | None, key: str) -> Moment | None:
    """What a table says, or the runtime does by itself; None for what it refuses."""
    word = USUAL[key] if part is None else part.text(key)
    return None if word is None else parse_moment(word)


def why_refused(word: str) -> str:
    """What is wrong with a word that the runtime refuses."""
    match = _MEANT.fullmatch(word)
    if match is None:
        return "is no time that the runtime takes"
    if match[2] in {"%", *_UNITS} and word == match[1] + match[2]:
        return "is out of range: 1% to 99%, or 1min, 1day and more"
    return "has a unit that the runtime refuses; it takes %, min and day"


def better(word: str, key: str) -> str:
    """What was probably meant, in words that the runtime takes."""
    match = _MEANT.fullmatch(word)
    if match is None:
        return USUAL[key]
    number, unit = int(match[1]), match[2].lower()
    if unit in _HOURS:
        number, unit = number * 60, "min"
    meant = f"{number}{_WORDS.get(unit, unit)}"
    return meant if parse_moment(meant) is not None else USUAL[key]
