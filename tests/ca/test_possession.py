"""The proof that DPS and IoT Hub ask for."""

import pytest

from nestor.ca.content import Key
from nestor.ca.possession import LIFETIME, PROFILE, possession_content
from nestor.errors import MaterialError
from nestor.model import KeyType
from support.asking import subject
from support.issuing import catalog, ec_key

KEY = Key(ec_key().public_key(), KeyType.EC_P256)
CODE = "106A5SD242AF512B3498BD6098C4941E66R34H268DDB3288"


def test_its_name_is_the_code_and_nothing_else() -> None:
    content = possession_content(CODE, KEY)
    assert content.subject == subject(CODE)
    assert content.alternative_names == ()
    assert content.profile.lifetime == LIFETIME


def test_no_catalog_has_its_profile_and_it_authenticates_nobody() -> None:
    assert PROFILE not in catalog().names()
    traits = possession_content(CODE, KEY).profile.traits
    assert (traits.authenticates, traits.ca, traits.may_request) == (False, False, frozenset())


@pytest.mark.parametrize("code", ["", "x" * 65, "a b", "a\nb", "gw-3", "\u0661", "CN=x,O=y"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(MaterialError, match="verification code"):
        possession_content(code, KEY)
