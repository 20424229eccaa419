"""Whether settings hold beyond their form: everything that can be known without touching a file or a key.

A server tries its settings before it makes anything, so that `nestor config check` and a start find the same.
"""

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial

from nestor.access.forwarders import wrong_forwarders
from nestor.access.users import check_name
from nestor.app.forwarding import wrong_upstream
from nestor.app.names import is_server_name
from nestor.app.trial_routes import wrong_routes
from nestor.ca.builtin import BUILT_IN
from nestor.ca.catalog import build_catalog
from nestor.ca.hierarchy import read_subject
from nestor.ca.settings import CASettings, CASource
from nestor.document import Reference
from nestor.errors import EVERY_KEY, NestorError, SettingsError
from nestor.keys.settings import KeySettings, Protection
from nestor.naming import fold
from nestor.registrar.labels import build_labels
from nestor.settings import Settings
from nestor.twin.settings import EVERYTHING, Power, TwinSettings
from nestor.web.settings import ServerCertificateSettings, ServerCertificateSource

_EVERY = "*"


def try_settings(settings: Settings) -> None:
    """Build what needs no file. Raises SettingsError with a line for every key that is wrong."""
    known = {*BUILT_IN, *settings.profiles}
    problems = [
        *_raised(partial(build_catalog, settings.profiles)),
        *_raised(partial(build_labels, settings.labels, known)),
        *_wrong_names(settings.listener.hostnames),
        *_wrong_ca(settings.ca),
        *_wrong_layer(settings),
        *_wrong_server_certificate(settings.listener.server_certificate),
        *_wrong_keys(settings.keys),
        *_wrong_users(settings.access.users),
        *_unknown_profiles(settings, known),
        *wrong_forwarders(settings.access),
        *_wrong_twin(settings.twin),
        *wrong_upstream(settings),
        *wrong_routes(settings),
    ]
    if problems:
        raise SettingsError("\n".join(problems), EVERY_KEY)


def _raised(build: Callable[[], object]) -> list[str]:
    try:
        build()
    except NestorError as error:
        return error.sentence.splitlines()
    return []


def _wrong_names(hostnames: Collection[str]) -> Iterator[str]:
    if not hostnames:
        yield "listener.hostnames: at least one is needed; devices verify this server by it."
    for name in hostnames:
        if not is_server_name(name):
            yield f"listener.hostnames: {name!r} is no host name and no IP address."


def _wrong_ca(settings: CASettings) -> Iterator[str]:
    if settings.source is CASource.ROOT:
        yield from _raised(partial(read_subject, settings.subject)) if settings.subject is not None else ()
    elif settings.source is CASource.FILE:
        yield from _missing("ca", certificate=settings.certificate, key=settings.key)
    elif settings.key is not None:
        yield "ca.key: leave it out where source is parent; the CA changes its key with every renewal."


def _wrong_layer(settings: Settings) -> Iterator[str]:
    """What the certificates from a parent need."""
    upstream = settings.upstream
    if settings.ca.source is CASource.PARENT and upstream.identity.name is None:
        yield "upstream.identity.name: this key is needed where ca.source is parent; it is the name of this layer."
    if upstream.identity.name is None:
        return
    if upstream.url is None:
        yield "upstream.url: this key is needed where upstream.identity has a name."
    for sentence in _raised(partial(check_name, upstream.identity.name)):
        yield f"upstream.identity.name: {sentence}"


def _wrong_server_certificate(settings: ServerCertificateSettings) -> Iterator[str]:
    if settings.source is ServerCertificateSource.FILE:
        yield from _missing("listener.serverCertificate", certificate=settings.certificate, key=settings.key)


def _wrong_keys(settings: KeySettings) -> Iterator[str]:
    if settings.protection is Protection.SEALED and settings.recovery is None:
        yield (
            "keys.recovery: this key is needed where protection is sealed; the key that seals may be lost, "
            "and with it the CA."
        )


def _missing(where: str, **references: Reference | None) -> Iterator[str]:
    for key, reference in references.items():
        if reference is None:
            yield f"{where}.{key}: this key is needed where source is file."


def _wrong_users(names: Iterable[str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name in names:
        for sentence in _raised(partial(check_name, name)):
            yield f"access.users.{name}: {sentence}"
        other = seen.setdefault(fold(name), name)
        if other != name:
            yield f"access.users.{name}: user names ignore case, and there is {other}."


def _unknown_profiles(settings: Settings, known: Collection[str]) -> Iterator[str]:
    for where, named in grants(settings):
        for profile in named:
            if profile not in {_EVERY, *known}:
                yield f"{where}: there is no profile {profile}{meant(profile, known)}."


def _wrong_twin(settings: TwinSettings) -> Iterator[str]:
    known = [EVERYTHING, *Power]
    for word in settings.may:
        if word not in known:
            yield f"twin.may: there is no power {word}{meant(word, known)}."
    for directory in settings.directories:
        if not directory.startswith("/"):
            yield f"twin.directories: {directory} is no absolute path."


def meant(word: str, known: Collection[str]) -> str:
    """The end of a sentence about a word that is not known: what was probably meant, or what there is."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}" if close else f"; known are {', '.join(sorted(known))}"


def grants(settings: Settings) -> Iterator[tuple[str, Iterable[str]]]:
    """Every place where somebody is granted profiles."""
    for name, user in settings.access.users.items():
        yield f"access.users.{name}.profiles", user.profiles
    for name, maker in settings.access.bootstrap.items():
        yield f"access.bootstrap.{name}.profiles", maker.profiles
    for name, forwarder in settings.access.forwarders.items():
        yield f"access.forwarders.{name}.profiles", forwarder.profiles
