"""How strong keys are, in bits of security, as NIST SP 800-57 (part 1, table 2) and FIPS 204 rate them. Pure."""

from collections.abc import Mapping

from nestor.model import KeyType

_BITS: Mapping[KeyType, int] = {
    KeyType.EC_P256: 128,
    KeyType.EC_P384: 192,
    KeyType.EC_P521: 256,
    KeyType.ED25519: 128,
    KeyType.ML_DSA_44: 128,
    KeyType.ML_DSA_65: 192,
    KeyType.ML_DSA_87: 256,
}
_RSA = ((2048, 112), (3072, 128), (7680, 192), (15_360, 256))


def strength_of(key_type: KeyType, rsa_bits: int) -> int:
    """Bits of security; an RSA key between two sizes of the table counts as the larger."""
    if key_type is KeyType.RSA:
        return next(strength for size, strength in _RSA if rsa_bits <= size)
    return _BITS[key_type]
