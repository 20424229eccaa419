"""The built-in profiles, what an operator changes of them, and what an operator adds."""

import pytest

from nestor.ca.catalog import settings_of
from nestor.ca.settings import ProfileSettings
from nestor.errors import Forbidden, SettingsError
from support.asking import csr
from support.issuing import BUILT_IN_NAMES, CLIENT, DAY, EDGE_CA, SERVER, catalog, changed


def test_the_built_in_profiles_are_always_there() -> None:
    assert changed({"mine": {}}).names() == (*BUILT_IN_NAMES, "mine")


def test_one_key_of_a_built_in_profile_can_be_changed_alone() -> None:
    changed_one, built_in = changed({"edgeCa": {"lifetime": "7d"}})["edgeCa"], catalog()["edgeCa"]
    assert changed_one.lifetime == 7 * DAY
    assert (changed_one.ca, changed_one.key_usage, changed_one.extended_key_usage) == (
        built_in.ca,
        built_in.key_usage,
        built_in.extended_key_usage,
    )


def test_a_key_within_a_part_can_be_changed_alone() -> None:
    subject = changed({"deviceIdentity": {"subject": {"commonName": "line1-*"}}})["deviceIdentity"].subject
    assert subject.common_name == "line1-*"
    assert subject.registration_id


def test_a_value_can_be_set_to_what_it_is_by_default() -> None:
    settings = ProfileSettings.model_validate({"authenticates": False, "renewable": False})
    assert not settings_of("deviceIdentity", settings).authenticates


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as fault:
        changed({"edgeCa": {"keys": "dsa"}, "mine": {"jitter": "99%"}, "ownServer": {}})
    text = fault.value.sentence
    assert "profiles.edgeCa.keys" in text
    assert "profiles.mine.jitter" in text
    assert "profiles.ownServer" in text


def test_a_profile_may_request_known_profiles_only() -> None:
    assert changed({"mine": {"mayRequest": "edgeCa, other"}, "other": {}})
    with pytest.raises(SettingsError, match=r"profiles\.mine\.mayRequest: there is no profile edgeCA"):
        changed({"mine": {"mayRequest": "edgeCA"}})


def test_without_a_pin_the_shape_chooses() -> None:
    assert catalog().choose(csr("dev1", **EDGE_CA), None).name == "edgeCa"
    assert catalog().choose(csr("dev1", extended_key_usage=(SERVER,)), None).server


def test_a_pin_overrules_the_shape() -> None:
    assert catalog().choose(csr("dev1", extended_key_usage=(CLIENT,)), "deviceIdentity").name == "deviceIdentity"
    with pytest.raises(Forbidden):
        catalog().choose(csr("dev1", **EDGE_CA), "deviceIdentity")


def test_what_the_gate_hears_is_what_the_design_says() -> None:
    traits = {name: catalog().traits(name) for name in BUILT_IN_NAMES}
    assert [name for name in BUILT_IN_NAMES if traits[name].authenticates] == [
        "deviceIdentity",
        "estIdentity",
        "bootstrap",
        "forwarder",
    ]
    assert [name for name in BUILT_IN_NAMES if traits[name].renewable] == ["deviceIdentity", "estIdentity", "forwarder"]
    assert [name for name in BUILT_IN_NAMES if traits[name].ca] == ["edgeCa", "layerCa"]
    assert [name for name in BUILT_IN_NAMES if traits[name].entrusted] == ["forwarder", "layerCa"]
    assert traits["estIdentity"].may_request == {"deviceIdentity", "edgeCa", "layerCa"}
    assert traits["forwarder"].may_request == {"layerCa"}
    assert traits["bootstrap"].may_request == {"estIdentity"}


def test_every_profile_can_be_given_another_lifetime_that_does_not_vary() -> None:
    shorter = catalog().lasting(7 * DAY)
    assert shorter.names() == catalog().names()
    for name in shorter.names():
        profile = shorter[name]
        assert (profile.lifetime, profile.traits.lifetime, profile.jitter) == (7 * DAY, 7 * DAY, 0.0)
        assert profile.minimum_lifetime < 7 * DAY


def test_a_lifetime_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="at least 1min"):
        catalog().lasting(0 * DAY)
