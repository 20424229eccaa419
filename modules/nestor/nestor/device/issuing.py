"""Who issues the certificates of a device, and how it authenticates to an EST server for them. Pure.

Half of a pair counts as nothing on the device, without a word: a user without a password, a certificate without a key.
"""

from collections.abc import Iterator

from nestor.device.auth import Auth
from nestor.device.config import DeviceConfig, Issuance
from nestor.device.findings import problem, warning
from nestor.device.part import Part
from nestor.finding import Finding

_METHODS = ("est", "local_ca", "self_signed")
_PAIRS = (
    ("username", "password"),
    ("bootstrap_identity_cert", "bootstrap_identity_pk"),
    ("identity_cert", "identity_pk"),
)


def check_issuing(config: DeviceConfig) -> Iterator[Finding]:
    """What is wrong with where certificates come from, and with authentication."""
    issued = [one for one in (config.identity, config.edge_ca) if one]
    for issuance in issued:
        yield from _check_method(config, issuance)
    yield from _check_edge_ca(config)
    if not config.enrolled:
        yield warning("cert_issuance.est", "no certificate of this file comes from an EST server.", 'method = "est"')
    for auth in config.auths:
        yield from _check_auth(auth)
    for issuance in config.enrolled:
        yield from _check_enrolled(config, issuance)


def _check_method(config: DeviceConfig, issuance: Issuance) -> Iterator[Finding]:
    part, method = issuance.part, issuance.part.text("method")
    if method not in _METHODS:
        said = "it is missing" if method is None else f"{method!r} is unknown to the runtime"
        yield problem(part.path("method"), f"{said}; known are {', '.join(_METHODS)}.", 'Write method = "est".')
    if method == "local_ca" and not config.file.below("cert_issuance").part("local_ca"):
        yield problem(part.path("method"), "there is no [cert_issuance.local_ca].", "Add it, or use est.")
    if method == "est" and "expiry_days" in part:
        yield warning(part.path("expiry_days"), "an EST server decides alone how long it issues for.", "Remove it.")


def _check_edge_ca(config: DeviceConfig) -> Iterator[Finding]:
    part = config.file.part("edge_ca")
    if part is None or "method" in part or "auto_generated_edge_ca_expiry_days" in part:
        return
    missing = [key for key in ("cert", "pk") if key not in part]
    if missing:
        yield problem(
            part.at, f"it has no method, and no {' and no '.join(missing)}; the runtime refuses it.", 'method = "est"'
        )


def _check_auth(auth: Auth) -> Iterator[Finding]:
    part = auth.part
    for first, second in _PAIRS:
        if (first in part) != (second in part):
            there, missing = (first, second) if first in part else (second, first)
            yield problem(part.path(missing), f"it is missing, so {there} is ignored too.", f"Add {missing}.")
    yield from _check_login(part)
    if auth.bootstrap is not None and "identity_cert" in part:
        yield warning(
            part.path("identity_cert"), "the bootstrap certificate goes before it; this one is ignored.", "Remove it."
        )
    if auth.identity is not None:
        yield warning(
            part.path("identity_cert"),
            "an EST identity that is a file is used as it is and never renewed.",
            "Use it as bootstrap_identity_cert and bootstrap_identity_pk: the device then gets one that renews.",
        )


def _check_login(part: Part) -> Iterator[Finding]:
    user = part.text("username")
    if user is not None and (not user or ":" in user):
        said = "it holds a colon, which ends the name" if user else "it is empty"
        yield problem(part.path("username"), f"{said} (RFC 7617).", "Write the user as the server knows it.")
    if part.text("password") == "":
        yield problem(part.path("password"), "it is empty.", "Write the password of the user.")


def _check_enrolled(config: DeviceConfig, issuance: Issuance) -> Iterator[Finding]:
    """A certificate from an EST server needs a way to authenticate, and the server's CA."""
    if not config.auth_of(issuance).is_usable:
        yield problem(
            issuance.part.at,
            f"nothing says how the request for the {issuance.name} is authenticated.",
            f"Fill in [{config.est_auth.part.at}]: username and password, or a bootstrap certificate.",
        )
    if not config.est.table:
        yield problem(
            issuance.part.path("method"),
            "there is no [cert_issuance.est], so the device trusts public CAs only, and renews no EST identity.",
            "Add it, with trusted_certs, auth and urls; nestor device config writes it.",
        )
