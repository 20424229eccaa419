"""Roots and intermediates."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448

from nestor.ca.hierarchy import make_intermediate, make_root, read_subject, root_name
from nestor.ca.loading import load_issuer
from nestor.errors import MaterialError, SettingsError
from support import openssl
from support.asking import NOW
from support.issuing import DAY, SERIAL, ec_key, issue, root, rsa_key
from support.linting import findings, pem_file


@pytest.mark.parametrize("key", [ec_key(), ec_key(ec.SECP384R1), rsa_key()])
def test_a_root_is_one_that_every_reader_takes(key: Any, tmp_path: Path) -> None:
    made = make_root(key, "CN=Plant 3 CA,O=Contoso", lifetime=7300 * DAY, now=NOW, serial=SERIAL)
    assert load_issuer(made.certificate, (), made.key) == made
    assert findings(made.certificate) == []
    place = pem_file(tmp_path / "root.pem", made.certificate)
    assert openssl.run("verify", "-x509_strict", "-no_check_time", "-CAfile", place, place)


def test_a_root_begins_minutes_ago_and_lives_as_told() -> None:
    made = make_root(ec_key(), "CN=Root", lifetime=DAY, now=NOW, serial=SERIAL)
    assert made.start == NOW - timedelta(minutes=5)
    assert made.end == NOW + DAY
    assert made.certificate.serial_number == SERIAL


def test_an_intermediate_lets_its_root_stay_offline(tmp_path: Path) -> None:
    made = make_intermediate(root(), ec_key(), "CN=Issuing", lifetime=DAY, now=NOW, serial=SERIAL)
    constraints = made.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.path_length, constraints.critical) == (1, True)
    assert made.chain == (root().certificate,)
    assert findings(made.certificate) == []
    edge = issue(
        "edgeCa", issuer=make_intermediate(root(), ec_key(), "CN=I", lifetime=99 * DAY, now=NOW, serial=SERIAL)
    )
    assert edge.issuer == read_subject("CN=I")


def test_an_intermediate_does_not_outlive_its_root() -> None:
    made = make_intermediate(root(), ec_key(), "CN=Issuing", lifetime=30_000 * DAY, now=NOW, serial=SERIAL)
    assert made.end == root().end


@pytest.mark.parametrize(
    ("subject", "layer", "name"),
    [
        (None, None, "CN=Nestor Root CA"),
        (None, "layer2", "CN=Nestor Root CA layer2"),
        (None, "Hall 3, left", "CN=Nestor Root CA Hall 3\\, left"),
        (None, "x" * 99, f"CN=Nestor Root CA {'x' * 49}"),
        ("CN=Plant CA", "layer2", "CN=Plant CA"),
    ],
)
def test_a_root_that_nobody_named_has_the_name_of_its_layer(subject: str | None, layer: str | None, name: str) -> None:
    assert root_name(subject, layer) == name
    assert read_subject(name).rfc4514_string() == name


def test_a_subject_is_read_as_rfc_4514_writes_it() -> None:
    assert read_subject("CN=Plant 3 CA,O=Contoso").rfc4514_string() == "CN=Plant 3 CA,O=Contoso"


@pytest.mark.parametrize("text", ["", "Plant 3", "CN=", "CN=a,XX=b", "O=Contoso", f"CN={'x' * 65}", "CN=a,C=Germany"])
def test_a_subject_that_is_none_is_an_error_of_the_settings(text: str) -> None:
    with pytest.raises(SettingsError, match=r"ca\.subject"):
        read_subject(text)


def test_a_key_that_cannot_sign_here_makes_no_root() -> None:
    with pytest.raises(MaterialError, match="does not sign"):
        make_root(ed448.Ed448PrivateKey.generate(), "CN=Root", lifetime=DAY, now=NOW, serial=SERIAL)
