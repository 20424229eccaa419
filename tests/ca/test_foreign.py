"""Certificates that another program issued under the same CA: what suits them here, and what does not."""

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.ca.foreign import check_digest, suitable_profile
from nestor.errors import Forbidden, MaterialError, NestorError
from support.estca import est_ca
from support.shapes import est_identity
from support.signing import CLIENT, SERVER, root, rsa_key

CA = root("estExampleCA")
P256 = ec.generate_private_key(ec.SECP256R1())
BOTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
HOST = x509.SubjectAlternativeName([x509.DNSName("gw3")])
MAIL = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])


@pytest.mark.parametrize(
    ("extensions", "key", "profile"),
    [
        ([], P256, "estIdentity"),  # what certd makes its EST identity on ...
        ([], rsa_key(4096), "estIdentity"),
        ([], rsa_key(2048), "deviceIdentity"),  # ... and the device's own
        ([CLIENT], P256, "estIdentity"),
        ([CLIENT], rsa_key(2048), "deviceIdentity"),
        ([CLIENT, HOST], P256, "estIdentity"),
        ([BOTH], P256, "estIdentity"),
        ([BOTH, HOST], P256, "server"),
        ([SERVER, HOST], P256, "server"),
        ([HOST], P256, "server"),  # libest's own server certificate
    ],
)
def test_what_a_certificate_says_finds_its_profile(extensions: list[Any], key: Any, profile: str) -> None:
    assert suitable_profile(CA.sign("gw3", extensions=extensions, key=key).certificate) == profile


def test_a_ca_with_a_path_length_of_0_is_an_edge_ca_and_no_other_ca_suits() -> None:
    assert suitable_profile(CA.sign("gw3", ca=True, path_length=0).certificate) == "edgeCa"
    for length in (None, 1):
        with pytest.raises(Forbidden, match="room"):
            suitable_profile(CA.sign("gw3", ca=True, path_length=length).certificate)


@pytest.mark.parametrize(
    ("extensions", "key", "why"),
    [
        ([MAIL], P256, "neither for clients"),
        ([SERVER], P256, "neither for clients"),
        ([], rsa_key(1024), "1024 bits"),
        ([], ec.generate_private_key(ec.SECP192R1()), "192 bits"),
    ],
)
def test_what_nothing_here_works_with_is_told(extensions: list[Any], key: Any, why: str) -> None:
    with pytest.raises(NestorError, match=why):
        suitable_profile(CA.sign("gw3", extensions=extensions, key=key).certificate)


def test_a_digest_that_nobody_takes_any_more_is_told(tmp_path: Path) -> None:
    made = est_ca(tmp_path)
    old = made.issue(est_identity("dev1"), digest="sha1").certificate
    with pytest.raises(MaterialError, match="SHA1"):
        suitable_profile(old)
    with pytest.raises(MaterialError, match="CA certificate is signed with SHA1"):
        check_digest(old, "The CA certificate is")
