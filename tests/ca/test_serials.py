"""Serial numbers."""

from hypothesis import given
from hypothesis import strategies as st

from nestor.ca.serials import BITS, RANDOM_OCTETS, serial_number


@given(st.binary(min_size=RANDOM_OCTETS, max_size=RANDOM_OCTETS))
def test_a_serial_number_is_positive_and_always_of_twenty_octets(drawn: bytes) -> None:
    serial = serial_number(drawn)
    assert serial.bit_length() == BITS
    assert len(serial.to_bytes(RANDOM_OCTETS, "big", signed=True)) == RANDOM_OCTETS


def test_chance_is_all_that_tells_them_apart() -> None:
    assert len({serial_number(bytes(19) + bytes([last])) for last in range(0, 256, 4)}) == 64
