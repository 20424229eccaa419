"""The rules of edgeHub and IoT Hub for reported properties, one by one."""

import json
from typing import Any

import pytest

from standin.rules import LARGEST, Refused, faults, read_patch


def nested(depth: int) -> dict[str, Any]:
    """Objects within objects."""
    return {"a": nested(depth - 1)} if depth > 1 else {"a": 1}


@pytest.mark.parametrize(
    "patch",
    [
        {},
        {"text": "x" * 4096, "number": 2**52 - 1, "other": -(2**52), "share": 0.5, "yes": True, "gone": None},
        {"k" * 1024: 1},
        {"list": [1, "two", {"three": 3}]},
        {"ü-_:/": "ü"},
        nested(10),
    ],
)
def test_what_keeps_the_rules_is_taken(patch: dict[str, Any]) -> None:
    assert read_patch(json.dumps(patch).encode()) == patch


@pytest.mark.parametrize(
    ("patch", "sentence"),
    [
        ({"a.b": 1}, "The name 'a.b' below / has '.'"),
        ({"$version": 1}, "has '\\$'"),
        ({"a#b": 1}, "has '#'"),
        ({"a b": 1}, "has ' '"),
        ({"a\u00a0b": 1}, "has '\\\\xa0'"),
        ({"a\u0085": 1}, "which no name may have"),
        ({"outer": {"a\nb": 1}}, "below /outer has '\\\\n'"),
        ({"k" * 1025: 1}, "more than 1024 bytes"),
        ({"text": "ü" * 2049}, "/text has more than 4096 bytes"),
        ({"list": ["x" * 4097]}, "/list has more than 4096 bytes"),
        ({"list": [1, None]}, "/list holds null in an array"),
        ({"list": [[{"deep": [None]}]]}, "holds null in an array"),
        ({"number": 2**52}, "/number is not between"),
        ({"number": -(2**52) - 1}, "/number is not between"),
        (nested(11), "nested deeper than 10"),
        ({f"k{number}": "x" * 4000 for number in range(9)}, f"{LARGEST} are taken"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_name(patch: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        read_patch(json.dumps(patch).encode())


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"1", b'{"a": NaN}', b"\xff"])
def test_what_is_no_json_object_is_refused(payload: bytes) -> None:
    with pytest.raises(Refused):
        read_patch(payload)


def test_every_fault_of_a_patch_is_told() -> None:
    assert len(list(faults({"a.b": None, "c d": [None]}))) == 3
