"""Host names and addresses."""

import pytest

from nestor.ca.patterns import address_of, is_host_name


@pytest.mark.parametrize("text", ["a", "gw3", "gw3.plant.example", "1a.b", "x" * 63])
def test_a_host_name_is_one(text: str) -> None:
    assert is_host_name(text)


@pytest.mark.parametrize(
    "text",
    ["", "-a", "a-", "a..b", "a_b", "a b", "ü", "10.0.0.1", "fd00::1", "x" * 64, "a\n", ".a", "\u0131", "\u212a"],
)
def test_other_texts_are_no_host_names(text: str) -> None:
    assert not is_host_name(text)


def test_an_address_is_one_and_nothing_else() -> None:
    assert str(address_of("10.0.0.1")) == "10.0.0.1"
    assert address_of("10.0.0.1/8") is None
