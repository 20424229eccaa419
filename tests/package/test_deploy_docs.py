"""What docs/deploy.md and docs/dps-walkthrough.md have people type is there, and gives the rights of the template."""

import re
from itertools import pairwise

import pytest

from support.container import template_options
from support.manifests import ROOT
from support.pages import in_container, lines, options_of, text

PAGES = ("deploy.md", "dps-walkthrough.md")
USER = "13625"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_nestor_is_there_with_its_options(page: str) -> None:
    commands = list(in_container(text(page)))
    assert len(commands) > 3
    unknown = [
        (words, word) for words in commands for word in words if word[:2] == "--" and word not in options_of(words)
    ]
    assert unknown == []


@pytest.mark.parametrize("page", PAGES)
def test_a_container_that_is_run_by_hand_has_the_rights_of_the_template(page: str) -> None:
    host = template_options()["HostConfig"]
    (run,) = (words for words in lines(text(page)) if words[:2] == ["docker", "run"])
    said = dict(pairwise(run))
    assert "--read-only" in run
    assert [said["--cap-drop"]] == host["CapDrop"]
    assert [said["--security-opt"]] == host["SecurityOpt"]
    assert said["--memory"] == f"{host['Memory'] >> 20}m"
    assert said["--pids-limit"] == str(host["PidsLimit"])
    assert said["--tmpfs"] in host["Tmpfs"]
    assert "nestor-data:/data" in run
    assert [said["--publish"].split(":")[1]] == [port.split("/")[0] for port in host["PortBindings"]]


def test_the_volume_is_given_to_the_user_of_the_image() -> None:
    page = text("deploy.md")
    assert f"sudo chown -R {USER}:{USER} /var/lib/nestor" in page
    assert f"USER {USER}:{USER}" in (ROOT / "modules" / "nestor" / "Dockerfile.amd64").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_files_of_the_repository_that_it_names_are_there(page: str) -> None:
    names = re.findall(r"`((?:deployment|modules)[\w./-]+)`|\]\(([\w-]+\.md)", text(page))
    assert names
    assert [one for one, other in names if one and not (ROOT / one).exists()] == []
    assert [other for _, other in names if other and not (ROOT / "docs" / other).exists()] == []
