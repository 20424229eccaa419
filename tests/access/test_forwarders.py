"""Forwarders as the settings write them: what does not hold is told before anyone is believed."""

from pathlib import Path
from typing import Any

import pytest

from nestor.access.forwarders import known_forwarders, wrong_forwarders
from nestor.access.settings import AccessSettings
from nestor.errors import MaterialError, SettingsError
from support.asking import subject
from support.signing import root

LAYER = root("Layer CA")


def _settings(**forwarders: dict[str, Any]) -> AccessSettings:
    usual = {"subject": "CN=nestor-line1", "names": "line1-*"}
    return AccessSettings.model_validate({"forwarders": {name: {**usual, **more} for name, more in forwarders.items()}})


def test_a_forwarder_is_what_the_settings_say(tmp_path: Path) -> None:
    (tmp_path / "layer.pem").write_bytes(LAYER.pem)
    settings = _settings(line1={}, layer={"anchors": "file:layer.pem", "statements": True, "issuers": "own"})
    assert not list(wrong_forwarders(settings))
    ours, theirs = known_forwarders(settings, tmp_path)
    assert (ours.issuers, theirs.issuers) == ((), (LAYER.certificate,))
    assert ours.subject == subject("nestor-line1")
    assert (ours.scope.labels, ours.scope.grant.names, ours.scope.statements) == (("*",), ("line1-*",), False)


@pytest.mark.parametrize(
    ("key", "value"), [("subject", "nestor"), ("subject", ""), ("issuers", "factory"), ("profiles", "*")]
)
def test_what_does_not_hold_is_told_by_its_key(key: str, value: str) -> None:
    (told,) = wrong_forwarders(_settings(line1={key: value}))
    assert told.startswith(f"access.forwarders.line1.{key}: ")


def test_two_forwarders_that_one_certificate_could_be_of_are_refused(tmp_path: Path) -> None:
    (tmp_path / "layer.pem").write_bytes(LAYER.pem)
    for more in ({}, {"anchors": "file:layer.pem"}):
        with pytest.raises(SettingsError, match="same subject"):
            known_forwarders(_settings(one=more, other={"subject": "CN=Nestor-Line1", **more}), tmp_path)


def test_anchors_that_are_kin_to_our_own_ca_are_refused(tmp_path: Path) -> None:
    top = root("Plant Root")
    ours = top.sign("Nestor CA", ca=True)
    own = [ours.certificate, top.certificate]
    settings = _settings(line1={"anchors": "file:layer.pem"})
    for kin in (ours, top, ours.sign("gw1", ca=True), top.sign("Nestor of another layer", ca=True)):
        (tmp_path / "layer.pem").write_bytes(LAYER.pem + kin.pem)
        with pytest.raises(MaterialError, match=r"access\.forwarders\.line1\.anchors .*own, above it, or below it"):
            known_forwarders(settings, tmp_path, own)
    (tmp_path / "layer.pem").write_bytes(LAYER.pem)
    assert known_forwarders(settings, tmp_path, own)


def test_anchors_that_are_no_certificates_are_refused(tmp_path: Path) -> None:
    (tmp_path / "layer.pem").write_text("nothing")
    with pytest.raises(MaterialError, match=r"access\.forwarders\.line1\.anchors"):
        known_forwarders(_settings(line1={"anchors": "file:layer.pem"}), tmp_path)
