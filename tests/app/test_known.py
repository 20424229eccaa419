"""How devices know a server, read from its settings and its data directory."""

from pathlib import Path
from typing import Any

import pytest

from nestor.app.authority import Source, make_ca
from nestor.app.clock import SystemClock
from nestor.app.known import known_server
from nestor.errors import MaterialError
from nestor.settings import judge
from support.pki import authority, write


def _source(data: Path, **listener: Any) -> Source:
    document = {"listener": listener, "labels": {"default": {}, "edge-ca": {"profile": "edgeCa"}}}
    return Source(judge(document), data, SystemClock(), lambda _: None)


def test_a_server_is_known_by_its_settings_and_its_ca(tmp_path: Path) -> None:
    source = _source(tmp_path, hostnames="localhost, gw3.plant.example", port=8443, addresses="*")
    root = make_ca(source).certificate
    known = known_server(source)
    assert known.url == "https://gw3.plant.example:8443/.well-known/est"
    assert known.names == ("localhost", "gw3.plant.example")
    assert known.open_names == known.names
    assert (known.port, known.labels, known.root) == (8443, {"edge-ca"}, root)


def test_names_that_it_was_started_with_are_in_the_certificate_that_it_showed(tmp_path: Path) -> None:
    source = _source(tmp_path)
    make_ca(source)
    assert known_server(source).open_names == ("localhost", "127.0.0.1", "::1")
    shown = authority().issue("gw3", alternative_names=("gw3", "10.3.0.7"), server=True)
    write(tmp_path, shown)[0].rename(tmp_path / "server-certificate.pem")
    known = known_server(source)
    assert known.names == ("localhost", "127.0.0.1", "::1", "gw3", "10.3.0.7")
    assert known.url == "https://gw3:8085/.well-known/est"
    assert known.open_names == known.names


def test_a_certificate_from_elsewhere_tells_its_names_and_maybe_its_root(tmp_path: Path) -> None:
    elsewhere = authority("Elsewhere")
    shown = elsewhere.issue("est.example", alternative_names=("est.example",), server=True)
    certificate, _ = write(tmp_path, shown)
    files = {"source": "file", "certificate": f"file:{certificate.name}", "key": "file:key.pem"}
    source = _source(tmp_path, serverCertificate=files, hostnames="est.example")
    assert known_server(source).root is None
    certificate.write_bytes(certificate.read_bytes() + elsewhere.pem())
    assert known_server(source).root == elsewhere.certificate


def test_a_ca_from_files_is_found_without_its_key(tmp_path: Path) -> None:
    root = authority("Top")
    below = root.intermediate("Issuing")
    (tmp_path / "ca.pem").write_bytes(below.pem())
    (tmp_path / "root.pem").write_bytes(root.pem())
    document = {"ca": {"source": "file", "certificate": "file:ca.pem", "chain": "file:root.pem", "key": "file:none"}}
    source = Source(judge(document), tmp_path, SystemClock(), lambda _: None)
    assert known_server(source).root == root.certificate


def test_without_a_ca_there_is_no_server_to_know(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="no CA"):
        known_server(_source(tmp_path))


@pytest.mark.parametrize(
    ("hostnames", "shown", "host"),
    [
        ("localhost, 127.0.0.1, gw3", "", "gw3"),
        ("10.3.0.7, gw3", "gw9", "10.3.0.7"),
        ("::1, 2001:db8::7", "", "[2001:db8::7]"),
        ("localhost", "gw9", "gw9"),
        ("127.0.0.1, localhost", "localhost", "localhost"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("", "", "localhost"),
    ],
)
def test_a_url_has_a_name_that_means_the_server_elsewhere_if_there_is_one(
    tmp_path: Path, hostnames: str, shown: str, host: str
) -> None:
    source = _source(tmp_path, hostnames=hostnames)
    make_ca(source)
    if shown:
        certificate = authority().issue(shown, alternative_names=("gw1", shown), server=True)
        write(tmp_path, certificate)[0].rename(tmp_path / "server-certificate.pem")
    assert known_server(source).url == f"https://{host}:8085/.well-known/est"
