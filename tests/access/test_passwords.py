"""Hashes of passwords: known again, never shown, and never dearer than a gateway can bear."""

import time
from collections.abc import Callable

import pytest

from nestor.access.passwords import check_hash, draw_password, hash_password, verify_password
from nestor.errors import MaterialError
from support.asking import cheap_hash


@pytest.mark.parametrize("password", ["", "estpwd", "with:colon", "pässwörd", "x" * 500])
@pytest.mark.parametrize("make", [hash_password, cheap_hash])
def test_a_password_is_known_again_and_no_other(make: Callable[[str], str], password: str) -> None:
    stored = check_hash(make(password), "a user")
    assert verify_password(stored, password)
    assert not verify_password(stored, password + "x")
    assert not verify_password(stored, password.upper() + "y")


def test_every_hash_has_a_salt_of_its_own() -> None:
    assert hash_password("same") != hash_password("same")
    assert hash_password("same", lambda n: b"0" * n) == hash_password("same", lambda n: b"0" * n)
    assert hash_password("same").startswith("$argon2id$")


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "estpwd",
        "$argon2i$v=19$m=19456,t=2,p=1$c3Nzc3Nzc3Nzc3Nzc3Nzcw$IbwlIY4ApwEBWmdJR4LSuApQ4hqyq75F+mvdopw7zOU",
        "$argon2id$v=19$m=19456,t=2,p=1$c3Nz",
        "$argon2id$v=19$m=19456,t=2,p=1$!!!!$IbwlIY4ApwEBWmdJR4LSuApQ4hqyq75F+mvdopw7zOU",
        "$argon2id$v=19$m=x,t=2,p=1$c3Nzc3Nzc3Nzc3Nzc3Nzcw$IbwlIY4ApwEBWmdJR4LSuApQ4hqyq75F+mvdopw7zOU",
        "$argon2id$ü",
        "$scrypt$ln=10,r=8,p=1$c2FsdA",
        "$scrypt$ln=0,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
        "$scrypt$ln=10,r=0,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
        "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    ],
)
def test_a_text_that_is_no_hash_is_refused_and_not_shown(stored: str) -> None:
    with pytest.raises(MaterialError) as caught:
        check_hash(stored, "the user line1")
    assert "the user line1" in caught.value.sentence
    assert not stored or stored not in caught.value.text


@pytest.mark.parametrize(
    "stored",
    [
        "$argon2id$v=19$m=4194304,t=2,p=1$c3Nzc3Nzc3Nzc3Nzc3Nzcw$IbwlIY4ApwEBWmdJR4LSuApQ4hqyq75F+mvdopw7zOU",
        "$argon2id$v=19$m=8,t=1000000,p=1$c3Nzc3Nzc3Nzc3Nzc3Nzcw$IbwlIY4ApwEBWmdJR4LSuApQ4hqyq75F+mvdopw7zOU",
        "$scrypt$ln=30,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
        "$scrypt$ln=10,r=8,p=99$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
    ],
)
def test_a_hash_that_would_cost_a_gateway_too_much_is_refused_without_trying(stored: str) -> None:
    with pytest.raises(MaterialError, match="more work"):
        check_hash(stored, "a user")


def test_a_drawn_password_has_more_than_128_random_bits_and_can_be_read_out() -> None:
    first, second = draw_password(), draw_password()
    assert first.text != second.text
    assert [len(group) for group in first.text.split("-")] == [5] * 6
    every = draw_password(lambda n: bytes(range(n)))
    assert not set("lo01") & set(every.text + first.text)
    assert len(set(every.text) - {"-"}) == 30, "each random byte chooses one of 32 signs"


def test_a_drawn_password_is_known_by_its_hash_and_checked_in_no_time() -> None:
    drawn = draw_password()
    assert verify_password(check_hash(drawn.hash, "a user"), drawn.text)
    assert not verify_password(drawn.hash, drawn.text[:-1] + "!")
    started = time.process_time()
    for _ in range(100):
        verify_password(drawn.hash, drawn.text)
    assert time.process_time() - started < 0.1


def test_a_drawn_password_is_never_shown() -> None:
    drawn = draw_password()
    assert drawn.text not in repr(drawn)
    assert "argon2" not in repr(drawn)


def test_salts_of_other_lengths_are_taken_and_impossible_ones_are_not() -> None:
    stored = hash_password("right", lambda length: b"s" * 18)
    assert verify_password(check_hash(stored, "a user"), "right")
    head, salt, digest = stored.rsplit("$", 2)
    with pytest.raises(MaterialError):
        check_hash(f"{head}${salt}A${digest}", "a user")
