"""docs/operate.md, typed as it stands: its configuration served, its commands run, its own profile issued and renewed.

Only places and names are those of the test; what needs root and a service manager is left out.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from support.process import Mortal
from support.shapes import est_identity
from support.signing import CLIENT, root

_PAGE = (Path(__file__).parents[2] / "docs" / "operate.md").read_text("utf-8")
_NOW = datetime.now(UTC)  # noqa: TID251 -- the server lives now
_FEW_DIGITS = "3f2a9c41d0"


class Plant(Mortal):
    """A server of the page's configuration, and a shell whose paths lead to it."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.data = place / "var" / "lib" / "nestor"
        self.config = place / "etc" / "nestor" / "nestor.toml"
        for directory in (self.data, self.config.parent, place / "media" / "usb"):
            directory.mkdir(parents=True)

    def localized(self, text: str) -> str:
        """A block of the page with the places and the name of this test."""
        text = re.sub(r"(?<![\w/])/(etc|var|media)/", rf"{self.place}/\1/", text)
        return text.replace("gw3.plant.example:8085", f"localhost:{self.port}").replace(
            "gw3.plant.example", "localhost"
        )

    def shell(self, block: str, typed: str = "", **environment: str) -> str:
        """What a block of commands says when a person of this plant types it; raises where one of them fails."""
        known = {"NESTOR_CONFIG": str(self.config), "NESTOR_DATA": str(self.data)} | environment
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # noqa: TID251 -- the shell's own
        done = subprocess.run(
            ("bash", "-e", "-c", self.localized(block)),
            cwd=self.data,
            env={"PATH": path, "HOME": str(self.place), **known},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
        return done.stdout + done.stderr


def _blocks(kind: str) -> Iterator[str]:
    yield from re.findall(rf"```{kind}\n(.*?)```", _PAGE, re.DOTALL)


def _with(word: str) -> str:
    """The one block of commands that holds a word."""
    (found,) = [block for block in _blocks("sh") if word in block]
    return found


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(tmp_path)
    document = plant.localized("\n".join(_blocks("toml")))
    plant.config.write_text(document.replace("[listener]", f"[listener]\nport = {plant.port}", 1))
    maker = root("Maker", end=_NOW + timedelta(days=30))
    made = maker.sign("historian-1", extensions=(CLIENT,), end=_NOW + timedelta(days=20))
    (plant.data / "maker-ca.pem").write_bytes(maker.pem)
    revoked = maker.revoke(4711, start=_NOW - timedelta(hours=1), end=_NOW + timedelta(days=9))
    (plant.data / "maker.crl").write_bytes(revoked)
    (plant.data / "factory.pem").write_bytes(made.pem)
    (plant.data / "factory.key").write_bytes(made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    yield plant
    plant.stop()


def test_the_page_carries_a_person_from_the_ca_to_a_revoked_certificate(plant: Plant) -> None:
    assert "Made CN=Plant 3 Issuing CA" in plant.shell(_with("--offline-root"), NESTOR_DATA=str(plant.place / "other"))
    plant.shell(_with('init --subject "CN=Plant 3 Root CA,O=Contoso"\n'))
    check, serve = _with("nestor serve").splitlines()
    assert plant.shell(check).endswith(").\n")
    assert plant.localized(serve).split()[1:] == list(plant.words()[3:])
    plant.start()
    plant.shell(_with("nestor user add gw3"), typed="0815\n")
    plant.shell(_with("nestor user add historian-1"))
    plant.shell(_with("nestor est enroll"))
    plant.shell(_with("nestor est reenroll"))
    (renewed,) = x509.load_pem_x509_certificates((plant.data / "historian-1.cert.pem").read_bytes())
    password = (plant.data / "gw3.txt").read_text().strip()
    assert plant.device(user=("gw3", password)).enroll(est_identity("gw3")).status == 200
    plant.shell(_with("cert refusals"))
    assert f"{renewed.serial_number:x}" in (plant.data / "certificates.csv").read_text()
    said = plant.shell(_with("cert revoke").replace(_FEW_DIGITS, f"{renewed.serial_number:x}"[: len(_FEW_DIGITS)]))
    assert f"CN=historian-1 (serial {renewed.serial_number:x}) is revoked: stolen." in said
    assert "gw3: 1 certificate revoked.\ngw3 came by the password of gw3, and can come back by it." in said


def test_every_command_of_the_page_is_either_run_here_or_for_an_administrator() -> None:
    run = ("nestor ca init", "nestor config", "nestor user add", "nestor est", "nestor cert", "sudo ")
    assert [block for block in _blocks("sh") if not block.startswith(run)] == []
