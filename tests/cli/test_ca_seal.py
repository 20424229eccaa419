"""`nestor ca seal`, `recover` and `unseal`, and what other commands do with a sealed key: in the module, outside."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from nestor.keys.sealed import is_sealed
from standin.edge import Edge
from support.shell import Done, nestor_here

MATERIAL, SETTINGS, REFUSED, MISUSE = 4, 3, 5, 2
SECRET = "correct horse battery staple"
BACKUP = "a passphrase for the backup"


class Module:
    """A data directory in the container of a module; commands run there, or `outside`, on the host."""

    def __init__(self, place: Path, edge: Edge) -> None:
        self.place = place
        self.data = place / "data"
        self.edge = edge
        self.config = place / "nestor.json"
        self.config.write_text(json.dumps({"keys": {"protection": "sealed", "recovery": "env:NESTOR_RECOVERY"}}))

    @property
    def key(self) -> bytes:
        return (self.data / "ca" / "key.pem").read_bytes()

    def run(self, *words: str, data: Path | None = None, recovery: str = SECRET, **more: str) -> Done:
        """Run a command in the container."""
        return self._run(words, data, {**self.edge.environment(), "NESTOR_RECOVERY": recovery}, more)

    def outside(self, *words: str, data: Path | None = None, recovery: str | None = SECRET) -> Done:
        """Run a command on the host."""
        return self._run(words, data, {"NESTOR_RECOVERY": recovery} if recovery else {}, {})

    def _run(
        self, words: tuple[str, ...], data: Path | None, known: Mapping[str, str], more: Mapping[str, str]
    ) -> Done:
        where = ("--data", str(data or self.data))
        if words[1] != "restore":
            where = (*where, "--config", str(self.config))
        with pytest.MonkeyPatch.context() as shell:
            shell.delenv("IOTEDGE_WORKLOADURI", raising=False)
            return nestor_here(*words, *where, environment={"NESTOR_BACKUP": BACKUP, **known, **more})

    def certificates(self, data: Path | None = None) -> str:
        done = self.run("ca", "export", data=data)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    with Edge(hub_present=False) as edge:
        yield edge


@pytest.fixture
def module(tmp_path: Path, edge: Edge) -> Module:
    made = Module(tmp_path, edge)
    done = made.run("ca", "init")
    assert done.returncode == 0, done.stderr
    return made


def _is_well(done: Done) -> bool:
    assert done.returncode == 0, done.stderr
    return True


def test_a_ca_is_made_sealed_and_used_in_the_container(module: Module) -> None:
    assert is_sealed(module.key)
    for words in (("ca", "show"), ("ca", "export"), ("ca", "prove", "0123456789abcdef")):
        assert _is_well(module.run(*words))
    assert _is_well(module.run("cert", "issue", "plc-7", "--out", str(module.place / "plc-7")))


def test_outside_the_container_it_is_of_no_use(module: Module) -> None:
    done = module.outside("ca", "show")
    assert done.returncode == REFUSED
    assert "the IoT Edge runtime, and that did not start this process" in done.stderr
    assert "nestor ca unseal" in done.stderr


def test_recovery_brings_the_same_ca_back(module: Module) -> None:
    before = module.certificates()
    module.edge.lose_sealing_key()
    done = module.run("ca", "show")
    assert (done.returncode, "nestor ca recover" in done.stderr) == (REFUSED, True)
    done = module.run("ca", "recover")
    assert _is_well(done)
    assert "within half a minute" in done.stderr
    assert module.certificates() == before


def test_recovery_survives_a_module_that_was_made_anew(module: Module) -> None:
    before = module.certificates()
    module.edge.recreate_module()
    assert module.run("ca", "show").returncode == REFUSED
    assert _is_well(module.run("ca", "recover", "--recovery", "env:OTHER", recovery="", OTHER=SECRET))
    assert module.certificates() == before


def test_a_wrong_or_missing_passphrase_is_told_and_not_shown(module: Module) -> None:
    before = module.key
    done = module.run("ca", "recover", recovery="not the right passphrase")
    assert (done.returncode, "does not open with this recovery passphrase" in done.stderr) == (MATERIAL, True)
    assert "not the right" not in done.stderr
    done = module.run("ca", "recover", "--recovery", SECRET)
    assert (done.returncode, SECRET in done.stderr) == (MISUSE, False)
    assert module.key == before


def test_recovery_outside_the_container_says_what_can_be_done_there(module: Module) -> None:
    done = module.outside("ca", "recover")
    assert (done.returncode, "needs the IoT Edge runtime" in done.stderr) == (SETTINGS, True)
    assert _is_well(module.outside("ca", "unseal", "--recovery", "env:NESTOR_RECOVERY"))
    assert b"BEGIN PRIVATE KEY" in module.key
    assert _is_well(module.outside("ca", "show"))
    assert _is_well(module.run("ca", "seal"))
    assert is_sealed(module.key)
    assert _is_well(module.run("ca", "unseal"))
    assert module.run("ca", "unseal").returncode == MATERIAL


def test_sealing_needs_a_ca_and_a_passphrase_worth_its_name(module: Module, tmp_path: Path) -> None:
    done = module.run("ca", "seal", data=tmp_path / "other")
    assert (done.returncode, "nestor ca init" in done.stderr) == (MATERIAL, True)
    before = module.key
    done = module.run("ca", "seal", recovery="short")
    assert (done.returncode, "needs 12" in done.stderr) == (MATERIAL, True)
    assert module.key == before


def test_a_backup_of_a_sealed_ca_comes_back_on_another_host(module: Module, tmp_path: Path) -> None:
    before, file, there = module.certificates(), str(tmp_path / "b.age"), tmp_path / "there"
    done = module.run("ca", "backup", "--out", file, "--passphrase", "env:NESTOR_BACKUP")
    assert _is_well(done)
    assert "it takes the recovery passphrase as well" in done.stderr
    module.edge.lose_sealing_key()
    words = ("ca", "restore", file, "--passphrase", "env:NESTOR_BACKUP")
    done = module.outside(*words, data=there, recovery=None)
    assert (done.returncode, "NESTOR_RECOVERY is not set" in done.stderr) == (REFUSED, True)
    assert not there.exists()
    done = module.run(*words, data=there)
    assert _is_well(done)
    assert "nestor ca recover" in done.stderr
    assert is_sealed((there / "ca" / "key.pem").read_bytes())
    assert _is_well(module.run("ca", "recover", data=there))
    assert module.certificates(there) == before


def test_a_backup_on_the_host_takes_the_recovery_passphrase(module: Module, tmp_path: Path) -> None:
    words = ("ca", "backup", "--passphrase", "env:NESTOR_BACKUP", "--out")
    done = module.outside(*words, str(tmp_path / "a.age"), recovery=None)
    assert (done.returncode, "NESTOR_RECOVERY is not set" in done.stderr) == (REFUSED, True)
    assert _is_well(module.outside(*words, str(tmp_path / "b.age")))
    done = module.run(*words, str(tmp_path / "c.age"), recovery="another passphrase")
    assert "warning: keys.recovery does not open" in done.stderr


def test_no_settings_seal_without_a_way_back(module: Module, tmp_path: Path) -> None:
    module.config.write_text(json.dumps({"keys": {"protection": "sealed"}}))
    done = module.run("ca", "init", data=tmp_path / "other")
    assert (done.returncode, "keys.recovery" in done.stderr) == (MATERIAL, True)
    assert not (tmp_path / "other" / "ca").exists()
