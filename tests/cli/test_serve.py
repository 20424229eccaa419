"""`nestor serve`: what its options, the file and the tutorial's settings come to, and what it says at the start."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from nestor.access.passwords import hash_password
from nestor.cli.serve import layers
from nestor.document import merge
from nestor.settings import judge
from support.plants import Tutorial
from support.process import Mortal
from support.shell import nestor_here


def _listener(file: dict[str, Any], *hostnames: str, listen: tuple[str, ...] = (), **where: Any) -> tuple[Any, Any]:
    """The addresses and host names that come out."""
    said = {"tutorial": False, "machine": (), "shut_in": False, **where}
    base, over = layers(hostnames, listen, None, **said)
    listener = judge(merge(merge(base, {"listener": file}), over)).listener
    return listener.addresses, listener.hostnames


def test_without_a_word_only_this_machine_can_connect_and_a_name_for_the_network_opens_it() -> None:
    assert _listener({}) == (("localhost",), ("localhost", "127.0.0.1", "::1"))
    assert _listener({}, "gw3") == (("*",), ("gw3", "localhost", "127.0.0.1", "::1"))
    assert _listener({}, shut_in=True)[0] == ("*",)


@pytest.mark.parametrize("where", [{"shut_in": True}, {"tutorial": True, "shut_in": True}, {}])
def test_addresses_of_the_file_go_over_those_of_a_container_or_a_host_name(where: dict[str, Any]) -> None:
    assert _listener({"addresses": "127.0.0.1"}, "gw3", **where)[0] == ("127.0.0.1",)
    assert _listener({"addresses": "127.0.0.1"}, "gw3", listen=("10.3.0.7",), **where)[0] == ("10.3.0.7",)


def test_a_host_name_given_as_option_goes_over_the_file_in_the_tutorial_too() -> None:
    usual = ("localhost", "ip6-localhost", "127.0.0.1", "::1", "desk")
    assert _listener({}, tutorial=True, machine=("desk",))[1] == usual
    assert _listener({"hostnames": "gw3"}, tutorial=True, machine=("desk",))[1] == ("gw3",)
    assert _listener({"hostnames": "gw3"}, "x", "y", tutorial=True, machine=("desk",))[1] == ("x", *usual, "y")


@pytest.mark.parametrize("name", ["*.x.com", "bad name", "999.1.1.1"])
def test_what_is_no_host_name_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    done = nestor_here("serve", "--hostname", name, "--data", str(tmp_path / "data"))
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert f"{name!r} is no host name and no IP address." in done.stderr


def test_the_file_narrows_what_a_host_name_opens(tmp_path: Path) -> None:
    with Mortal(tmp_path, {"listener": {"addresses": "127.0.0.1"}}, extra=("--hostname", "gw3.example")) as server:
        assert f"listening on           127.0.0.1:{server.port}\n" in server.log()
        assert f"https://gw3.example:{server.port}/.well-known/est" in server.log()


def test_a_log_for_machines_holds_nothing_else(tmp_path: Path) -> None:
    with Mortal(tmp_path, {"log": {"format": "json"}}) as server:
        lines = [json.loads(line) for line in server.log().splitlines()]
        (told,) = [line for line in lines if line["event"] == "listening"]
        assert told["url"] == server.url
        assert f":{server.port}" in told["addresses"]
        shown = json.loads(server.command("ca", "show", "--json").stdout)
        assert told["ca"].upper() == shown["sha256"]
        assert [line["what"] for line in lines if line["event"] == "users"] == ["Nobody may enroll yet."]


def test_the_tutorial_shows_its_password_only_while_it_is_the_published_one(tmp_path: Path) -> None:
    server = Tutorial(tmp_path)
    with server:
        assert "the password is published" in server.log()
        assert "-u estuser:estpwd" in server.log()
        trusted = re.search(r"sudo install -D -o aziotcs .* (\S+) /var/aziot/certs/nestor-ca\.pem", server.log())
        assert trusted is not None
        assert Path(trusted[1]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    said = len(server.log())
    (server.data / "tutorial-user.hash").write_text(hash_password("of my own"))
    with server:
        assert "estpwd" not in server.log()[said:]
        assert "published" not in server.log()[said:]
        assert "with users of your own. For tests only." in server.log()[said:]
