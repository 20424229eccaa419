"""The words of the document about keys."""

import json

import pytest
from pydantic import ValidationError

from nestor.document import Reference
from nestor.keys.settings import KeySettings


def test_without_a_word_keys_are_files_without_a_passphrase() -> None:
    assert KeySettings.model_validate_json("{}").passphrase is None


def test_a_passphrase_is_named() -> None:
    settings = KeySettings.model_validate_json('{"passphrase": "env:NESTOR_PASSPHRASE"}')
    assert settings.passphrase == Reference("env", "NESTOR_PASSPHRASE")


@pytest.mark.parametrize("document", [{"kind": "pkcs11"}, {"passphrase": "correct horse"}])
def test_what_is_not_offered_or_written_out_is_refused(document: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        KeySettings.model_validate_json(json.dumps(document))
