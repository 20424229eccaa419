"""Whether a device of IoT Edge asks itself. Its runtime starts modules only when it has its certificates. Pure.

So a server that is a module on the same device cannot give it the first ones: the device waits for itself, for ever.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from nestor.doctor.words import Topic, fine, quoted, warning
from nestor.finding import Finding

_WHY = "the runtime starts modules only when the device has its identity and its Edge CA"
_WAYS = "Run the same image beside IoT Edge, or let the device enroll elsewhere (docs/deploy.md, Beside IoT Edge)."


@dataclass(frozen=True, slots=True)
class Here:
    """Where the doctor runs: in a module of a device, by the id of that; on a device itself; or on neither."""

    module_of: str = ""
    device: bool = False


NOWHERE = Here()


def judge_itself(here: Here, *, own: bool, answered: bool) -> Iterator[Finding]:
    """What it means for the device here that the server has an address of this machine; `answered` if it is there."""
    if not own:
        return
    if here.module_of:
        device = quoted(here.module_of)
        sentence = f"This server is a module of {device}, which cannot get its first certificates from it: {_WHY}."
        yield warning(Topic.TCP, sentence, f"{_WAYS} Other devices are not concerned.")
    elif here.device and answered:
        sentence = "This device asks itself: right, if the server is no module of it."
        yield fine(Topic.TCP, sentence, f"A module could not give the first certificates: {_WHY}.")
    elif here.device:
        sentence = f"This device asks itself. If that server is to be a module of it, it will never start: {_WHY}."
        yield warning(Topic.TCP, sentence, _WAYS)
