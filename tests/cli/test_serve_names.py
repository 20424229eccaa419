"""`nestor serve`: by which names it is known, and where it listens."""

import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from support.plants import Tutorial
from support.process import Mortal

pytestmark = pytest.mark.xdist_group("serve")

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TUTORIAL = (*_LOOPBACK, "ip6-localhost", socket.gethostname())
_ELSEWHERE = "127.0.0.2"
"""An address of this machine on which nobody listens who listens on localhost."""


class NamedTutorial(Tutorial):
    """`nestor serve --tutorial` with names for the network."""

    def words(self) -> tuple[str, ...]:
        return (*super().words(), "--hostname", "gw3.plant.example", "--hostname", "192.0.2.9")


def _names(port: int, address: str) -> list[str]:
    """The names in the certificate that is shown at an address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((address, port), 5) as plain, context.wrap_socket(plain) as session:
        shown = x509.load_der_x509_certificate(session.getpeercert(binary_form=True) or b"")
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(str(name.value) for name in names)


def test_a_host_name_for_the_network_is_in_the_certificate_and_opens_every_address(tmp_path: Path) -> None:
    with NamedTutorial(tmp_path) as server:
        assert _names(server.port, _ELSEWHERE) == sorted({*_TUTORIAL, "gw3.plant.example", "192.0.2.9"})
        assert f"https://gw3.plant.example:{server.port}/.well-known/est" in server.log()


def test_the_names_of_the_environment_count_like_those_of_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NESTOR_HOSTNAME", "gw3.plant.example 192.0.2.9")
    with Mortal(tmp_path) as server:
        assert _names(server.port, _ELSEWHERE) == sorted((*_LOOPBACK, "gw3.plant.example", "192.0.2.9"))


def test_without_a_host_name_this_machine_alone_can_connect(tmp_path: Path) -> None:
    with Mortal(tmp_path, {"listener": {"hostnames": "localhost"}}, extra=("--listen", "localhost")) as server:
        assert _names(server.port, "127.0.0.1") == ["localhost"]
        with pytest.raises(ConnectionRefusedError):
            _names(server.port, _ELSEWHERE)
