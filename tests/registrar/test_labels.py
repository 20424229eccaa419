"""Labels: rules of EST paths, checked when the house is built."""

import pytest

from nestor.errors import SettingsError, UnknownPath
from nestor.model import Combination, Label
from nestor.registrar.labels import build_labels, find_label
from nestor.registrar.settings import LabelSettings


def build(name: str, document: str = "{}") -> Label:
    return build_labels({name: LabelSettings.model_validate_json(document)}, {"edgeCa"})[name]


def test_the_path_without_a_label_is_always_there() -> None:
    labels = build_labels({}, set())
    assert find_label(labels, None) == Label("default")


def test_a_label_says_what_the_document_says() -> None:
    label = build("edge-ca", '{"profile": "edgeCa", "authentication": "certificate", "linking": true}')
    assert (label.profile, label.combination, label.linking) == ("edgeCa", Combination.CERTIFICATE, True)


@pytest.mark.parametrize("name", ["nowhere", "default"])
def test_an_unknown_label_is_no_path(name: str) -> None:
    with pytest.raises(UnknownPath):
        find_label(build_labels({}, set()), name)


@pytest.mark.parametrize("name", ["simpleenroll", "cacerts", "fullcmc", "renewal-info", "a/b", "", ".."])
def test_a_label_cannot_be_an_operation_nor_two_segments(name: str) -> None:
    with pytest.raises(SettingsError, match="one path segment"):
        build(name)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ('{"profile": "nothing"}', "no profile nothing"),
        ('{"challengePassword": "oneTimeCode", "linking": true}', "at once"),
        ('{"challengePassword": "oneTimeCode", "authentication": "certificate"}', "a code is a password"),
    ],
)
def test_rules_that_contradict_each_other_are_refused(document: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        build("x", document)
