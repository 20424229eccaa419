"""What holds, and is hardly meant or cannot work: told by `nestor config check` and at a start, and refused by neither.

One table of pure rules over the settings as a whole; each names the path of a setting, what is odd, and what to do.
What only a start would find is looked up apart from them, for whoever checks before it.
"""

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from nestor.app.forwarding import forwarded
from nestor.app.routes import pattern_of, remedy_for
from nestor.app.trial import grants
from nestor.approval import ApprovalAnswer
from nestor.ca.builtin import BUILT_IN, FORWARDER, LAYER_CA
from nestor.ca.settings import CASource
from nestor.document import Document, Reference
from nestor.est.menu import BASE
from nestor.finding import Finding, Gravity
from nestor.proxy.destination import Whose, read_destination
from nestor.proxy.preset import is_of_preset, routes_of
from nestor.registrar.settings import DEFAULT
from nestor.settings import Settings
from nestor.upstream.address import parse_address
from nestor.web.settings import ServerCertificateSource

Doubt = tuple[str, str, str]
"""The path of a setting, what is odd about it, and what to do."""

_OF_A_ROOT = ("subject", "lifetime")
_OF_A_NEW_ROOT = ("subject", "key_type", "rsa_bits", "lifetime")
_HTTPS = 443

_MADE_LATER = {"users_file"}
"""Files that a start does without."""


def doubts(settings: Settings) -> list[Finding]:
    """What is odd about settings that hold."""
    return [_finding(*doubt) for rule in _RULES for doubt in rule(settings)]


def foreseen(settings: Settings, data: Path | None, *, parent: bool, edge_hub: bool) -> list[Finding]:
    """What a start may refuse: servers that nobody tells, and files that are not there.

    `parent` and `edge_hub` say whether a runtime tells where they are; `data` is where files are looked for, if at all.
    """
    told = {Whose.FIXED: True, Whose.PARENT: parent or bool(settings.proxy.parent), Whose.EDGE_HUB: edge_hub}
    found = [*_untold(settings, told), *(_missing(settings, data) if data is not None else ())]
    return [_finding(*doubt) for doubt in found]


def _finding(about: str, sentence: str, remedy: str) -> Finding:
    return Finding(Gravity.WARNING, about, f"{about}: {sentence}.", remedy)


def _odd_profiles(settings: Settings) -> Iterator[Doubt]:
    """A new profile that nothing leads to, as one is whose name was to be that of a built-in one."""
    pinned = {label.profile for label in settings.labels.values()}
    named = {word for _, granted in grants(settings) for word in granted}
    named |= {word for profile in settings.profiles.values() for word in profile.may_request}
    for name in settings.profiles:
        close = difflib.get_close_matches(name, BUILT_IN, n=1, cutoff=0.8)
        if name in BUILT_IN or name in pinned or (name in named and not close):
            continue
        guess = f"Did you mean {close[0]}? " if close else ""
        yield f"profiles.{name}", "this new profile is issued nowhere", f"{guess}A profile of your own needs a label."


def _near_keys(settings: Settings) -> Iterator[Doubt]:
    """A recovery passphrase that lies beside what it opens."""
    place = settings.keys.recovery
    if place is not None and place.kind == "file" and not Path(place.place).is_absolute():
        told = "the recovery passphrase lies in the data directory, beside the key that it opens"
        yield "keys.recovery", told, "Keep it elsewhere: whoever gets the directory gets the CA."


def _idle_keys(settings: Settings) -> Iterator[Doubt]:
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


def _dead_ends(settings: Settings) -> Iterator[Doubt]:
    """Paths that are to be forwarded, and nobody says where to."""
    for name, above in forwarded(settings).items():
        label = settings.labels.get(name)
        if above is not None or label is None:
            continue
        told = "it is not served: upstream.labels does not say where it is forwarded to"
        local = f'authority = "local" in labels.{name}'
        if label.profile == FORWARDER:
            yield f"labels.{name}", told, f"Write {local}: this server issues the certificates of its forwarders."
        else:
            yield f"labels.{name}", told, f"Add it there, or write {local}."


def _strangers(settings: Settings) -> Iterator[Doubt]:
    """A server that asks the one above, and has nothing to be known by."""
    upstream = settings.upstream
    if upstream.url is None or upstream.certificate is not None or upstream.user is not None:
        return
    if upstream.identity.name is not None:
        told = "it has nothing to get its first certificate with, nor another one where that has ended"
        yield "upstream.identity", told, "Name upstream.user and password, or upstream.certificate and key."
    elif any(forwarded(settings).values()):
        told = "requests are forwarded, and this server has nothing to be known by above"
        yield "upstream", told, "Give upstream.identity a name and a label; or name a certificate and its key."


def _plain_identities(settings: Settings) -> Iterator[Doubt]:
    """A forwarder whose certificate is asked for where no forwarder gets one."""
    upstream = settings.upstream
    forwards = upstream.conveys and any(forwarded(settings).values())
    if forwards and upstream.identity.name is not None and upstream.identity.label is None:
        told = "this key is left out, and the path without a label gives no certificate of a forwarder"
        yield "upstream.identity.label", told, 'Write the label of the parent that does: label = "forwarder".'


def _addresses(settings: Settings) -> Iterator[Doubt]:
    """A server above whose URL is not its base, or that is this server."""
    url = settings.upstream.url
    if url is None:
        return
    parts = urlsplit(parse_address(url).base)
    if parts.path.startswith(f"{BASE}/"):
        yield "upstream.url", "it goes on behind the base", f"End it with {BASE}; labels stand in upstream.labels."
    own = {name.lower() for name in settings.listener.hostnames}
    if parts.hostname in own and (parts.port or _HTTPS) == settings.listener.port:
        yield "upstream.url", "it is the address of this server itself", "Write that of the layer above."


def _unreachable_certificates(settings: Settings) -> Iterator[Doubt]:
    """Servers below that are known, and that no path gives the certificate which they need."""
    for name, forwarder in settings.access.forwarders.items():
        if forwarder.anchors is None and not _leads_to(settings, FORWARDER):
            told = "no path gives it the certificate of a forwarder, and no anchors say who else issues it"
            yield f"access.forwarders.{name}", told, _label_for("forwarder", FORWARDER, settings)
    for name in settings.access.layers:
        if not _leads_to(settings, LAYER_CA):
            yield f"access.layers.{name}", "no path gives it a CA", _label_for("layer-ca", LAYER_CA, settings)


def _leads_to(settings: Settings, profile: str) -> bool:
    """Whether a label gives a profile; one that is forwarded gives what the server above says."""
    above = forwarded(settings)
    labels = settings.labels.items()
    return any(
        label.profile == profile or (name != DEFAULT and label.profile is None and above.get(name))
        for name, label in labels
    )


def _label_for(name: str, profile: str, settings: Settings) -> str:
    local = ', authority = "local"' if forwarded(settings) else ""
    return f'Add a label for it: labels.{name} with profile = "{profile}"{local}.'


def _twice(settings: Settings) -> Iterator[Doubt]:
    """Routes that take nothing, for another one takes the same before."""
    first: dict[object, str] = {}
    for name, route in sorted(settings.routes.items()):
        if not route.to:  # off; or the preset leads it somewhere, which only a device with a parent knows
            continue
        pattern = pattern_of(routes_of(settings.proxy, settings.routes)[name])
        key = (pattern.path.rstrip("/"), pattern.header.lower(), pattern.value, pattern.methods)
        other = first.setdefault(key, name)
        if other != name:
            told = f"it takes nothing: routes.{other} takes the same requests before it"
            yield f"routes.{name}", told, "Give one another path, header or methods; or leave it out."


def _idle_approvals(settings: Settings) -> Iterator[Doubt]:
    """What is to be approved, where nothing is."""
    for name, label in settings.labels.items():
        if label.approval is ApprovalAnswer.NONE and "approval_for" in label.model_fields_set:
            told = "it does nothing where approval is none"
            yield f"labels.{name}.approvalFor", told, 'Leave it out; or write approval = "retry".'


_RULES: tuple[Callable[[Settings], Iterator[Doubt]], ...] = (
    _odd_profiles,
    _idle_keys,
    _near_keys,
    _dead_ends,
    _strangers,
    _plain_identities,
    _addresses,
    _unreachable_certificates,
    _twice,
    _idle_approvals,
)


def _untold(settings: Settings, told: dict[Whose, bool]) -> Iterator[Doubt]:
    """Routes to servers that only the runtime of IoT Edge knows. Those of a preset are off without it."""
    for name, route in routes_of(settings.proxy, settings.routes).items():
        if not route.to or is_of_preset(settings.proxy, settings.routes, name):
            continue
        whose = read_destination(route.to).whose
        if not told[whose]:
            where = f"there is no {route.to} where IoT Edge does not tell it, and no start without it"
            yield f"routes.{name}.to", where, remedy_for(whose)


def _missing(document: Document, data: Path, where: str = "") -> Iterator[Doubt]:
    """Files that are named in a part of the settings, and are not there."""
    for name in sorted(document.model_fields_set - _MADE_LATER):
        path = f"{where}{type(document).model_fields[name].alias}"
        value = getattr(document, name)
        for key, part in value.items() if isinstance(value, dict) else [("", value)]:
            place = f"{path}.{key}" if key else path
            if isinstance(part, Document):
                yield from _missing(part, data, f"{place}.")
            elif isinstance(part, Reference) and part.kind == "file" and _is_missing(data / part.place):
                yield place, f"there is no file {data / part.place}", "Put it there before the start."


def _is_missing(path: Path) -> bool:
    """Whether a file is known not to be there; whoever may not look does not know."""
    try:
        return not path.exists()
    except OSError:
        return False
