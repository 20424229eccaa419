"""Every row of the table, by the requests that it is there for."""

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from nestor.ca.shapes import SHAPES, check_pinned, profile_for
from nestor.errors import Forbidden
from nestor.model import BasicConstraints, KeyUsage
from support.asking import csr
from support.issuing import CLIENT, EDGE_CA, SERVER

LEAF = BasicConstraints(ca=False, path_length=None)
LOCAL = frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION, KeyUsage.KEY_ENCIPHERMENT})
SIGN = frozenset({KeyUsage.KEY_CERT_SIGN})
NAMES = (x509.DNSName("dev1"),)
CMC_RA = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.28")


@pytest.mark.parametrize(
    ("fields", "profile"),
    [
        ({}, "deviceIdentity"),
        ({"alternative_names": NAMES}, "deviceIdentity"),
        ({"extended_key_usage": (CLIENT,)}, "estIdentity"),
        ({"extended_key_usage": (CLIENT,), "alternative_names": NAMES}, "estIdentity"),
        ({"basic_constraints": LEAF}, "deviceIdentity"),
        ({"key_usage": LOCAL}, "deviceIdentity"),
        ({"basic_constraints": LEAF, "key_usage": LOCAL, "extended_key_usage": (CLIENT,)}, "deviceIdentity"),
        ({"basic_constraints": LEAF, "key_usage": LOCAL, "extended_key_usage": (CLIENT, SERVER)}, "server"),
        ({"extended_key_usage": (SERVER,)}, "server"),
        ({"extended_key_usage": (SERVER, CLIENT), "alternative_names": NAMES}, "server"),
        (EDGE_CA, "edgeCa"),
        ({"basic_constraints": EDGE_CA["basic_constraints"]}, "edgeCa"),
        ({"other_extensions": (ExtensionOID.SUBJECT_KEY_IDENTIFIER,)}, "deviceIdentity"),
        (
            {"other_extensions": (ExtensionOID.AUTHORITY_KEY_IDENTIFIER,), "extended_key_usage": (CLIENT,)},
            "estIdentity",
        ),
    ],
)
def test_a_shape_leads_to_its_profile(fields: dict, profile: str) -> None:
    assert profile_for(csr("dev1", **fields)) == profile


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"basic_constraints": BasicConstraints(ca=True, path_length=None)}, "CA:TRUE with another path length"),
        ({"basic_constraints": BasicConstraints(ca=True, path_length=1)}, "CA:TRUE with another path length"),
        ({"key_usage": SIGN}, "keyCertSign"),
        ({"key_usage": LOCAL | SIGN, "basic_constraints": LEAF}, "keyCertSign"),
        ({"key_usage": frozenset({KeyUsage.CRL_SIGN})}, "cRLSign"),
        ({"extended_key_usage": (CLIENT, ExtendedKeyUsageOID.CODE_SIGNING)}, "1.3.6.1.5.5.7.3.3"),
        ({"extended_key_usage": (CLIENT, CMC_RA)}, "cmcRA"),
        ({"extended_key_usage": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)}, "2.5.29.37.0"),
        ({"extended_key_usage": ()}, "an empty extended key usage"),
        ({"other_extensions": (ExtensionOID.NAME_CONSTRAINTS,)}, "2.5.29.30"),
        ({**EDGE_CA, "other_extensions": (ExtensionOID.POLICY_CONSTRAINTS,)}, "2.5.29.36"),
        ({"other_extensions": (x509.ObjectIdentifier("1.2.3.4"),)}, "1.2.3.4"),
    ],
)
def test_a_shape_that_nobody_may_have_is_refused_by_name(fields: dict, named: str) -> None:
    with pytest.raises(Forbidden) as refusal:
        profile_for(csr("dev1", **fields))
    assert named in refusal.value.sentence
    assert refusal.value.hint


def test_the_last_row_takes_whatever_no_other_row_takes() -> None:
    left = csr("dev1", basic_constraints=LEAF)
    assert [shape.name for shape in SHAPES if shape.fits(left)] == [SHAPES[-1].name]


def test_a_path_for_identities_gives_no_ca() -> None:
    with pytest.raises(Forbidden, match="asks for a CA certificate"):
        check_pinned(csr("dev1", **EDGE_CA), ca=False, profile="deviceIdentity")


def test_a_path_for_cas_gives_nothing_to_those_who_did_not_ask_for_one() -> None:
    with pytest.raises(Forbidden, match="does not ask for a CA"):
        check_pinned(csr("dev1"), ca=True, profile="edgeCa")


def test_a_path_that_pins_a_profile_takes_what_fits() -> None:
    check_pinned(csr("dev1", extended_key_usage=(CLIENT,)), ca=False, profile="deviceIdentity")
    check_pinned(csr("dev1", **EDGE_CA), ca=True, profile="edgeCa")
