"""Configuration documents beside the schema that tools know them by: what Nestor takes, the schema takes as well."""

import functools
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from nestor.settings import json_schema


@functools.cache
def validator() -> Draft202012Validator:
    """What any tool makes of `nestor config schema`."""
    return Draft202012Validator(json_schema())


def check_schema_takes(document: Mapping[str, Any]) -> None:
    """Fail for a document, taken by Nestor, that the schema refuses."""
    wrong = [f"{'.'.join(map(str, error.path))}: {error.message}" for error in validator().iter_errors(document)]
    assert not wrong, wrong
