"""Settings that have the right form and cannot be: found before anything is made."""

from typing import Any

import pytest

from nestor.app.names import is_server_name
from nestor.app.trial import try_settings
from nestor.errors import SettingsError
from nestor.settings import judge

_USER = {"passwordHash": "env:HASH"}


def _lines(document: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as told:
        try_settings(judge(document))
    return told.value.sentence.splitlines()


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"listener": {"hostnames": "bad name"}}, "listener.hostnames: 'bad name' is no host name and no IP address."),
        ({"listener": {"hostnames": "gw3, 999.1.1.1"}}, "listener.hostnames: '999.1.1.1' is no host name"),
        ({"listener": {"hostnames": "*.plant.example"}}, "listener.hostnames: '*.plant.example' is no host name"),
        ({"twin": {"may": "anchor"}}, "twin.may: there is no power anchor; did you mean anchors."),
        ({"twin": {"directories": "secrets"}}, "twin.directories: secrets is no absolute path."),
        ({"listener": {"hostnames": ""}}, "listener.hostnames: at least one is needed"),
        (
            {"listener": {"serverCertificate": {"source": "file"}}},
            "listener.serverCertificate.certificate: this key is",
        ),
        ({"proxy": {"parent": "gw 1"}}, "proxy.parent: 'gw 1' is no host name and no address."),
        (
            {"proxy": {"parent": "https://gw1:443"}},
            "proxy.parent: 'https://gw1:443' is no host name and no address. Write gw1; a port belongs",
        ),
        ({"ca": {"subject": "Plant"}}, "ca.subject: 'Plant' is no name of a CA."),
        ({"ca": {"source": "file"}}, "ca.certificate: this key is needed where source is file."),
        ({"ca": {"source": "file", "certificate": "file:a"}}, "ca.key: this key is needed where source is file."),
        ({"access": {"users": {"a:b": _USER}}}, "access.users.a:b: 'a:b' cannot be the name of a user."),
        ({"access": {"users": {"bob": _USER, "Bob": _USER}}}, "access.users.Bob: user names ignore case"),
        (
            {"access": {"users": {"bob": {**_USER, "profiles": "edgeCA"}}}},
            "access.users.bob.profiles: there is no profile edgeCA; did you mean edgeCa.",
        ),
        (
            {"access": {"bootstrap": {"maker": {"anchors": "file:m", "profiles": "everything"}}}},
            "access.bootstrap.maker.profiles: there is no profile everything; known are bootstrap, deviceIdentity",
        ),
        ({"labels": {"a": {"profile": "nothing"}}}, "labels.a.profile: there is no profile nothing."),
        ({"profiles": {"deviceIdentity": {"keys": "dsa"}}}, "profiles.deviceIdentity.keys: dsa is no kind of key"),
    ],
)
def test_what_cannot_be_is_named_by_its_key(document: dict[str, Any], line: str) -> None:
    assert _lines(document)[0].startswith(line)


def test_every_wrong_key_has_its_line() -> None:
    assert len(_lines({"ca": {"source": "file"}, "listener": {"hostnames": "a b"}, "labels": {"enroll!": {}}})) == 4


@pytest.mark.parametrize("name", ["gw3", "gw3.plant.example", "xn--grn-hoa.example", "10.3.0.7", "::1", "7.example"])
def test_names_by_which_a_server_is_reached(name: str) -> None:
    assert is_server_name(name)


@pytest.mark.parametrize("name", ["", "a b", "*.x.com", "a_b", "gw3.", "999.1.1.1", "10", "fe80::1%eth0", "gün"])
def test_names_by_which_no_server_is_reached(name: str) -> None:
    assert not is_server_name(name)
