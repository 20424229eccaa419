"""Files of a delivery: whole, for the right eyes, and never over somebody else's."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.app.delivery import Delivery
from nestor.errors import MaterialError
from nestor.model import KeyType
from support.asking import entry
from support.factories import certificate_in
from support.issuing import ec_key, issue, root
from support.shapes import spki_of

ISSUED = issue("bootstrap")
ENTRY = entry(ISSUED.public_bytes(Encoding.DER), "dev1")
SPKI = spki_of(ec_key())


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    return Delivery(tmp_path, chain=())


def test_a_certificate_is_written_alone_or_with_its_chain(tmp_path: Path) -> None:
    alone = Delivery(tmp_path, chain=()).put("dev1", ENTRY)
    assert certificate_in(alone) == ISSUED
    assert alone.read_bytes().count(b"BEGIN") == 1
    chained = Delivery(tmp_path, chain=root().certificates).put("dev1", ENTRY)
    assert chained == alone == tmp_path / "dev1.pem"
    assert certificate_in(chained) == ISSUED
    assert chained.read_bytes().count(b"BEGIN") == 2
    assert [place.name for place in tmp_path.iterdir()] == ["dev1.pem"]


def test_a_file_that_is_as_it_should_be_is_left_alone(delivery: Delivery) -> None:
    before = delivery.put("dev1", ENTRY).stat().st_mtime_ns
    assert delivery.put("dev1", ENTRY).stat().st_mtime_ns == before


def test_a_file_of_the_same_key_may_be_replaced_and_no_other(delivery: Delivery) -> None:
    delivery.check_free("dev1", SPKI)
    place = delivery.put("dev1", ENTRY)
    delivery.check_free("dev1", SPKI)
    with pytest.raises(MaterialError, match="is there already"):
        delivery.check_free("dev1", b"another key")
    place.write_text("no certificate")
    with pytest.raises(MaterialError, match="is there already"):
        delivery.check_free("dev1", SPKI)


@pytest.mark.parametrize("name", ["a/b", "../a", ".a", "a\0b", "x" * 201, "a\nb"])
def test_a_name_never_leaves_the_directory(delivery: Delivery, name: str) -> None:
    with pytest.raises(MaterialError, match="name of a file"):
        delivery.certificate_path(name)


def test_one_file_goes_where_it_was_said_whatever_the_name(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, chain=(), only=tmp_path / "boot.pem")
    assert delivery.certificate_path("a/b") == tmp_path / "boot.pem"
    assert delivery.key_path("a/b") == tmp_path / "boot.key"


def test_a_key_is_made_once_and_is_for_its_owner_only(delivery: Delivery) -> None:
    first = delivery.key("gw3.plant.example", KeyType.EC_P256, None)
    assert first.fresh
    place = delivery.key_path("gw3.plant.example")
    assert place.name == "gw3.plant.example.key"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    again = delivery.key("gw3.plant.example", KeyType.EC_P256, None)
    assert not again.fresh
    assert spki_of(again.key) == spki_of(first.key)
    delivery.drop_key("gw3.plant.example")
    assert not place.exists()
    assert "PrivateKey" not in repr(first)


def test_an_encrypted_key_is_used_again_with_its_passphrase_only(delivery: Delivery) -> None:
    first = delivery.key("dev1", KeyType.EC_P256, "correct horse")
    assert spki_of(delivery.key("dev1", KeyType.EC_P256, "correct horse").key) == spki_of(first.key)
    with pytest.raises(MaterialError):
        delivery.key("dev1", KeyType.EC_P256, "battery staple")


def test_two_commands_do_not_write_to_one_directory(tmp_path: Path) -> None:
    one, other = (Delivery(tmp_path / "out", chain=()) for _ in range(2))
    with one.occupied():
        assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
        with pytest.raises(MaterialError, match="Another command"), other.occupied():
            pass
    with other.occupied():
        pass


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MaterialError, match="cannot be written"), Delivery(tmp_path / "file", chain=()).occupied():
        pass
