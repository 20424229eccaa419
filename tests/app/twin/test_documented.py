"""What docs/twin.md shows is what is taken: every document of a common job holds, where the host says what it says."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from nestor.app.twin.host import Host, environment_document
from nestor.app.twin.weighing import weigh
from nestor.errors import SettingsError
from nestor.settings import judge
from nestor.twin.settings import Power
from support.documents import check_schema_takes
from support.wishing import ORIGIN, Module, codes

PAGE = (Path(__file__).parents[3] / "docs" / "twin.md").read_text("utf-8")
JOBS = PAGE.partition("## Common jobs")[2].partition("## What only")[0]


def jobs() -> list[tuple[str, dict[str, Any]]]:
    found = re.findall(r"\*\*([^*]+)\*\*(?:(?!\*\*).)*?```json\n(.*?)```", JOBS, re.DOTALL)
    return [(title.rstrip(".,:"), json.loads(document)) for title, document in found]


def granting() -> dict[str, Any]:
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    return tomllib.loads(shown)


def host(data: Path, said: dict[str, Any]) -> Host:
    return Host(data, ORIGIN, {}, lambda: said, {})


@pytest.mark.parametrize(("title", "document"), jobs(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_common_job_is_done_as_shown_and_needs_the_word_of_the_host_that_is_told(
    data: Path, title: str, document: dict[str, Any]
) -> None:
    check_schema_takes(document)
    weigh(host(data, granting()), document)
    needs_word = "twin.may" in _of(title) or "twin.names" in _of(title)
    if needs_word:
        with pytest.raises(SettingsError):
            weigh(host(data, {}), document)
    else:
        weigh(host(data, {}), document)


def _of(title: str) -> str:
    return JOBS.partition(title)[2].partition("```")[0]


def test_the_page_shows_the_jobs_that_people_have() -> None:
    assert len(jobs()) == 7


def test_the_page_tells_of_every_power() -> None:
    told = re.findall(r"^\| `(\w+)` \|", PAGE.partition("| power |")[2], re.MULTILINE)
    assert sorted(told) == sorted([*Power, "all"])


def test_the_environment_says_the_same_as_the_file() -> None:
    (shown,) = re.findall(r'"env": (\{.*\})\n', PAGE)
    variables = {name: one["value"] for name, one in json.loads(shown).items()}
    said, granted = judge(environment_document(variables)).twin, judge(granting()).twin
    assert (said.may, said.names) == (granted.may, granted.names)


async def test_a_refusal_reads_as_shown(data: Path) -> None:
    shown = json.loads("{" + re.findall(r"```json\n(\"access\":.*?)```", PAGE, re.DOTALL)[0] + "}")
    profiles = shown["profiles"]["value"]
    async with Module(data) as module:
        await module.wish({"profiles": profiles}, version=12)
        outcome = await module.wish(
            {"profiles": profiles, "access": {"gateways": "gw*"}, "log": {"level": "warning"}}, version=13
        )
        assert outcome.acknowledgements == {key: shown[key] for key in ("profiles", "access", "log")}
        assert codes(outcome) == {"profiles": 200, "access": 400, "log": 400}
