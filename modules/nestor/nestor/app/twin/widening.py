"""What a wish would widen, and whether the host lets it. Pure, but for the look at where files are (`places.py`).

The settings of the host alone are compared with those that the wish makes of them. What is not wider is the twin's to
decide; what is wider the host has to allow, by `twin.may` and `twin.names`, and it is told wherever it is done.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nestor.app.twin.changes import Change, Entry, entries
from nestor.app.twin.rules import find_rule
from nestor.document import Document, Reference, any_contains
from nestor.errors import SettingsError
from nestor.settings import Settings
from nestor.twin.legal import shortened
from nestor.twin.settings import EVERYTHING, Power, TwinSettings

_SHOWN = 160

MayName = Callable[[Reference], bool]
"""Whether the twin may name a file, or a variable of the environment."""


@dataclass(frozen=True, slots=True)
class Widening:
    """A key by which a wish widens power: which power, its path, what it lets happen, for which device ids."""

    power: Power | None
    path: str
    sentence: str
    names: tuple[str, ...] = ()


def widenings(host: Settings, wanted: Settings, said: Settings, may_name: MayName) -> Sequence[Widening]:
    """What a wish widens, against the settings of the host alone; `said` are those of its document only."""
    measured = (_least(entry, host.twin) for entry in entries(host, wanted, said))
    misplaced = _misplaced(host, wanted, may_name)
    return [*(widening for found in measured for widening in found), *misplaced]


def check_allowed(found: Sequence[Widening], twin: TwinSettings) -> None:
    """Raise SettingsError, a line for every widening that the host does not let the twin do."""
    refused = [widening for widening in found if not is_allowed(widening, twin)]
    if refused:
        lines = [f"{one.path}: {one.sentence}; this host does not let its twin do that." for one in refused]
        raise SettingsError("\n".join(lines), _remedy(refused, twin))


def is_allowed(widening: Widening, twin: TwinSettings) -> bool:
    """Whether the host lets its twin do it."""
    if EVERYTHING in twin.may:
        return True
    power = widening.power is None or widening.power in twin.may
    return power and all(any_contains(twin.names, name) for name in widening.names)


def _least(entry: Entry, twin: TwinSettings) -> Sequence[Widening]:
    """The widenings of an entry by the measure that suits it best."""
    found = [[widening for change in measure if (widening := _judge(change)) is not None] for measure in entry]
    return min(found, key=lambda one: (sum(not is_allowed(widening, twin) for widening in one), len(one)))


def _judge(change: Change) -> Widening | None:
    rule = find_rule(change.rule)
    names = tuple(rule.names(change))
    if not names and not rule.widens(change):
        return None
    told = f"{rule.lets}: {shortened(', '.join(names), _SHOWN)}" if names else rule.lets
    return Widening(rule.power, change.path, told, names)


def _misplaced(host: Settings, wanted: Settings, may_name: MayName) -> Iterator[Widening]:
    """What a wish names outside the places that are open to it, unless the host itself names it."""
    known = {reference for _, reference in references(host)}
    for path, reference in references(wanted):
        if reference not in known and not may_name(reference):
            kind = "a variable" if reference.kind == "env" else "a file"
            yield Widening(Power.FILES, path, f"{kind} would be read that is not open to the twin")


def references(value: object, path: str = "") -> Iterator[tuple[str, Reference]]:
    """Every file and variable that a document names, with the path of its key."""
    if isinstance(value, Reference):
        yield path, value
    elif isinstance(value, Document):
        for name, field in type(value).model_fields.items():
            yield from references(getattr(value, name), f"{path}.{field.alias or name}".lstrip("."))
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield from references(below, f"{path}.{key}")


def _remedy(refused: Sequence[Widening], twin: TwinSettings) -> str:
    """What the host would have to say, in its own document or by variables of the deployment."""
    powers = dict.fromkeys(widening.power for widening in refused if widening.power not in {None, *twin.may})
    names = dict.fromkeys(name for one in refused for name in one.names if not any_contains(twin.names, name))
    lines, variables = [], []
    if powers:
        lines.append(f'twin.may = "{", ".join([*twin.may, *filter(None, powers)])}"')
        variables.append("NESTOR_TWIN_MAY")
    if names:
        lines.append(f'twin.names = "{shortened(", ".join([*twin.names, *names]), _SHOWN)}"')
        variables.append("NESTOR_TWIN_NAMES")
    return (
        f"The host's own document would allow it by {' and '.join(lines)}; a module without one, "
        f"by {' and '.join(variables)} in its deployment (docs/twin.md)."
    )
