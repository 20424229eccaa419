"""Which labels are forwarded to the server above, and whether what the settings say of it holds. Pure."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from nestor.errors import NestorError
from nestor.est.menu import is_label
from nestor.registrar.settings import DEFAULT, AuthorityKind
from nestor.settings import Settings
from nestor.upstream.address import parse_address
from nestor.upstream.settings import PLAIN, UpstreamSettings

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


def forwarded(settings: Settings) -> Mapping[str, str | None]:
    """The labels that are forwarded, and to which label above; None where the map does not say, and none is served."""
    names = {DEFAULT, *settings.labels}
    return {name: settings.upstream.labels.get(name) for name in sorted(names) if _kind(settings, name)}


def _kind(settings: Settings, name: str) -> bool:
    label = settings.labels.get(name)
    kind = label.authority if label is not None and label.authority is not None else settings.authority.kind
    return kind is AuthorityKind.UPSTREAM


def wrong_upstream(settings: Settings) -> Iterator[str]:
    """What does not hold in the settings of the server above, a sentence for each."""
    upstream = settings.upstream
    if any(_kind(settings, name) for name in (DEFAULT, *settings.labels)) and upstream.url is None:
        yield "upstream.url: this key is needed where authority is upstream."
    if upstream.url is not None:
        yield from _wrong_address(upstream.url)
        if (upstream.anchors is None) is (upstream.fingerprint is None):
            yield "upstream: either anchors or fingerprint says by what the server above is believed."
    yield from _halves(upstream)
    yield from _wrong_words(upstream)


def _halves(upstream: UpstreamSettings) -> Iterator[str]:
    for one, other in (("certificate", "key"), ("key", "certificate"), ("user", "password"), ("password", "user")):
        if getattr(upstream, one) is not None and getattr(upstream, other) is None:
            yield f"upstream.{other}: this key is needed beside {one}."


def _wrong_words(upstream: UpstreamSettings) -> Iterator[str]:
    for name in ("fingerprint", "root"):
        value = getattr(upstream, name)
        if value is not None and not _SHA256.fullmatch(digits(value)):
            yield f"upstream.{name}: a SHA-256 is 64 hex digits."
    for name, label in upstream.labels.items():
        if label != PLAIN and not is_label(label):
            yield f"upstream.labels.{name}: {label} is no EST label."
    if upstream.proxy is not None and urlsplit(upstream.proxy).scheme != "http":
        yield "upstream.proxy: it has to be a URL that begins with http://."


def _wrong_address(url: str) -> Iterator[str]:
    try:
        parse_address(url)
    except NestorError as error:
        yield f"upstream.url: {error.sentence}"


def digits(text: str) -> str:
    """A fingerprint without what is for the eye."""
    return text.replace(":", "").replace(" ", "")
