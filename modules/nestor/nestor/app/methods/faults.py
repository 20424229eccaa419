"""What can go wrong with a direct method, as a status in the manner of HTTP and `{error, hint}`: the one table."""

from collections.abc import Mapping

from nestor.cloud import MethodAnswer
from nestor.errors import (
    CannotDecide,
    CannotIssue,
    Malformed,
    MaterialError,
    NestorError,
    OurFault,
    TooLarge,
    TooOften,
    TooSlow,
    Unavailable,
    UnknownPath,
)
from nestor.twin.legal import shortened

_LONGEST = 4096
"""Bytes of a sentence: a payload may be wrong in thousands of places."""

STATUSES: Mapping[type[NestorError], tuple[int, str]] = {
    Malformed: (400, "The payload is not what the method takes; the error names the path of each key that is wrong."),
    UnknownPath: (404, "There is no such method, or no such certificate or request."),
    MaterialError: (409, "A file of this Nestor is missing, damaged, or contradicts another."),
    CannotDecide: (409, "It was decided and used, or others compete for the same device: deny the wrong ones first."),
    TooLarge: (413, "The answer would be larger than IoT Hub takes."),
    TooOften: (429, "Too many methods are being answered at this time."),
    OurFault: (500, "A fault of Nestor's own; the log tells more."),
    CannotIssue: (503, "Nothing can be signed, read or recorded at this time; the error says why."),
    Unavailable: (503, "Somebody who is needed for it cannot be reached."),
    TooSlow: (504, "It took too long, and goes on; look later what became of it."),
}
"""The status of each kind of fault, and what it means."""


def answer_of(fault: NestorError) -> MethodAnswer:
    """The answer that tells of a fault."""
    status = next((code for kind, (code, _) in STATUSES.items() if isinstance(fault, kind)), STATUSES[OurFault][0])
    hint = {"hint": fault.hint} if fault.hint else {}
    return MethodAnswer(status, {"error": shortened(fault.sentence, _LONGEST), **hint})
