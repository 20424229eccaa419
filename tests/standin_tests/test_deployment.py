"""What the stand-in's module starts with: a deployment template's twin and environment, or a twin alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from nestor.settings import judge
from standin.deployment import read_object, read_template, read_twin
from standin.errors import StandInError

ROOT = Path(__file__).parents[2]


def template(module: dict[str, Any], desired: dict[str, Any]) -> str:
    return json.dumps(
        {
            "modulesContent": {
                "$edgeAgent": {"properties.desired": {"modules": {"nestor": module}}},
                "nestor": {"properties.desired": desired},
            }
        }
    )


def test_a_template_gives_twin_and_environment_with_its_placeholders_filled_in() -> None:
    text = template({"env": {"A": {"value": "${NESTOR_GATEWAYS}"}}}, {"listener": {"hostnames": "${NESTOR_HOSTNAME}"}})
    deployment = read_template(text, "nestor", "127.0.0.9")
    assert deployment.desired == {"listener": {"hostnames": "127.0.0.9"}}
    assert deployment.environment == {"A": "gateway-*"}


def test_a_template_needs_no_environment() -> None:
    assert read_template(template({}, {}), "nestor", "127.0.0.9").environment == {}


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"modulesContent": []}'])
def test_what_is_no_template_is_said_to_be_none(text: str) -> None:
    with pytest.raises(StandInError, match="no deployment template with a module nestor"):
        read_template(text, "nestor", "127.0.0.9")


def test_the_templates_own_twin_is_one_that_nestor_takes() -> None:
    text = (ROOT / "deployment.template.json").read_text("utf-8")
    settings = judge(read_template(text, "nestor", "127.0.0.9").desired)
    assert settings.access.gateways == ("gateway-*",)


def test_a_twin_alone_is_the_desired_properties() -> None:
    assert read_twin('{"log": {}}').desired == {"log": {}}


@pytest.mark.parametrize(("text", "sentence"), [("{", "no JSON"), ("[]", "no JSON object"), ("", "no JSON")])
def test_what_is_no_object_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(StandInError, match=sentence):
        read_object(text)
