"""Factory certificates: whether a maker vouches for one, and which device it then names.

The TLS handshake is not taken for it. Chain and dates are verified again here by another implementation, at the time of
the request; what factories commonly leave out (key identifiers, alternative names, usages) is not asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from nestor.access.anchors import Bundle
from nestor.access.certificates import alternative_names_of, check_dates, client_auth, extension_of, is_ca, sha256_of
from nestor.access.crls import RevocationList, check_revocation
from nestor.access.names import printable
from nestor.access.settings import IdentitySource
from nestor.document import literal
from nestor.errors import Unauthenticated
from nestor.model import Grant, Method, Requester
from nestor.naming import device_id

_LEAST_RSA_BITS = 2048
_LEAST_CURVE_BITS = 256
_LONGEST_PATH = 6
_HINT = "Use another credential, or ask the operator of this server."


@dataclass(frozen=True, slots=True)
class Maker:
    """One maker of factory certificates, and what its devices may ask for; no `names`: each what it names."""

    name: str
    bundle: Bundle
    source: IdentitySource
    names: tuple[str, ...]
    profiles: frozenset[str]
    crls: Callable[[], Sequence[RevocationList]]
    require_crl: bool
    allow_without_eku: bool


def identify(
    certificate: x509.Certificate, chain: Sequence[x509.Certificate], makers: Sequence[Maker], now: datetime
) -> Requester:
    """Who presents a factory certificate; the first maker whose anchors vouch for it counts.

    Raises Unauthenticated, Forbidden for a revoked one, CannotIssue where a required revocation list is out of date.
    """
    check_dates(certificate, now)
    reasons: dict[str, str] = {}
    for maker in makers:
        try:
            path = _path(certificate, chain, maker.bundle, now)
        except (VerificationError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            reasons[maker.name] = str(error)
            continue
        _check_leaf(certificate, maker)
        check_revocation(path, maker.crls(), required=maker.require_crl, now=now)
        return _requester(certificate, maker)
    why = VerificationError("; ".join(f"{name}: {reason}" for name, reason in reasons.items()))
    raise Unauthenticated("The certificate presented comes from no CA that this server trusts.", _HINT) from why


def _path(
    certificate: x509.Certificate, chain: Sequence[x509.Certificate], bundle: Bundle, now: datetime
) -> list[x509.Certificate]:
    """The verified path, leaf first, anchor last. Raises VerificationError, or what a certificate makes it raise."""
    verifier = (
        PolicyBuilder()
        .store(Store(list(bundle.anchors)))
        .time(now)
        .max_chain_depth(_LONGEST_PATH)
        .extension_policies(ca_policy=_CA_POLICY, ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    path = verifier.verify(certificate, [*bundle.intermediates, *chain]).chain
    if len(path) == 1:
        raise VerificationError("it is itself an anchor")
    return path


def _check_signing(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("keyCertSign")


def _check_client_ca(_policy: Policy, _certificate: x509.Certificate, usages: x509.ExtendedKeyUsage | None) -> None:
    wanted = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if usages is not None and wanted.isdisjoint(usages):
        raise ValueError("clientAuth")


# The verifier itself checks CA:TRUE, path lengths and name constraints; key usages of CAs it leaves to the policy.
_CA_POLICY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _check_signing)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _check_client_ca)
)


def _check_leaf(certificate: x509.Certificate, maker: Maker) -> None:
    if is_ca(certificate):
        raise Unauthenticated(
            "The certificate presented is that of a CA; such a certificate does not authenticate.", _HINT
        )
    usages = client_auth(certificate)
    if usages is False:
        raise Unauthenticated("The certificate presented is not for clients: it lacks clientAuth.", _HINT)
    if usages is None and not maker.allow_without_eku:
        raise Unauthenticated(
            "The certificate presented does not say what it is for; here it must say clientAuth.", _HINT
        )
    usage = extension_of(certificate, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise Unauthenticated("The certificate presented is not for signatures: it lacks digitalSignature.", _HINT)
    _check_key(certificate)


def _check_key(certificate: x509.Certificate) -> None:
    match certificate.public_key():
        case rsa.RSAPublicKey(key_size=bits) if bits >= _LEAST_RSA_BITS:
            return
        case ec.EllipticCurvePublicKey(key_size=bits) if bits >= _LEAST_CURVE_BITS:
            return
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            return
        case _:
            raise Unauthenticated(
                "The key of the certificate presented is too weak, or of a kind not used here.", _HINT
            )


def _requester(certificate: x509.Certificate, maker: Maker) -> Requester:
    identity = _identity(certificate, maker.source)
    if not identity and not maker.names:
        sentence = f"The certificate presented does not name one device by its {maker.source.value}."
        raise Unauthenticated(sentence, "The operator of this server may choose another identity for this maker.")
    return Requester(
        method=Method.BOOTSTRAP,
        name=printable(f"{maker.name} {certificate.subject.rfc4514_string()}"),
        caller=f"bootstrap:{sha256_of(certificate).hex()}",
        grant=Grant(maker.names or (literal(identity),), maker.profiles),
        origin=Method.BOOTSTRAP,
        identity=identity or None,
        certificate=certificate,
    )


def _identity(certificate: x509.Certificate, source: IdentitySource) -> str:
    """The device id that the certificate states once, or an empty string: of two, neither is believed."""
    stated = _stated(certificate, source)
    return device_id(stated[0]) if len(stated) == 1 else ""


def _stated(certificate: x509.Certificate, source: IdentitySource) -> list[str]:
    match source:
        case IdentitySource.COMMON_NAME:
            return _attributes(certificate, NameOID.COMMON_NAME)
        case IdentitySource.SERIAL_NUMBER:
            return _attributes(certificate, NameOID.SERIAL_NUMBER)
        case IdentitySource.DNS_NAME:
            return [name.value for name in alternative_names_of(certificate) if isinstance(name, x509.DNSName)]


def _attributes(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(kind)]
