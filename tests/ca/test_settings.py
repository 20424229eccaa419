"""The words of the document, and that they come back as they were written."""

import json
from datetime import timedelta

import pytest
from pydantic import ValidationError

from nestor.ca.builtin import BUILT_IN
from nestor.ca.settings import CASettings, CASource, ProfileSettings
from nestor.model import KeyType


def test_without_a_word_a_root_of_its_own_is_made() -> None:
    settings = CASettings.model_validate_json("{}")
    assert (settings.source, settings.key_type) == (CASource.ROOT, KeyType.EC_P256)
    assert settings.lifetime == timedelta(days=7300)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_profile_is_written_as_it_was_read(name: str) -> None:
    settings = ProfileSettings.model_validate_json(json.dumps(BUILT_IN[name]))
    assert ProfileSettings.model_validate_json(settings.model_dump_json(by_alias=True)) == settings


@pytest.mark.parametrize(
    "document",
    [
        {"source": "hsm"},
        {"keyType": "dsa"},
        {"rsaBits": 2048},
        {"lifetime": "20"},
        {"key": "env:KEY"},
        {"certificate": "ca.pem"},
        {"passphrase": "x"},
    ],
)
def test_what_a_ca_cannot_be_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CASettings.model_validate_json(json.dumps(document))


@pytest.mark.parametrize(
    "document",
    [{"rsaMinimum": 1024}, {"pathLength": -1}, {"jitter": 5}, {"keys": ["rsa"]}, {"serverKey": "dsa"}, {"cA": True}],
)
def test_what_a_profile_cannot_be_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ProfileSettings.model_validate_json(json.dumps(document))


def test_every_key_is_described() -> None:
    for kind in (CASettings, ProfileSettings):
        assert all(field.description for field in kind.model_fields.values())
