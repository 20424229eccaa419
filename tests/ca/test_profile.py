"""Settings of a profile that do not hold, and the sentence about each."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from nestor.ca.profile import build_profile
from nestor.ca.settings import ProfileSettings
from nestor.errors import SettingsError
from nestor.model import KeyType
from support.issuing import CLIENT, DAY, SERVER, profile


@pytest.mark.parametrize(
    ("document", "key", "said"),
    [
        ({"keys": ""}, "keys", "at least one"),
        ({"keys": "ec-p256, dsa"}, "keys", "dsa"),
        (
            {"keys": "ml-dsa-65", "authenticates": True, "extendedKeyUsage": "clientAuth"},
            "authenticates",
            "ML-DSA certificates are not taken in TLS",
        ),
        ({"serverKey": "ed25519"}, "serverKey", "not among keys"),
        ({"rsaMinimum": 4096, "rsaMaximum": 3072}, "rsaMinimum", "larger"),
        ({"lifetime": "59s"}, "lifetime", "1min"),
        ({"jitter": "51%"}, "jitter", "50%"),
        ({"lifetime": "1d", "minimumLifetime": "2d"}, "minimumLifetime", "longer than lifetime"),
        ({"lifetime": "100d", "jitter": "10%", "minimumLifetime": "91d"}, "minimumLifetime", "jitter"),
        ({"keyUsage": "digitalsignature"}, "keyUsage", "digitalSignature"),
        ({"extendedKeyUsage": "clientAuth, codeSign"}, "extendedKeyUsage", "dotted OID"),
        ({"extendedKeyUsage": "2.5.29.37.0"}, "extendedKeyUsage", "every purpose"),
        ({"extendedKeyUsage": "1.3.6.1.5.5.7.3.28"}, "extendedKeyUsage", "registration authority"),
        ({"extendedKeyUsage": "1.3.6.1.5.5.7.3.27"}, "extendedKeyUsage", "certificate authority"),
        ({"extendedKeyUsage": ""}, "extendedKeyUsage", "every purpose"),
        ({"keyUsage": "digitalSignature, keyCertSign"}, "keyUsage", "go together"),
        ({"keyUsage": "digitalSignature, cRLSign"}, "keyUsage", "for CAs"),
        ({"ca": True}, "keyUsage", "go together"),
        ({"ca": True, "keyUsage": "keyCertSign"}, "extendedKeyUsage", "has none"),
        ({"authenticates": True, "extendedKeyUsage": "serverAuth"}, "authenticates", "clientAuth"),
        ({"subject": {"take": "CN, XX"}}, "subject", "XX"),
        ({"subject": {"add": {"XX": "a"}}}, "subject", "XX"),
        ({"subject": {"add": {"C": "Germany"}}}, "subject.add.C", "Germany"),
    ],
)
def test_a_key_that_is_wrong_is_named_with_what_would_be_right(document: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(SettingsError) as fault:
        build_profile("mine", ProfileSettings.model_validate(document))
    line = next(line for line in fault.value.sentence.splitlines() if line.startswith(f"profiles.mine.{key}: "))
    assert said in line


def test_every_wrong_key_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as fault:
        build_profile("mine", ProfileSettings.model_validate({"keys": "dsa", "jitter": "99%", "lifetime": "1s"}))
    assert {line.split(":")[0] for line in fault.value.sentence.splitlines()} >= {
        "profiles.mine.keys",
        "profiles.mine.jitter",
        "profiles.mine.lifetime",
    }


def test_a_profile_that_says_nothing_is_one_of_a_client_that_may_nothing() -> None:
    mine = profile("mine")
    assert mine.extended_key_usage == (CLIENT,)
    assert mine.path_length is None
    assert mine.traits.may_request == frozenset()
    powers = (mine.ca, mine.traits.authenticates, mine.traits.renewable, mine.traits.server)
    assert powers == (False, False, False, False)


def test_usages_have_names_or_numbers() -> None:
    mine = profile("mine", extendedKeyUsage="serverAuth, 1.3.6.1.4.1.99999.1")
    assert mine.extended_key_usage == (SERVER, x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"))
    assert mine.traits.server


def test_a_tenth_of_the_life_is_the_least_unless_told() -> None:
    assert profile("mine", lifetime="10d").minimum_lifetime == DAY
    assert profile("mine", lifetime="10d", minimumLifetime="2h").minimum_lifetime == timedelta(hours=2)


def test_the_first_kind_of_key_is_the_one_made_here_unless_told() -> None:
    assert profile("mine", keys="ec-p384, rsa").server_key is KeyType.EC_P384
    assert profile("mine", keys="ec-p384, rsa", serverKey="rsa").server_key is KeyType.RSA


def test_only_a_ca_excludes_names() -> None:
    assert profile("edgeCa").exclude_server_names
    assert not profile("mine").exclude_server_names
