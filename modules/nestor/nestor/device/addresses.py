"""The URLs under which a device asks an EST server; aziot-certd appends `/simpleenroll` and `/cacerts`. Pure.

Certificates go by ids there. While one renews, its id ends in `-temp`, and the list of URLs is asked for that one.
"""

from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from nestor.device.config import DEFAULT_URL, EDGE_CA_ID, EST_ID, TEMPORARY, DeviceConfig
from nestor.device.config import DEVICE_ID as IDENTITY_ID
from nestor.device.findings import problem, warning
from nestor.finding import Finding
from nestor.model import Operation

_EXAMPLE = "Write https://HOST:PORT/.well-known/est, with a label behind it if the server has labels."
_RENEWED = (IDENTITY_ID, EDGE_CA_ID)
_IDS = {DEFAULT_URL, EST_ID, *_RENEWED, *(known + TEMPORARY for known in _RENEWED)}


def check_addresses(config: DeviceConfig) -> Iterator[Finding]:
    """What is wrong with the URLs, and with the ids that they are listed under."""
    urls = config.est.below("urls")
    for key in urls.table:
        url = urls.text(key)
        if url is None:
            yield problem(urls.path(key), "it has to be a text in quotes.", _EXAMPLE)
        else:
            yield from _check_url(urls.path(key), url)
        yield from _check_id(config, key)
    for issuance in config.enrolled:
        own = issuance.part.text("url")
        if own is not None:
            yield from _check_url(issuance.part.path("url"), own)
    yield from _check_default(config)
    yield from _check_itself(config)


def split_url(url: str) -> SplitResult | None:
    """A URL in its parts; None for what is no URL with a host."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 -- judges the port
    except ValueError:
        return None
    return parts if parts.scheme and parts.hostname else None


def _check_url(at: str, url: str) -> Iterator[Finding]:
    parts = split_url(url)
    if "$upstream" in url:
        yield problem(at, "$upstream is filled in for images only.", "Write the host name of the parent.")
    elif parts is None or parts.scheme not in {"http", "https"}:
        yield problem(at, "it is no URL of an EST server.", _EXAMPLE)
    elif parts.username is not None or parts.password is not None:
        yield problem(at, "it carries a user or a password, which the device does not send.", "Write them as auth.")
    else:
        yield from _check_parts(at, parts)


def _check_parts(at: str, parts: SplitResult) -> Iterator[Finding]:
    if parts.scheme == "http":
        yield problem(
            at, "plain http shows the password to everybody on the way; EST is spoken over TLS only.", "Write https://."
        )
    if parts.query or parts.fragment:
        yield problem(at, "nothing may follow the path.", _EXAMPLE)
    last = parts.path.rstrip("/").rpartition("/")[2]
    if last in {operation.value for operation in Operation}:
        yield problem(
            at, f"the device appends the operation itself: here it asks for {last}/{last}.", f"Remove /{last}."
        )


def _check_id(config: DeviceConfig, key: str) -> Iterator[Finding]:
    at = config.est.below("urls").path(key)
    if key not in _IDS:
        yield warning(at, "no certificate has this id.", f"The ids are {', '.join(sorted(_IDS))}.")
    elif key in _RENEWED:
        first, later = config.listed_url(key), config.listed_url(key + TEMPORARY)
        if later is None:
            yield problem(at, f"renewals go by the id {key}{TEMPORARY}, which has no URL.", f"Add {DEFAULT_URL}.")
        elif first is not None and first[1] != later[1]:
            yield warning(
                at,
                f"renewals go by the id {key}{TEMPORARY}, so they go to {later[0]}.",
                "Write url in the table of the certificate instead: it is good for both.",
            )


def _check_default(config: DeviceConfig) -> Iterator[Finding]:
    urls = config.est.below("urls")
    if DEFAULT_URL in urls:
        return
    for issuance in config.enrolled:
        if config.url_of(issuance) is None:
            yield problem(
                urls.path(DEFAULT_URL),
                f"it is missing, and nothing else says where the {issuance.name} comes from.",
                _EXAMPLE,
            )
            return
    if EST_ID not in urls and config.has_est_identity:
        yield problem(
            urls.path(DEFAULT_URL),
            "it is missing; aziot-certd needs it to renew the EST identity, and does not start without.",
            _EXAMPLE,
        )


def _check_itself(config: DeviceConfig) -> Iterator[Finding]:
    """A device that asks itself waits for ever, where what it asks is started when it has what it asks for."""
    own = (config.hostname or "").casefold()
    for issuance in config.enrolled:
        at, url = config.url_of(issuance) or ("", "")
        parts = split_url(url)
        if own and parts is not None and (parts.hostname or "").casefold() == own:
            yield warning(
                at,
                "the device asks itself for its first certificates.",
                "Right where the server runs beside IoT Edge; a module starts only when the device has them "
                "(docs/deploy.md).",
            )
            return
