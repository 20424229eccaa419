"""What the certificate of this server says."""

from datetime import timedelta

from cryptography import x509

from nestor.ca.content import Key
from nestor.ca.own_server import PROFILE, server_content
from nestor.model import KeyType
from support.asking import subject
from support.issuing import SERVER, catalog, ec_key

KEY = Key(ec_key().public_key(), KeyType.EC_P256)


def test_every_name_is_an_alternative_name_and_the_first_is_the_common_name() -> None:
    content = server_content(["gw3.plant.example", "localhost"], KEY, timedelta(days=1))
    assert content.subject == subject("gw3.plant.example")
    assert set(content.alternative_names) == {x509.DNSName("gw3.plant.example"), x509.DNSName("localhost")}
    assert content.extended_key_usage == (SERVER,)


def test_a_name_too_long_for_a_common_name_is_an_alternative_name_only() -> None:
    long = ".".join(["x" * 40] * 3)
    assert server_content([long, "gw3"], KEY, timedelta(days=1)).subject == subject("gw3")
    assert server_content([long], KEY, timedelta(days=1)).subject == subject("Nestor")


def test_no_catalog_has_its_profile() -> None:
    assert PROFILE not in catalog().names()
    assert not server_content(["gw3"], KEY, timedelta(days=1)).profile.traits.authenticates
