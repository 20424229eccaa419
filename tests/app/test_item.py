"""A row becomes a request: the one that was sent, or one for a key that is made here."""

from pathlib import Path

import pytest
from cryptography import x509

from nestor.app.item import Item, make_request, plain, read_request
from nestor.errors import Malformed, MaterialError
from nestor.est.pkcs10 import check_signature
from nestor.model import BasicConstraints
from support import shapes
from support.factories import put_request
from support.issuing import ec_key


@pytest.mark.parametrize("der", [True, False])
def test_a_request_is_read_as_pem_or_der(tmp_path: Path, der: bool) -> None:
    asked = shapes.request("pump7")
    assert read_request(put_request(tmp_path / "r", asked, der=der)).der == asked.der


def test_a_file_without_a_request_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csr").write_text("nothing")
    for place, why in ((tmp_path / "a.csr", "no certification request"), (tmp_path / "b.csr", "cannot be read")):
        with pytest.raises(MaterialError, match=why) as caught:
            read_request(place)
        assert str(place) in caught.value.sentence


def test_a_made_request_says_who_it_is_for() -> None:
    names = (x509.DNSName("pump7.example"),)
    made = make_request(Item("1", "bootstrap", "pump7", alternative_names=names), ec_key(), ca=False)
    check_signature(made)
    assert (made.common_name, made.alternative_names, made.basic_constraints) == ("pump7", names, None)


@pytest.mark.parametrize("name", ["gw3", "aziot-edge CA gw3"])
def test_a_made_edge_ca_is_asked_for_as_aziot_edged_does(name: str) -> None:
    made = make_request(Item("1", "edgeCa", name), ec_key(), ca=True)
    assert (made.common_name, made.basic_constraints) == ("aziot-edge CA gw3", BasicConstraints(True, 0))


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_name_that_no_certificate_has_is_told(name: str) -> None:
    with pytest.raises(Malformed, match="cannot be the name"):
        make_request(Item("1", "bootstrap", name), ec_key(), ca=False)


def test_files_are_named_by_the_device() -> None:
    assert [plain("gw3"), plain("aziot-edge CA gw3")] == ["gw3", "gw3"]
