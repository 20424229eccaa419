"""Which profile a request is for, by its shape: one ordered table, the first row that fits decides (design D2).

The rows are what aziot-certd, its local identities and plain EST clients send; a shape that is not in the table is
refused by name. What a request asks for chooses a profile and nothing else: extensions come from the profile.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.ca.builtin import DEVICE_IDENTITY, EDGE_CA, EST_IDENTITY, SERVER
from nestor.ca.usages import named
from nestor.errors import Forbidden
from nestor.model import CertificationRequest, KeyUsage

_CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
_SERVES = ExtendedKeyUsageOID.SERVER_AUTH
_IGNORED = {
    x509.ObjectIdentifier(dotted): name
    for dotted, name in (
        ("2.5.29.14", "subjectKeyIdentifier"),
        ("2.5.29.35", "authorityKeyIdentifier"),
        ("2.16.840.1.113730.1.13", "Netscape comment"),
        ("1.2.840.113549.1.9.15", "S/MIME capabilities"),
        ("1.3.6.1.4.1.311.20.2", "Microsoft template name"),
        ("1.3.6.1.4.1.311.21.7", "Microsoft template"),
        ("1.3.6.1.4.1.311.21.10", "Microsoft application policies"),
    )
}
"""Extensions that clients put into requests by habit; they are dropped, as a certificate does not need them."""

_NAMED = 5
_LABEL = "If this is wanted, its operator can give it a path of its own: a label that pins a profile."


@dataclass(frozen=True, slots=True)
class Shape:
    """One row: what it is called, which requests it fits, and the profile they get; None where they are refused."""

    name: str
    fits: Callable[[CertificationRequest], bool]
    profile: str | None


def _usages(csr: CertificationRequest) -> frozenset[x509.ObjectIdentifier]:
    return frozenset(csr.extended_key_usage or ())


def _odd_usages(csr: CertificationRequest) -> frozenset[x509.ObjectIdentifier]:
    return _usages(csr) - {_CLIENT, _SERVES}


def _unknown(csr: CertificationRequest) -> frozenset[x509.ObjectIdentifier]:
    return frozenset(csr.other_extensions) - _IGNORED.keys()


def _bare(csr: CertificationRequest) -> bool:
    return csr.basic_constraints is None and csr.key_usage is None


def _is_ca(csr: CertificationRequest) -> bool:
    return csr.basic_constraints is not None and csr.basic_constraints.ca


def _path_length(csr: CertificationRequest) -> int | None:
    return csr.basic_constraints.path_length if csr.basic_constraints else None


def _signs(csr: CertificationRequest) -> bool:
    return bool((csr.key_usage or frozenset()) & {KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN})


SHAPES = (
    Shape("an extension that no profile has", lambda csr: bool(_unknown(csr)), None),
    Shape("CA:TRUE with a path length of 0", lambda csr: _is_ca(csr) and _path_length(csr) == 0, EDGE_CA),
    Shape("CA:TRUE with another path length than 0, or none", _is_ca, None),
    Shape("keyCertSign or cRLSign without CA:TRUE", _signs, None),
    Shape("an extended key usage beside clientAuth and serverAuth", lambda csr: bool(_odd_usages(csr)), None),
    Shape("an empty extended key usage", lambda csr: csr.extended_key_usage == (), None),
    Shape("serverAuth, with clientAuth or without", lambda csr: _SERVES in _usages(csr), SERVER),
    Shape("clientAuth and nothing else but names", lambda csr: _usages(csr) == {_CLIENT} and _bare(csr), EST_IDENTITY),
    Shape("no extension but names", lambda csr: not _usages(csr) and _bare(csr), DEVICE_IDENTITY),
    Shape("CA:FALSE or a key usage, with clientAuth or without", lambda csr: not _bare(csr), DEVICE_IDENTITY),
)
"""The table. The row with serverAuth has local identities, which ask for CA:FALSE and a key usage as well."""


def profile_for(csr: CertificationRequest) -> str:
    """The profile of the first shape that fits. Raises Forbidden with the name of a shape that is refused."""
    shape = next(shape for shape in SHAPES if shape.fits(csr))
    if shape.profile is None:
        raise Forbidden(f"The request asks for {shape.name}{_detail(csr)}; no certificate is issued for that.", _LABEL)
    return shape.profile


def check_pinned(csr: CertificationRequest, *, ca: bool, profile: str) -> None:
    """Where the profile is settled the shape does not choose, but a CA is still asked for or not (RFC 7030, 4.2.1)."""
    if _is_ca(csr) and not ca:
        raise Forbidden(f"The request asks for a CA certificate, and the profile {profile} is not that of a CA.")
    if ca and not _is_ca(csr):
        raise Forbidden(
            f"The profile {profile} is that of a CA, and the request does not ask for a CA certificate.",
            "Ask for CA:TRUE, or for another profile (by another path).",
        )


def _detail(csr: CertificationRequest) -> str:
    odd = sorted(_unknown(csr) or _odd_usages(csr), key=lambda oid: oid.dotted_string)
    return f" ({named(odd[:_NAMED])}{', ...' if len(odd) > _NAMED else ''})" if odd else ""
