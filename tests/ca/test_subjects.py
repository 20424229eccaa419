"""What becomes of the subject of a request."""

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from nestor.ca.settings import SubjectSettings
from nestor.ca.subjects import issued_subject, subject_rules
from nestor.errors import Forbidden, Malformed
from support.asking import subject


def issued(name: x509.Name, **document: object) -> x509.Name:
    return issued_subject(name, subject_rules(SubjectSettings.model_validate(document)))


def test_a_common_name_is_taken_as_it_is() -> None:
    assert issued(subject("dev1")) == subject("dev1")


def test_what_microsoft_s_tutorial_sets_is_taken() -> None:
    full = subject(
        "dev1", COUNTRY_NAME="US", STATE_OR_PROVINCE_NAME="WA", LOCALITY_NAME="Redmond", ORGANIZATION_NAME="IoT"
    )
    assert issued(full) == full


def test_attributes_of_one_part_stay_in_one_part() -> None:
    pair = x509.RelativeDistinguishedName(
        [x509.NameAttribute(NameOID.COMMON_NAME, "dev1"), x509.NameAttribute(NameOID.SERIAL_NUMBER, "77")]
    )
    assert issued(x509.Name([pair])).rdns == [pair]


def test_an_attribute_that_the_profile_does_not_take_is_refused_by_name() -> None:
    with pytest.raises(Forbidden, match="OU"):
        issued(subject("dev1", ORGANIZATIONAL_UNIT_NAME="Line 1"), take="CN, O")


def test_a_fixed_attribute_is_added_once() -> None:
    with_it = subject("dev1", ORGANIZATION_NAME="Contoso")
    assert issued(subject("dev1"), add={"O": "Contoso"}) == with_it
    assert issued(with_it, add={"O": "Contoso"}) == with_it


@pytest.mark.parametrize(
    "kind", [_ASN1Type.T61String, _ASN1Type.BMPString, _ASN1Type.PrintableString, _ASN1Type.UniversalString]
)
def test_odd_string_types_are_written_as_utf8(kind: _ASN1Type) -> None:
    odd = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dev1", kind, _validate=False)])
    assert issued(odd).public_bytes() == subject("dev1").public_bytes()


@pytest.mark.parametrize("value", ["a\r\nb", "a\0b", "a\u202eb", "x" * 65])
def test_a_value_that_cannot_be_read_or_is_too_long_is_malformed(value: str) -> None:
    with pytest.raises(Malformed, match="CN"):
        issued(subject(value))


@pytest.mark.parametrize(
    ("kind", "value"), [("COUNTRY_NAME", "d_"), ("SERIAL_NUMBER", "a_b"), ("DOMAIN_COMPONENT", "ü")]
)
def test_a_value_that_its_string_type_cannot_hold_is_malformed(kind: str, value: str) -> None:
    with pytest.raises(Malformed):
        issued(subject("dev1", **{kind: value}))


def test_bits_are_no_name() -> None:
    bits = x509.NameAttribute(NameOID.X500_UNIQUE_IDENTIFIER, b"\1", _ASN1Type.BitString)
    with pytest.raises(Forbidden):
        issued(x509.Name([*subject("dev1"), bits]))


@pytest.mark.parametrize("name", [x509.Name([]), subject(ORGANIZATION_NAME="Contoso"), subject("")])
def test_a_subject_without_a_common_name_is_refused(name: x509.Name) -> None:
    with pytest.raises(Forbidden, match="no common name"):
        issued(name)


@pytest.mark.parametrize("good", ["dev1", "a", "Line-1.dev:7_x-", "9", "x" * 64])
def test_a_registration_id_passes_as_one(good: str) -> None:
    assert issued(subject(good), registrationId=True)


@pytest.mark.parametrize("bad", ["dev1.", "dev1_", "dev 1", "dev/1", "dév", "dev1:", "dev*1"])
def test_what_dps_would_refuse_is_refused_here_with_a_way_out(bad: str) -> None:
    with pytest.raises(Forbidden, match="DPS") as refusal:
        issued(subject(bad), registrationId=True)
    assert "registrationId" in refusal.value.hint
    assert issued(subject(bad))


def test_a_pattern_for_the_common_name_holds_whatever_the_case() -> None:
    assert issued(subject("LINE1-a"), commonName="line1-*")
    with pytest.raises(Forbidden, match="does not match"):
        issued(subject("line2-a"), commonName="line1-*")


@given(st.text())
def test_whatever_a_common_name_holds_only_a_refusal_comes_out(text: str) -> None:
    try:
        name = issued(subject(text))
    except (Forbidden, Malformed):
        return
    assert x509.Name.from_rfc4514_string(name.rfc4514_string()) == name
