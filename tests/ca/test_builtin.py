"""Certificates of every built-in profile, before the readers of others: pkilint and OpenSSL."""

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from nestor.ca.builtin import BUILT_IN, SERVER
from nestor.ca.hierarchy import make_intermediate
from nestor.ca.issuer import Issuer
from nestor.ca.settings import ProfileSettings
from support import openssl
from support.asking import NOW
from support.issuing import DAY, SERIAL, asked_for, catalog, content, draft, ec_key, issue, root, rsa_key, sign
from support.linting import findings, pem_file
from support.signing import sign as roughly_sign


def issuing() -> Issuer:
    """A CA below the root that has room for every profile."""
    return make_intermediate(
        root(), ec_key(ec.SECP384R1), "CN=Issuing", lifetime=4000 * DAY, now=NOW, serial=SERIAL, room=2
    )


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_profile_is_a_document_that_holds(name: str) -> None:
    assert catalog()[name].name == name
    assert ProfileSettings.model_validate(BUILT_IN[name])


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("key", [ec_key(), ec_key(ec.SECP384R1), rsa_key()])
def test_pkilint_finds_nothing(name: str, key: Any) -> None:
    assert findings(issue(name, key)) == []


def test_pkilint_would_find_something() -> None:
    assert findings(roughly_sign("dev1", ca=True, extensions=()).certificate)


def test_pkilint_finds_nothing_in_a_certificate_with_names() -> None:
    # Of several labels: pkilint takes no host name of one, which plants are full of.
    names = (x509.DNSName("dev1.plant.example"), x509.IPAddress(ip_address("10.1.2.3")))
    assert findings(sign(draft(content(catalog()["deviceIdentity"], asked_for("deviceIdentity"), names)))) == []


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("by", [root, issuing])
def test_openssl_verifies_strictly(name: str, by: Any, tmp_path: Path) -> None:
    issuer = by()
    leaf = pem_file(tmp_path / "leaf.pem", issue(name, issuer=issuer))
    anchor = pem_file(tmp_path / "root.pem", root().certificate)
    above = pem_file(tmp_path / "above.pem", *issuer.certificates)
    purpose = {"edgeCa": [], "layerCa": [], SERVER: ["-purpose", "sslserver"]}.get(name, ["-purpose", "sslclient"])
    options = ["-x509_strict", "-no_check_time", "-CAfile", anchor, "-untrusted", above, *purpose]
    assert b": OK" in openssl.run("verify", *options, leaf)
