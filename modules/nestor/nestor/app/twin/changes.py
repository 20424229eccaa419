"""What a wish changes of the settings, key by key: what the host alone has there, and what is wished. Pure.

Maps of profiles, users, makers, labels and routes are compared entry by entry. A new entry has to be measured by
something, and each kind says by what.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args, get_origin

from nestor.access.settings import BootstrapSettings, ForwarderSettings, UserSettings
from nestor.ca.builtin import BUILT_IN, FORWARDER
from nestor.ca.catalog import settings_of
from nestor.ca.settings import ProfileSettings
from nestor.document import Document, literal
from nestor.naming import fold
from nestor.proxy.preset import routes_of
from nestor.proxy.settings import RouteSettings
from nestor.registrar.settings import DEFAULT, LabelSettings
from nestor.settings import Settings

NAME = "NAME"
"""Stands in the path of a rule for a name that people choose."""

OF_A_CA = " (of a CA)"
"""Stands behind the path of a rule where what is named is a profile that issues CA certificates."""

OF_A_FORWARDER = " (of a forwarder)"
"""Stands there where it is the profile of servers that speak for others."""

_PROFILE = f"profiles.{NAME}"
_EVERY = "*"


@dataclass(frozen=True, slots=True)
class Change:
    """One key: its path, the path of the rule for it, the value of the host alone, the value that is wished.

    `said` where the host's own document says it, and it is not only a default.
    """

    path: str
    rule: str
    host: Any
    wanted: Any
    said: bool


Entry = Sequence[Sequence[Change]]
"""What is wished in one place, measured in several ways: it has to be within one of them."""


def entries(host: Settings, wanted: Settings, said: Settings) -> Iterator[Entry]:
    """Everything that is wished; what is left alone is among it, and changes nothing."""
    yield [list(_walk(host, wanted, said, "", ""))]
    yield from _profiles(host, wanted, said)
    yield from _users(host, wanted)
    yield from _makers(host, wanted)
    yield from _forwarders(host, wanted)
    yield from _labels(host, wanted)
    yield from _layers(host, wanted)
    yield from _routes(host, wanted)


def _profiles(host: Settings, wanted: Settings, said: Settings) -> Iterator[Entry]:
    """A profile is measured by the host's of that name; a new one has to be within any of the host's."""
    authorities = _of_cas(wanted)
    for name in _every_profile(wanted):
        path, wish = f"profiles.{name}", settings_of(name, wanted.profiles.get(name))
        yield [
            [part for change in _walk(mine, wish, word, path, _PROFILE) for part in _apart(change, authorities)]
            for mine, word in _measures(host, said, name)
        ]


def _measures(host: Settings, said: Settings, name: str) -> Iterator[tuple[ProfileSettings, ProfileSettings | None]]:
    """The host's profiles that one of this name is measured by, and what its document says of each."""
    known = _every_profile(host)
    for measure in [name] if name in known else known:
        yield settings_of(measure, host.profiles.get(measure)), said.profiles.get(measure)


def _apart(change: Change, authorities: frozenset[str]) -> Iterator[Change]:
    """Which profiles may be asked for: those of CAs and of forwarders apart from the others."""
    if change.rule != f"{_PROFILE}.mayRequest":
        yield change
        return
    for kind in ("", OF_A_CA, OF_A_FORWARDER):
        yield _of_kind(change, kind, authorities)


def _of_kind(change: Change, kind: str, authorities: frozenset[str]) -> Change:
    """A change of a list of profiles, as far as it is about those of a kind."""
    had, asked = (
        tuple(word for word in words if _kind(word, authorities) == kind) for words in (change.host, change.wanted)
    )
    return replace(change, rule=change.rule + kind, host=had, wanted=asked)


def _kind(profile: str | None, authorities: frozenset[str]) -> str:
    """What stands behind the path of a rule for a profile."""
    if profile in authorities:
        return OF_A_CA
    return OF_A_FORWARDER if profile == FORWARDER else ""


def _users(host: Settings, wanted: Settings) -> Iterator[Entry]:
    """A user has no name that the host does not grant, not even its own; but for the host's user, whose password it is.

    Otherwise whoever writes the twin could name a user after any device, and be that device. So it is with the profile
    of forwarders: it speaks for the devices of others.
    """
    known = {fold(name): user for name, user in host.access.users.items()}
    authorities = _of_cas(wanted)
    for name, user in wanted.access.users.items():
        path, rule, own = f"access.users.{name}", f"access.users.{NAME}", (literal(fold(name)),)
        mine = known.get(fold(name))
        same = mine if mine is not None and _is_same_user(mine, user) else None
        names, profiles = (same.names or own, same.profiles) if same is not None else ((), ())
        asked = Change(f"{path}.profiles", f"{rule}.profiles", profiles, user.profiles, said=False)
        yield [
            [
                Change(f"{path}.names", f"{rule}.names", names, user.names or own, said=False),
                _of_kind(asked, OF_A_FORWARDER, authorities),
            ]
        ]


def _is_same_user(mine: UserSettings, wish: UserSettings) -> bool:
    within = _EVERY in mine.profiles or {*wish.profiles} <= {*mine.profiles}
    return within and mine.password_hash == wish.password_hash


def _makers(host: Settings, wanted: Settings) -> Iterator[Entry]:
    """A maker is measured by the host's of that name; a new one is new whatever else is said of it."""
    for name, maker in wanted.access.bootstrap.items():
        mine = host.access.bootstrap.get(name)
        measure: BootstrapSettings = mine or maker.model_copy(update={"anchors": None, "names": ()})
        yield [list(_walk(measure, maker, mine, f"access.bootstrap.{name}", f"access.bootstrap.{NAME}"))]


def _forwarders(host: Settings, wanted: Settings) -> Iterator[Entry]:
    """A forwarder is measured by the host's of that name; a new one is new whatever else is said of it."""
    for name, forwarder in wanted.access.forwarders.items():
        mine = host.access.forwarders.get(name)
        measure: ForwarderSettings = mine or forwarder.model_copy(update={"subject": None, "names": ()})
        yield [list(_walk(measure, forwarder, mine, f"access.forwarders.{name}", f"access.forwarders.{NAME}"))]


def _layers(host: Settings, wanted: Settings) -> Iterator[Entry]:
    """A layer has what the host's of that name has; a new one is new whatever is said of it, as is one left out."""
    mine, wish = host.access.layers, wanted.access.layers
    for name in {**mine, **wish}:
        had, asked = (layers[name].hostnames if name in layers else None for layers in (mine, wish))
        path, rule = f"access.layers.{name}.hostnames", f"access.layers.{NAME}.hostnames"
        yield [[Change(path, rule, had, asked, said=name in mine)]]


def _labels(host: Settings, wanted: Settings) -> Iterator[Entry]:
    """A label is measured by the host's of that name, a new one by those for the same profile, else by `default`."""
    authorities = _of_cas(wanted)
    plain = LabelSettings.model_validate({})
    known = {DEFAULT: plain, **host.labels}
    for name, label in {DEFAULT: plain, **wanted.labels}.items():
        same = [other for other in host.labels.values() if label.profile is not None and other.profile == label.profile]
        measures = [known[name]] if name in known else same or [known[DEFAULT]]
        yield [list(_label(measure, label, name, authorities)) for measure in measures]


def _routes(host: Settings, wanted: Settings) -> Iterator[Entry]:
    """A route is measured by the host's of that name, be it of a preset; a new one by a route without anything."""
    known = routes_of(host.proxy, host.routes)
    plain = RouteSettings.model_validate({})
    for name, route in routes_of(wanted.proxy, wanted.routes).items():
        mine = known.get(name, plain)
        yield [list(_walk(mine, route, mine, f"routes.{name}", f"routes.{NAME}"))]


def _label(measure: LabelSettings, label: LabelSettings, name: str, authorities: frozenset[str]) -> Iterator[Change]:
    for change in _walk(measure, label, measure, f"labels.{name}", f"labels.{NAME}"):
        kind = _kind(change.wanted, authorities) if change.rule == f"labels.{NAME}.profile" else ""
        yield replace(change, rule=change.rule + kind)


def _walk(host: Document, wanted: Document, said: Document | None, path: str, rule: str) -> Iterator[Change]:
    """Every key of a document that is no map of documents."""
    for name, field in type(wanted).model_fields.items():
        if _is_map(field.annotation):
            continue
        key = field.alias or name
        place, law = f"{path}.{key}".lstrip("."), f"{rule}.{key}".lstrip(".")
        had, wish = getattr(host, name), getattr(wanted, name)
        if isinstance(wish, Document):
            yield from _walk(had, wish, getattr(said, name, None), place, law)
        else:
            yield Change(place, law, had, wish, said is not None and name in said.model_fields_set)


def _is_map(annotation: Any) -> bool:
    """Whether it is a map of documents."""
    kind = get_args(annotation)[1] if get_origin(annotation) is dict else None
    return isinstance(kind, type) and issubclass(kind, Document)


def _every_profile(settings: Settings) -> list[str]:
    return list(dict.fromkeys([*BUILT_IN, *settings.profiles]))


def _of_cas(settings: Settings) -> frozenset[str]:
    """The profiles that issue CA certificates."""
    return frozenset(name for name in _every_profile(settings) if settings_of(name, settings.profiles.get(name)).ca)
