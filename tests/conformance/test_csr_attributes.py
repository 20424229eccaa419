"""CSR attributes: what a path asks of requests, in the old form and as a template."""

from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from support.der import elements, integer, oid, sequence, split, tlv, utf8
from support.device import Device
from support.shapes import est_identity

_EXTENSION_REQUEST = oid("1.2.840.113549.1.9.14")
_TEMPLATE = oid("1.2.840.113549.1.9.16.2.61")
_CHALLENGE_PASSWORD = oid("1.2.840.113549.1.9.7")
_EC_KEY, _P256, _P384 = oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7"), oid("1.3.132.0.34")
_RSA_KEY = oid("1.2.840.113549.1.1.1")
_ECDSA_SHA384 = oid("1.2.840.10045.4.3.3")
_PINNED = ["device", "est", "edge-ca", "large", "rsa", "keys", "branded"]


@dataclass(frozen=True)
class CsrAttrs:
    """The items of a CsrAttrs in order: a bare OID, or an attribute with its values."""

    der: bytes
    items: list[tuple[bytes, list[bytes] | None]]

    @property
    def oids(self) -> list[bytes]:
        return [kind for kind, values in self.items if values is None]

    def values(self, kind: bytes) -> list[list[bytes]]:
        """The values of every attribute of a kind."""
        return [values for one, values in self.items if one == kind and values is not None]


def _read(device: Device, label: str | None) -> CsrAttrs:
    answer = device.but(label=label).get("csrattrs")
    assert answer.status == 200
    ((tag, content),) = elements(answer.der)
    assert tag == 0x30
    return CsrAttrs(answer.der, [_item(one) for one in split(content)])


def _item(item: bytes) -> tuple[bytes, list[bytes] | None]:
    if item[0] == 0x06:
        return item, None
    ((_, attribute),) = elements(item)
    kind, values = split(attribute)
    assert values[0] == 0x31
    return kind, split(elements(values)[0][1])


@pytest.mark.conformance("CSR-1")
@pytest.mark.parametrize("label", _PINNED)
def test_a_label_with_a_profile_tells_what_it_wants(stranger: Device, label: str) -> None:
    assert _read(stranger, label).items


@pytest.mark.conformance("CSR-3", "CSR-5")
def test_curve_and_hash_that_are_demanded_are_told(line: Device) -> None:
    told = _read(line, "large")
    assert told.values(_EC_KEY) == [[_P384]]
    assert _ECDSA_SHA384 in told.oids
    answer = line.but(label="large").enroll(est_identity("small"))
    assert answer.status in {400, 403}
    assert line.but(label="large").enroll(est_identity("large", ec.generate_private_key(ec.SECP384R1()))).status == 200


@pytest.mark.conformance("CSR-5")
def test_the_size_of_an_rsa_key_is_an_integer(stranger: Device) -> None:
    told = _read(stranger, "rsa")
    assert told.values(_RSA_KEY) == [[integer(3072)]]
    assert told.values(_EC_KEY) == []


@pytest.mark.conformance("CSR-4")
@pytest.mark.parametrize("label", _PINNED)
def test_extensions_come_in_one_attribute_with_one_value(stranger: Device, label: str) -> None:
    ((extensions,),) = _read(stranger, label).values(_EXTENSION_REQUEST)
    kinds = [split(elements(one)[0][1])[0] for one in split(elements(extensions)[0][1])]
    assert kinds
    assert len(kinds) == len(set(kinds))


@pytest.mark.conformance("CSR-6")
def test_an_attribute_without_a_value_is_a_bare_oid(stranger: Device) -> None:
    assert _read(stranger, "linked").items == [(_CHALLENGE_PASSWORD, None)]


@pytest.mark.conformance("CSR-7", "CSR-8", "CSR-9")
def test_a_template_joins_the_old_form_where_only_it_can_say_what_is_wanted(line: Device) -> None:
    told = _read(line, "branded")
    assert told.values(_EC_KEY) == [[_P256]]
    ((template,),) = told.values(_TEMPLATE)
    ((_, content),) = elements(template)
    version, subject, key, attributes = split(content)
    assert (version, key) == (integer(0), tlv(0xA0, sequence(_EC_KEY, _P256)))
    assert [split(elements(rdn)[0][1]) for rdn in split(elements(subject)[0][1])] == [
        [sequence(oid("2.5.4.10"), utf8("Contoso OT"))],
        [sequence(oid("2.5.4.3"))],
    ]
    kinds = [split(elements(one)[0][1])[0] for one in split(elements(attributes)[0][1])]
    assert kinds == [_EXTENSION_REQUEST]
    assert line.but(label="branded").enroll(est_identity("branded")).certificate.subject.rfc4514_string() == (
        "CN=branded,O=Contoso OT"
    )


@pytest.mark.conformance("CSR-11")
def test_a_request_that_ignores_the_attributes_is_told_what_is_missing(line: Device) -> None:
    answer = line.but(label="large").enroll(est_identity("ignorant"))
    assert answer.status == 400
    assert "p384" in answer.text.lower().replace("-", "")


@pytest.mark.conformance("CSR-12")
def test_attributes_depend_on_the_label_and_are_not_cached(stranger: Device) -> None:
    told = {label: _read(stranger, label).der for label in (None, "device", "edge-ca", "large", "rsa")}
    assert len(set(told.values())) == len(told)
    assert stranger.but(label="device").get("csrattrs")["Cache-Control"] == "no-store"


@pytest.mark.conformance("CSR-13")
@pytest.mark.parametrize("label", [None, "linked", *_PINNED])
def test_libest_can_read_what_is_told(stranger: Device, label: str | None) -> None:
    assert len(_read(stranger, label).der) < 1000
