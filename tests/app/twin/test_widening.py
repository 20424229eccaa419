"""What a wish widens: nothing that the host does not let happen, and nothing is refused that is not wider."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nestor.app.trial import try_settings
from nestor.app.twin.widening import Widening, check_allowed, is_allowed, references, widenings
from nestor.document import Reference, any_covers, merge
from nestor.errors import SettingsError
from nestor.naming import fold
from nestor.settings import Settings, judge
from nestor.twin.settings import Power, TwinSettings
from support.widening import CASES, MAKER, USER, Case


def anywhere(_: Reference) -> bool:
    return True


def found(said: dict[str, Any], wished: dict[str, Any]) -> list[Widening]:
    return list(widenings(judge(said), judge(merge(said, wished)), judge(said), anywhere))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.said}"[:70])
def test_a_wish_that_widens_is_named_by_its_key(case: Case) -> None:
    wanted = judge(merge(case.said, case.wished))
    if "source" not in case.path and "certificate" not in case.path:
        try_settings(wanted)
    one = [
        widening
        for widening in widenings(judge(case.said), wanted, judge(case.said), anywhere)
        if widening.path == case.path
    ]
    assert len(one) == 1
    assert not is_allowed(one[0], TwinSettings.model_validate({}))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.said}"[:70])
def test_what_the_host_says_itself_widens_nothing(case: Case) -> None:
    assert found(merge(case.said, case.wished), {}) == []
    assert found(merge(case.said, case.wished), dict(case.wished)) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.said}"[:70])
def test_the_host_can_let_its_twin_do_it_and_is_told_how(case: Case) -> None:
    twin = judge(case.said).twin
    wider = widenings(judge(case.said), judge(merge(case.said, case.wished)), judge(case.said), anywhere)
    with pytest.raises(SettingsError) as told:
        check_allowed(wider, twin)
    assert case.path in told.value.sentence
    allowing: dict[str, Any] = {}
    for line in ("may", "names"):
        _, there, rest = told.value.hint.partition(f'twin.{line} = "')
        if there:
            allowing[line] = rest.partition('"')[0]
    check_allowed(wider, judge({"twin": allowing}).twin)
    check_allowed(wider, judge({"twin": {"may": "all"}}).twin)


@pytest.mark.parametrize(
    ("said", "wished"),
    [
        ({}, {"listener": {"hostnames": "gw3.plant.example", "port": 8443, "cacertsOrder": "chain"}}),
        ({}, {"profiles": {"deviceIdentity": {"lifetime": "365d"}, "edgeCa": {"lifetime": "7d", "jitter": "0%"}}}),
        ({"profiles": {"deviceIdentity": {"lifetime": "2y"}}}, {"profiles": {"deviceIdentity": {"lifetime": "700d"}}}),
        (
            {},
            {"profiles": {"deviceIdentity": {"keys": "ed25519", "rsaMinimum": 3072, "extendedKeyUsage": "clientAuth"}}},
        ),
        ({}, {"profiles": {"plc": {"lifetime": "7d"}}, "labels": {"plc": {"profile": "plc"}}}),
        ({}, {"profiles": {"web": {"extendedKeyUsage": "serverAuth"}}, "labels": {"web": {"profile": "web"}}}),
        ({"access": {"users": {"gw3": USER}}}, {"access": {"users": {"gw3": {**USER, "names": "GW3"}}}}),
        (
            {"access": {"users": {"u": {**USER, "names": "line1-*"}}}},
            {"access": {"users": {"u": {"names": "line1-7*, line1-?"}}}},
        ),
        ({"access": {"users": {"u": {**USER, "names": "*"}}}}, {"access": {"users": {"u": None}}}),
        ({"access": {"gateways": "gw*"}}, {"access": {"gateways": "gw1, gw2*"}}),
        ({"access": {"bootstrap": {"f": MAKER}}}, {"access": {"bootstrap": {"f": {"requireCrl": True}}}}),
        ({"access": {"bootstrap": {"f": MAKER}}}, {"access": {"bootstrap": {"f": {"crls": "file:f.crl"}}}}),
        ({"access": {"bootstrap": {"f": {**MAKER, "names": "*"}}}}, {"access": {"bootstrap": {"f": {"names": ""}}}}),
        ({}, {"labels": {"default": {"authentication": "certificateAndPassword", "linking": True}}}),
        ({"labels": {"a": {"profile": "edgeCa"}}}, {"labels": {"b": {"profile": "edgeCa", "linking": True}}}),
        ({}, {"access": {"limits": {"failedPasswords": 5, "enrollmentPause": "2s"}}}),
        ({}, {"listener": {"limits": {"connections": 100}, "serverCertificate": {"lifetime": "30d"}}}),
        ({"listener": {"hostnames": "gw3, localhost"}}, {"listener": {"hostnames": "GW3, other"}}),
        ({"listener": {"addresses": "*"}}, {"listener": {"addresses": "10.3.0.7"}}),
        ({"log": {"level": "error"}}, {"log": {"level": "error", "format": "json"}}),
        ({}, {"log": {"level": "warning"}}),
        ({}, {"ca": {"subject": "CN=Plant Root", "keyType": "rsa", "rsaBits": 3072, "lifetime": "10y"}}),
        ({}, {"reporting": {"interval": "5min", "telemetry": True}}),
    ],
)
def test_what_is_no_wider_needs_no_word_of_the_host(said: dict[str, Any], wished: dict[str, Any]) -> None:
    try_settings(judge(merge(said, wished)))
    assert found(said, wished) == []


def test_a_default_is_no_word_of_the_host() -> None:
    host, wanted = ({"listener": {"hostnames": names}} for names in ("gw3, nestor", "gw3.plant.example"))
    assert widenings(judge(host), judge(wanted), judge({}), anywhere) == []
    assert len(widenings(judge(host), judge(wanted), judge(host), anywhere)) == 1


def test_names_that_the_host_grants_are_told_and_allowed_and_others_are_not() -> None:
    said = {"twin": {"names": "line1-*, gw?"}}
    user = {"access": {"users": {"u": {**USER, "names": "line1-7, gw1"}}}}
    (widening,) = found(said, user)
    assert (widening.power, widening.names) == (None, ("line1-7", "gw1"))
    check_allowed([widening], judge(said).twin)
    for names in ("*", "line1*", "gw*", "line?-7", "line1-7, line2-7"):
        with pytest.raises(SettingsError, match=r"access\.users\.u\.names"):
            check_allowed(found(said, {"access": {"users": {"u": {**USER, "names": names}}}}), judge(said).twin)


def test_a_gateway_takes_the_power_and_the_name() -> None:
    wished = {"access": {"gateways": "gw7"}}
    for twin, allowed in (
        ({}, False),
        ({"names": "gw*"}, False),
        ({"may": "gateways"}, False),
        ({"may": "gateways", "names": "gw*"}, True),
    ):
        (widening,) = found({"twin": twin}, wished)
        assert is_allowed(widening, judge({"twin": twin}).twin) is allowed


def test_a_file_or_variable_is_looked_at_wherever_it_stands_unless_the_host_names_it() -> None:
    def nowhere(_: Reference) -> bool:
        return False

    wished = {
        "access": {"users": {"u": {"passwordHash": "env:A"}}, "bootstrap": {"f": {"anchors": "file:b"}}},
        "labels": {"l": {"serverKeyGeneration": {"keyEncryptionKeys": {"k": "file:c"}}}},
    }
    named = {f"{kind}:{place}" for kind, place in (("env", "A"), ("file", "b"), ("file", "c"))}
    told = widenings(judge({}), judge(wished), judge({}), nowhere)
    paths = [widening.path for widening in told if widening.power is Power.FILES]
    assert {str(reference) for path, reference in references(judge(wished)) if path in paths} == named
    said = {"access": {"users": {"other": {"passwordHash": "env:A"}}}}
    told = widenings(judge(said), judge(merge(said, wished)), judge(said), nowhere)
    assert "access.users.u.passwordHash" not in [widening.path for widening in told]


def test_no_sentence_tells_the_place_of_a_file() -> None:
    wished = judge({"access": {"users": {"u": {"passwordHash": "env:SECRET_PLACE"}}}})
    found = widenings(judge({}), wished, judge({}), lambda _: False)
    assert {one.path for one in found} == {"access.users.u.names", "access.users.u.passwordHash"}
    assert "SECRET_PLACE" not in "".join(one.sentence for one in found)


_IDS = ("a", "b", "ab", "ba", "aab", "a*", "?")
_PATTERNS = st.lists(st.text("ab*?\\", max_size=4), max_size=3).map(lambda words: ", ".join(filter(None, words)))
_USERS = st.dictionaries(
    st.sampled_from(["a", "A", "b", "ab"]),
    st.fixed_dictionaries(
        {
            "passwordHash": st.sampled_from(["file:1.hash", "file:2.hash"]),
            "names": _PATTERNS,
            "profiles": st.sampled_from(["estIdentity", "estIdentity, server", "*"]),
        }
    ),
    max_size=3,
)


def _power(settings: Settings) -> set[tuple[str, str, str, str]]:
    """Who may have what: user, hash, device, profile."""
    return {
        (fold(name), str(user.password_hash), device, profile)
        for name, user in settings.access.users.items()
        for device in _IDS
        if any_covers(user.names, device) or (not user.names and device == fold(name))
        for profile in ("estIdentity", "server", "other")
        if {profile, "*"} & {*user.profiles}
    }


@given(said=_USERS, wished=_USERS, granted=_PATTERNS)
def test_whoever_may_have_a_device_by_an_allowed_wish_had_it_before_or_is_it_or_was_granted_it(
    said: dict[str, Any], wished: dict[str, Any], granted: str
) -> None:
    assume(all(len({*map(fold, users)}) == len(users) for users in (said, wished)))
    host = judge({"access": {"users": said}, "twin": {"names": granted}})
    wanted = judge({"access": {"users": wished}, "twin": {"names": granted}})
    wider = widenings(host, wanted, host, anywhere)
    if all(is_allowed(widening, host.twin) for widening in wider):
        beyond = {(user, device) for user, _, device, _ in _power(wanted) - _power(host)}
        assert [one for one in beyond if one[0] != one[1] and not any_covers(host.twin.names, one[1])] == []
    assert widenings(wanted, wanted, wanted, anywhere) == []


_DURATIONS = st.sampled_from([None, "7d", "30d", "1y", "2y"])
_PROFILES = st.dictionaries(
    st.sampled_from(["deviceIdentity", "mine", "server"]), st.fixed_dictionaries({"lifetime": _DURATIONS}), max_size=3
)


@given(said=_PROFILES, wished=_PROFILES)
def test_no_profile_lives_longer_by_an_allowed_wish_than_the_host_lets_its_kind_live(
    said: dict[str, Any], wished: dict[str, Any]
) -> None:
    said, wished = (merge({}, {"profiles": one}) for one in (said, wished))
    host, wanted = judge(said), judge(wished)
    if widenings(host, wanted, host, anywhere):
        return
    longest = max((profile.lifetime for profile in host.profiles.values()), default=None)
    for profile in wanted.profiles.values():
        assert profile.lifetime.days <= max(365, longest.days if longest else 0)
