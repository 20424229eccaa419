"""Whether settings hold beyond their form: everything that can be known without touching a file or a key.

A server tries its settings before it makes anything, so that `nestor config check` and a start find the same.
"""

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path

from nestor.access.forwarders import wrong_forwarders
from nestor.access.users import check_name
from nestor.app.forwarding import forwarded, wrong_upstream
from nestor.app.names import is_server_name
from nestor.app.trial_routes import wrong_routes
from nestor.ca.builtin import BUILT_IN
from nestor.ca.catalog import build_catalog
from nestor.ca.hierarchy import read_subject
from nestor.ca.settings import CASettings, CASource
from nestor.document import Reference
from nestor.errors import EVERY_KEY, NestorError, SettingsError
from nestor.finding import Finding, Gravity
from nestor.keys.settings import KeySettings, Protection
from nestor.naming import fold
from nestor.registrar.labels import build_labels
from nestor.settings import Settings
from nestor.twin.settings import EVERYTHING, Power, TwinSettings
from nestor.web.settings import ServerCertificateSettings, ServerCertificateSource

_EVERY = "*"
_OF_A_ROOT = ("subject", "lifetime")
_OF_A_NEW_ROOT = ("subject", "key_type", "rsa_bits", "lifetime")


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


def doubts(settings: Settings) -> list[Finding]:
    """What holds, and is hardly meant: a profile that nobody can get, a key that does nothing."""
    found = [*_odd_profiles(settings), *_idle_keys(settings), *_near_keys(settings.keys), *_dead_ends(settings)]
    return [Finding(Gravity.WARNING, about, f"{about}: {sentence}.", remedy) for about, sentence, remedy in found]


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
    for where, named in _grants(settings):
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


def _grants(settings: Settings) -> Iterator[tuple[str, Iterable[str]]]:
    """Every place where somebody is granted profiles."""
    for name, user in settings.access.users.items():
        yield f"access.users.{name}.profiles", user.profiles
    for name, maker in settings.access.bootstrap.items():
        yield f"access.bootstrap.{name}.profiles", maker.profiles
    for name, forwarder in settings.access.forwarders.items():
        yield f"access.forwarders.{name}.profiles", forwarder.profiles


def _odd_profiles(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """A new profile that nothing leads to, as one is whose name was to be that of a built-in one."""
    pinned = {label.profile for label in settings.labels.values()}
    named = {word for _, granted in _grants(settings) for word in granted}
    named |= {word for profile in settings.profiles.values() for word in profile.may_request}
    for name in settings.profiles:
        close = difflib.get_close_matches(name, BUILT_IN, n=1, cutoff=0.8)
        if name in BUILT_IN or name in pinned or (name in named and not close):
            continue
        guess = f"Did you mean {close[0]}? " if close else ""
        yield f"profiles.{name}", "this new profile is issued nowhere", f"{guess}A profile of your own needs a label."


def _dead_ends(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Paths that are to be forwarded, and nobody says where to."""
    for name, label in forwarded(settings).items():
        if label is None and name in settings.labels:
            yield f"labels.{name}", "it is not served: upstream.labels does not say where it is forwarded to", "Add it."


def _near_keys(settings: KeySettings) -> Iterator[tuple[str, str, str]]:
    """A recovery passphrase that lies beside what it opens."""
    place = settings.recovery
    if place is not None and place.kind == "file" and not Path(place.place).is_absolute():
        told = "the recovery passphrase lies in the data directory, beside the key that it opens"
        yield "keys.recovery", told, "Keep it elsewhere: whoever gets the directory gets the CA."


def _idle_keys(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Keys that are given, and that the source which was chosen does not look at."""
    ca, shown = settings.ca, settings.listener.server_certificate
    if ca.source is not CASource.ROOT:
        for name in _OF_A_NEW_ROOT if ca.source is CASource.FILE else _OF_A_ROOT:
            if name in ca.model_fields_set:
                yield (
                    f"ca.{type(ca).model_fields[name].alias}",
                    f"it does nothing where source is {ca.source}",
                    "Leave it out.",
                )
    if ca.source is not CASource.FILE and (ca.certificate is not None or ca.chain is not None):
        name = "certificate" if ca.certificate is not None else "chain"
        yield f"ca.{name}", f"it does nothing where source is {ca.source}", 'Leave it out, or write source = "file".'
    if shown.source is not ServerCertificateSource.FILE and (shown.certificate is not None or shown.key is not None):
        where = "listener.serverCertificate"
        yield where, f"certificate and key do nothing where source is {shown.source}", 'Write source = "file".'
