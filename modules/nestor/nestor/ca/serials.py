"""Serial numbers (RFC 5280, 4.1.2.2): positive, at most 20 octets, unpredictable, never counted. Pure."""

RANDOM_OCTETS = 20
BITS = 159


def serial_number(drawn: bytes) -> int:
    """A serial number from 20 random octets: 158 bits of them, below a leading one that fixes its length."""
    return 1 << (BITS - 1) | int.from_bytes(drawn, "big") >> 2
