"""What a check found, in words: one noun for all who look at something and say how it is."""

from dataclasses import dataclass
from enum import StrEnum


class Gravity(StrEnum):
    """What a finding means to whoever reads it."""

    FINE = "fine"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check looked at: what, how it is, and what to do where it is not as it should be."""

    gravity: Gravity
    about: str
    sentence: str
    remedy: str = ""
