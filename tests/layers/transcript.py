"""How the story is told: chapters, what happens, what is typed on which layer, what comes of it."""

import shlex
import textwrap
from collections.abc import Callable, Sequence

_NARROW = 110


class Transcript:
    """Says each line as soon as it happened; `lines` are all of them."""

    def __init__(self, say: Callable[[str], None] = print) -> None:
        self._say = say
        self.lines: list[str] = []

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self._tell("", title, "=" * len(title))

    def scene(self, sentence: str) -> None:
        """Say what is tried."""
        self._tell("", sentence)

    def typed(self, layer: int, words: Sequence[str]) -> None:
        """Show a command as it is typed on a layer."""
        for number, line in enumerate(_broken(shlex.join(("nestor", *words)))):
            self._tell(f"  layer{layer}$ {line}" if number == 0 else f"            {line}")

    def fact(self, sentence: str) -> None:
        """Say what came of it."""
        self._tell(*textwrap.wrap(sentence, _NARROW, initial_indent="    ", subsequent_indent="        "))

    def _tell(self, *lines: str) -> None:
        for line in lines:
            self.lines.append(line)
            self._say(line)


def _broken(command: str) -> Sequence[str]:
    """A command over as many lines as a page has room for."""
    lines = [""]
    for word in command.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) > _NARROW:
            lines[-1] += " \\"
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines
