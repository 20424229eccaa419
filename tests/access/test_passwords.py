"""Hashes of passwords: known again, never shown, and never dearer than a gateway can bear."""

from collections.abc import Callable

import pytest

from nestor.access.passwords import check_hash, generate_password, hash_password, verify_password
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


def test_a_generated_password_is_long_readable_and_new_each_time() -> None:
    first, second = generate_password(), generate_password()
    assert first != second
    assert [len(group) for group in first.split("-")] == [5, 5, 5, 5]
    assert not set("lo01") & set(generate_password(lambda n: bytes(range(n))) + first)


def test_salts_of_other_lengths_are_taken_and_impossible_ones_are_not() -> None:
    stored = hash_password("right", lambda length: b"s" * 18)
    assert verify_password(check_hash(stored, "a user"), "right")
    head, salt, digest = stored.rsplit("$", 2)
    with pytest.raises(MaterialError):
        check_hash(f"{head}${salt}A${digest}", "a user")
