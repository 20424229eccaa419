"""Requests as the services of IoT Edge shape them: each is what the table of shapes takes it for."""

import pytest
from cryptography import x509

from nestor.app.imitation import key_for, request_for
from nestor.ca.shapes import profile_for
from nestor.device.requests import Kind
from nestor.est import pkcs10
from nestor.model import KeyType
from support.shapes import p256


@pytest.mark.parametrize(
    ("kind", "profile"),
    [
        (Kind.EST_IDENTITY, "estIdentity"),
        (Kind.DEVICE_IDENTITY, "deviceIdentity"),
        (Kind.EDGE_CA, "edgeCa"),
    ],
)
def test_a_request_is_taken_for_what_it_is(kind: Kind, profile: str) -> None:
    read = pkcs10.read(request_for(kind, {"O": "Contoso", "CN": "gw3"}, p256()))
    assert profile_for(read) == profile
    assert read.subject.rfc4514_string() == "O=Contoso,CN=gw3"
    pkcs10.check_signature(read)


def test_keys_are_those_of_the_device() -> None:
    read = pkcs10.read(request_for(Kind.DEVICE_IDENTITY, {"CN": "gw3"}, key_for(Kind.DEVICE_IDENTITY)))
    assert (read.key_type, read.key_bits) == (KeyType.RSA, 2048)
    read = pkcs10.read(request_for(Kind.EST_IDENTITY, {"CN": "gw3"}, key_for(Kind.EST_IDENTITY)))
    assert read.key_type is KeyType.EC_P256


@pytest.mark.parametrize("subject", [{"XX": "1"}, {"C": "Germany"}])
def test_a_subject_that_cannot_be_is_a_value_error(subject: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"XX|C cannot be 'Germany'"):
        request_for(Kind.EDGE_CA, subject, p256())


def test_a_subject_is_written_in_the_order_of_its_keys() -> None:
    read = pkcs10.read(request_for(Kind.EDGE_CA, {"O": "Contoso", "CN": "gw3"}, p256()))
    assert [one.oid for one in read.subject] == [x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME]
