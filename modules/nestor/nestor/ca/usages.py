"""Key usages and extended key usages: their names, their extensions, and what a kind of key can do at all. Pure."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.model import KeyType, KeyUsage

CMC_RA = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.28")
"""Marks a registration authority, which speaks for others (RFC 6402, 2.10)."""

EXTENDED_USAGES: Mapping[str, x509.ObjectIdentifier] = {
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "cmcRA": CMC_RA,
}
_NAMES = {oid: name for name, oid in EXTENDED_USAGES.items()}
_BITS = {
    "digital_signature": KeyUsage.DIGITAL_SIGNATURE,
    "content_commitment": KeyUsage.NON_REPUDIATION,
    "key_encipherment": KeyUsage.KEY_ENCIPHERMENT,
    "data_encipherment": KeyUsage.DATA_ENCIPHERMENT,
    "key_agreement": KeyUsage.KEY_AGREEMENT,
    "key_cert_sign": KeyUsage.KEY_CERT_SIGN,
    "crl_sign": KeyUsage.CRL_SIGN,
    "encipher_only": KeyUsage.ENCIPHER_ONLY,
    "decipher_only": KeyUsage.DECIPHER_ONLY,
}
_ENCIPHERS = frozenset({KeyUsage.KEY_ENCIPHERMENT, KeyUsage.DATA_ENCIPHERMENT})
_AGREES = frozenset({KeyUsage.KEY_AGREEMENT, KeyUsage.ENCIPHER_ONLY, KeyUsage.DECIPHER_ONLY})
_CANNOT: Mapping[KeyType, AbstractSet[KeyUsage]] = {
    KeyType.RSA: _AGREES,  # RFC 4055, 1.2
    KeyType.EC_P256: _ENCIPHERS,  # RFC 8813, 3
    KeyType.EC_P384: _ENCIPHERS,
    KeyType.EC_P521: _ENCIPHERS,
    KeyType.ED25519: _ENCIPHERS | _AGREES,  # RFC 8410, 5
    KeyType.ML_DSA_44: _ENCIPHERS | _AGREES,  # RFC 9881, 3
    KeyType.ML_DSA_65: _ENCIPHERS | _AGREES,
    KeyType.ML_DSA_87: _ENCIPHERS | _AGREES,
}


def possible_usage(wanted: AbstractSet[KeyUsage], key_type: KeyType) -> frozenset[KeyUsage]:
    """The bits among these that a key of its kind can do."""
    return frozenset(wanted - _CANNOT[key_type])


def key_usage(bits: AbstractSet[KeyUsage]) -> x509.KeyUsage:
    """A key usage extension (RFC 5280, 4.2.1.3)."""
    return x509.KeyUsage(**{name: bit in bits for name, bit in _BITS.items()})


def usage_bits(value: x509.KeyUsage) -> frozenset[KeyUsage]:
    """The bits of a key usage extension; the last two mean something beside keyAgreement only."""
    names = [name for name in _BITS if value.key_agreement or not name.endswith("_only")]
    return frozenset(_BITS[name] for name in names if getattr(value, name))


def named(usages: Iterable[x509.ObjectIdentifier]) -> str:
    """Extended key usages by name, or by number where they have none here."""
    return ", ".join(_NAMES.get(usage, usage.dotted_string) for usage in usages) or "none"
