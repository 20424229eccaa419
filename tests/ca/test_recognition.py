"""Which profile a certificate was issued by, told from what it says: all that we issue comes back as what it was."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from nestor.ca.catalog import Catalog
from nestor.errors import Forbidden
from support.issuing import (
    BUILT_IN_NAMES,
    CLIENT,
    asked_for,
    catalog,
    changed,
    content,
    draft,
    ec_key,
    ed25519_key,
    issue,
    request,
    rsa_key,
    sign,
)
from support.signing import root as other_root


def issued(of: Catalog, name: str, common_name: str = "dev1", key: Any = None, **fields: Any) -> x509.Certificate:
    """A certificate of a profile of a catalog."""
    asked = asked_for(name, key) if name in BUILT_IN_NAMES and not fields else request(common_name, key=key, **fields)
    return sign(draft(content(of[name], asked)))


@pytest.mark.parametrize(
    ("name", "key", "recognized"),
    [
        ("deviceIdentity", rsa_key(), "deviceIdentity"),
        ("estIdentity", ec_key(), "estIdentity"),
        ("estIdentity", rsa_key(4096), "estIdentity"),
        ("edgeCa", rsa_key(), "edgeCa"),
        ("edgeCa", ec_key(), "edgeCa"),
        ("server", ec_key(), "server"),
        ("bootstrap", ec_key(), "bootstrap"),
        ("bootstrap", rsa_key(), "bootstrap"),
        # An EC key cannot encipher, so nothing tells this one from an EST identity: the device must be able to renew.
        ("deviceIdentity", ec_key(), "estIdentity"),
    ],
)
def test_what_we_issue_comes_back_as_what_it_was(name: str, key: Any, recognized: str) -> None:
    assert catalog().recognize(issue(name, key)).name == recognized


def test_a_profile_that_was_changed_since_is_told_by_what_else_it_says() -> None:
    other = changed({name: {"lifetime": "7d"} for name in ("estIdentity", "edgeCa", "deviceIdentity")})
    assert other.recognize(issue("estIdentity", rsa_key(4096)), "estIdentity").name == "estIdentity"
    assert other.recognize(issue("edgeCa", rsa_key())).name == "edgeCa"
    assert other.recognize(issue("deviceIdentity", rsa_key())).name == "deviceIdentity"
    longer = changed({"estIdentity": {"lifetime": "90d"}})
    assert longer.recognize(issue("estIdentity", ec_key())).name == "estIdentity"


def test_of_profiles_that_say_the_same_the_one_of_least_power_is_taken() -> None:
    some = {"lifetime": "2y", "authenticates": True}
    more = {**some, "renewable": True}
    both = changed({"once": some, "again": more, "bootstrap": {"lifetime": "9d"}})
    found = issued(both, "again", extended_key_usage=(CLIENT,))
    assert both.recognize(found).name == "once"
    assert both.recognize(found, "again").name == "again"


def test_of_profiles_of_which_each_may_more_than_the_other_none_is_guessed() -> None:
    some = {"lifetime": "2y", "authenticates": True, "renewable": True}
    both = changed({"pump": some, "valve": some})
    found = issued(both, "pump", extended_key_usage=(CLIENT,))
    with pytest.raises(Forbidden, match="pump, valve") as caught:
        both.recognize(found)
    assert "--profile" in caught.value.hint
    assert both.recognize(found, "valve").name == "valve"


def test_a_profile_that_authenticates_is_not_guessed_beside_one_that_does_not() -> None:
    usages = {"extendedKeyUsage": "serverAuth, clientAuth", "alternativeNames": {"dnsFromCommonName": True}}
    two = changed({"historian": {"lifetime": "90d", "authenticates": True, **usages}})
    with pytest.raises(Forbidden, match="historian, server"):
        two.recognize(issue("server", ec_key()))


def test_the_order_of_purposes_tells_profiles_apart() -> None:
    two = changed(
        {"historian": {"lifetime": "90d", "extendedKeyUsage": "clientAuth, serverAuth", "authenticates": True}}
    )
    assert two.recognize(issue("server", ec_key())).name == "server"


def test_a_wish_counts_only_among_those_that_fit() -> None:
    assert catalog().recognize(issue("deviceIdentity", rsa_key()), "edgeCa").name == "deviceIdentity"


def test_an_est_identity_does_not_stand_for_a_profile_that_it_may_not_have() -> None:
    two = changed({"meter": {"authenticates": True, "renewable": True}})
    with pytest.raises(Forbidden, match="estIdentity, meter"):
        two.recognize(issue("estIdentity", ec_key()))


@pytest.mark.parametrize(
    "found",
    [
        other_root("Other").certificate,
        other_root("Other").sign("dev1").certificate,
        other_root("Other").sign("dev1", key=ed25519_key(), extensions=[x509.ExtendedKeyUsage([CLIENT])]).certificate,
    ],
)
def test_what_is_like_nothing_that_we_issue_is_not_recognized(found: x509.Certificate) -> None:
    with pytest.raises(Forbidden, match="no profile"):
        catalog().recognize(found)


def test_a_key_of_a_kind_that_no_profile_has_is_not_recognized() -> None:
    key = ec.generate_private_key(ec.SECP256K1())
    with pytest.raises(Forbidden, match="no profile"):
        catalog().recognize(other_root("Other").sign("dev1", key=key).certificate)
