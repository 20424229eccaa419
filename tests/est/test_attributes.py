"""The attributes that EST gives a meaning: the worked examples, and both ways."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from nestor.errors import Malformed
from nestor.est import attributes, oids
from nestor.est.der import BadDER, reading
from nestor.model import KeyProtection, NewNames
from support import shapes
from support.der import sequence, tlv
from support.est_vectors import VECTORS

NEW_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "new-name")])
NEW_DNS = (x509.DNSName("new.example"),)


def held(*names: str) -> attributes.Attributes:
    return attributes.split(b"".join(VECTORS[name] for name in names))


@pytest.mark.parametrize(
    ("vector", "text"), [("C1", "AAECAwQFBgcICQoL"), ("C2", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]
)
def test_a_channel_binding_is_read_and_written_to_the_byte(vector: str, text: str) -> None:
    assert attributes.challenge_password(held(vector)) == text
    assert attributes.write_challenge_password(text) == VECTORS[vector]


@pytest.mark.parametrize(
    ("tag", "codec"), [(0x0C, "utf-8"), (0x14, "latin-1"), (0x1E, "utf-16-be"), (0x1C, "utf-32-be")]
)
def test_a_code_is_read_whatever_its_string_type(tag: int, codec: str) -> None:
    attribute = shapes.attribute(shapes.CHALLENGE_PASSWORD, tlv(tag, "Schlüssel".encode(codec)))
    assert attributes.challenge_password(attributes.split(attribute)) == "Schlüssel"


def test_a_code_that_no_printable_string_holds_is_written_as_utf_8() -> None:
    written = attributes.split(attributes.write_challenge_password("a_b"))
    assert written[next(iter(written))][0] == 0x0C
    assert attributes.challenge_password(written) == "a_b"


def test_a_code_that_is_not_text_is_not_shown() -> None:
    attribute = shapes.attribute(shapes.CHALLENGE_PASSWORD, tlv(0x0C, b"secret\xff"))
    with pytest.raises(BadDER) as caught:
        attributes.challenge_password(attributes.split(attribute))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_new_names_are_read_and_written_to_the_byte() -> None:
    assert attributes.new_names(held("C3")) == NewNames(NEW_NAME, NEW_DNS)
    assert attributes.write_new_names(NewNames(NEW_NAME, NEW_DNS)) == VECTORS["C3"]
    assert attributes.new_names(held("C4")) == NewNames(None, NEW_DNS)
    assert attributes.write_new_names(NewNames(None, NEW_DNS)) == VECTORS["C4"]


def test_new_names_are_read_without_the_tag_that_the_text_of_the_rfc_forgot() -> None:
    assert attributes.new_names(held("C5")) == NewNames(None, NEW_DNS)


def test_a_new_subject_alone_is_read() -> None:
    written = attributes.write_new_names(NewNames(NEW_NAME, None))
    assert attributes.new_names(attributes.split(written)) == NewNames(NEW_NAME, None)


def test_new_names_that_name_nothing_are_refused() -> None:
    attribute = shapes.attribute(shapes.CHANGE_SUBJECT_NAME, sequence())
    with pytest.raises(BadDER, match="names nothing"):
        attributes.new_names(attributes.split(attribute))


def test_new_names_are_held_to_readable_text() -> None:
    attribute = shapes.new_names("a\x00", "b.example")
    with pytest.raises(Malformed, match=r"U\+0000"):
        attributes.new_names(attributes.split(attribute))


def test_a_shared_key_is_named_to_the_byte() -> None:
    wanted = KeyProtection(b"kek-2026-01", None, (oids.AES_256_WRAP, oids.AES_256_CBC))
    assert attributes.key_protection(held("K1", "K3")) == wanted
    assert attributes.write_key_protection(wanted) == (VECTORS["K1"], VECTORS["K3"])


def test_a_certificate_is_named_to_the_byte() -> None:
    wanted = KeyProtection(None, bytes(range(20)), ())
    assert attributes.key_protection(held("K2")) == wanted
    assert attributes.write_key_protection(wanted)[0] == VECTORS["K2"]


def test_capabilities_alone_ask_for_no_wrapping() -> None:
    assert attributes.key_protection(held("K3")) is None


def test_two_keys_to_wrap_with_are_one_too_many() -> None:
    with pytest.raises(Malformed, match="two keys"):
        attributes.key_protection(held("K1", "K2", "K3"))


def test_nothing_is_read_from_nothing() -> None:
    nothing = attributes.split(b"")
    assert attributes.challenge_password(nothing) is None
    assert attributes.new_names(nothing) is None
    assert attributes.key_protection(nothing) is None
    assert not attributes.asks_for_extensions(nothing)


@given(st.sampled_from(["C1", "C3", "C5", "K1", "K3"]), st.data())
def test_whatever_is_broken_in_an_attribute_only_malformed_escapes(name: str, data: st.DataObject) -> None:
    content = bytearray(VECTORS[name])
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        with reading("The attribute"):
            found = attributes.split(bytes(content))
            for read in (attributes.challenge_password, attributes.new_names, attributes.key_protection):
                read(found)
    except Malformed:
        return
