"""What the document may say of who may have what."""

import json
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from nestor.access.settings import AccessSettings, IdentitySource
from nestor.document import Reference


def read(document: dict[str, Any]) -> AccessSettings:
    return AccessSettings.model_validate_json(json.dumps(document))


def test_nothing_written_lets_nobody_in() -> None:
    settings = read({})
    assert not settings.users
    assert not settings.bootstrap
    assert settings.gateways == ()
    assert settings.users_file == Reference("file", "users.json")
    assert settings.limits.enrollment_burst == 60
    assert settings.limits.verified_for == timedelta(minutes=10)


def test_users_and_makers_are_written_as_the_design_shows() -> None:
    settings = read(
        {
            "users": {"line1": {"passwordHash": "env:LINE1_HASH", "names": "line1-*, spare"}},
            "bootstrap": {"factory": {"anchors": "file:f.pem", "identity": "serialNumber", "requireCrl": True}},
            "gateways": "gw*",
            "limits": {"failedPasswords": 5, "enrollmentPause": "2s"},
        }
    )
    assert settings.users["line1"].names == ("line1-*", "spare")
    assert settings.users["line1"].profiles == ("deviceIdentity", "estIdentity", "edgeCa")
    assert settings.bootstrap["factory"].identity is IdentitySource.SERIAL_NUMBER
    assert settings.bootstrap["factory"].crls is None
    assert settings.gateways == ("gw*",)


@pytest.mark.parametrize(
    "document",
    [
        {"users": {"line1": {}}},
        {"users": {"line1": {"passwordHash": "written-out"}}},
        {"users": {"line1": {"password": "secret"}}},
        {"bootstrap": {"factory": {"anchors": "env:ANCHORS"}}},
        {"bootstrap": {"factory": {"anchors": "file:f.pem", "identity": "subject"}}},
        {"usersFile": "env:USERS"},
        {"limits": {"failedPasswords": 0}},
        {"limits": {"enrollmentBurst": 1}},
        {"gateways": ["gw1"]},
    ],
)
def test_what_cannot_hold_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(document)


def test_settings_survive_being_written_and_read() -> None:
    settings = read({"users": {"a": {"passwordHash": "env:A"}}, "bootstrap": {"f": {"anchors": "file:f.pem"}}})
    assert AccessSettings.model_validate_json(settings.model_dump_json(by_alias=True)) == settings
