"""How a refusal by a Nestor ends: with the ids of the request in the logs of the servers that it passed.

    ... Send the same request again: it gets the same certificate. (request 830bd60c6190, a5924add53c2, 8f5c3eb200b4)

That of the server that was asked first is the first. Whatever ends so has told a remedy already.
"""

import re
from collections.abc import Sequence

_MOST = 15  # more than hops there may be
_ENDING = re.compile(rf"(.*?) ?\(request ([0-9a-f]{{1,32}}(?:, [0-9a-f]{{1,32}}){{0,{_MOST}}})\)", re.DOTALL)


def parted(text: str) -> tuple[str, Sequence[str]]:
    """The text without such an ending, and its ids; none where somebody else wrote it."""
    found = _ENDING.fullmatch(text)
    return (found[1], found[2].split(", ")) if found else (text, ())


def ended(text: str, ids: Sequence[str]) -> str:
    """The text with such an ending; as it is, where there are no ids."""
    return f"{text} (request {', '.join(ids)})".lstrip() if ids else text


def hinted(text: str, hint: str) -> str:
    """The text with a remedy before such an ending."""
    words, ids = parted(text)
    return ended(f"{words} {hint}".strip(), ids)


def signed(text: str, own: str) -> str:
    """The text with the id of this server before those of the servers above."""
    words, ids = parted(text)
    return ended(words, [own, *ids])
