"""A CA and a server certificate that somebody else made: taken as they are, watched, never exchanged in silence."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nestor.app.authority import Source, accept_ca, existing_issuer
from nestor.app.clock import SystemClock
from nestor.app.server import Server
from nestor.app.tutorial import prepare_tutorial
from nestor.errors import CannotIssue, MaterialError, SettingsError
from nestor.events import SettingsApplied, SettingsRefused, Trouble
from nestor.settings import judge
from support import pki
from support.device import Identity
from support.stages import Stage

CA_FROM_FILES = {"source": "file", "certificate": "file:ca.pem", "key": "file:ca-key.pem"}
CERTIFICATE_FROM_FILES = {"source": "file", "certificate": "file:web.pem", "key": "file:web-key.pem"}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path / "data")
    stage.data.mkdir()
    yield stage
    await stage.close()


def _put(stage: Stage, name: str, identity: Identity | pki.CA) -> None:
    (stage.data / f"{name}.pem").write_bytes(identity.certificate.public_bytes(Encoding.PEM))
    key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (stage.data / f"{name}-key.pem").write_bytes(key)
    (stage.data / f"{name}-key.pem").chmod(0o600)


async def _started(stage: Stage) -> Server:
    """A server as `serve` starts it: it leaves behind whose certificates its ledger holds."""
    await stage.close()
    return await stage.start()


async def test_another_ca_in_the_files_issues_nothing_until_it_is_accepted(stage: Stage) -> None:
    stage.document = {"ca": CA_FROM_FILES}
    _put(stage, "ca", pki.authority("First"))
    assert (await _started(stage)).house.problems() == {}
    _put(stage, "ca", pki.authority("Second"))
    server = await _started(stage)
    assert "nestor ca accept" in server.house.problems()["ca"]
    await stage.close()
    source = Source(stage.read(), stage.data, SystemClock(), stage.told.append)
    await accept_ca(source)
    assert (await _started(stage)).house.problems() == {}


async def test_another_ca_is_not_taken_up_by_a_reload_either(stage: Stage) -> None:
    stage.document = {"ca": CA_FROM_FILES}
    _put(stage, "ca", pki.authority("First"))
    server = await _started(stage)
    _put(stage, "ca", pki.authority("Second"))
    await server.reload()
    assert set(server.house.problems()) == {"ca"}


async def test_the_ca_of_a_data_directory_is_accepted_by_nobody(stage: Stage) -> None:
    with pytest.raises(SettingsError, match=r"ca\.source"):
        await accept_ca(Source(judge({}), stage.data, SystemClock(), stage.told.append))


async def test_looking_at_a_ca_from_files_leaves_no_trace(stage: Stage) -> None:
    stage.document = {"ca": CA_FROM_FILES}
    _put(stage, "ca", pki.authority("First"))
    existing_issuer(Source(stage.read(), stage.data, SystemClock(), stage.told.append))
    assert (await _started(stage)).house.problems() == {}


async def test_lost_ca_certificates_are_shown_as_they_were_last(stage: Stage) -> None:
    shown = (await _started(stage)).house.authority.ca_certificates()
    (stage.data / "ca" / "certificates.pem").unlink()
    house = (await _started(stage)).house
    assert list(house.authority.ca_certificates()) == list(shown)
    assert set(house.problems()) == {"ca"}


async def test_what_a_lost_ca_tells_a_device_names_no_file(stage: Stage) -> None:
    await _started(stage)
    (stage.data / "ca" / "key.pem").unlink()
    house = (await _started(stage)).house
    assert str(stage.data) in house.problems()["ca"]
    with pytest.raises(CannotIssue) as refused:
        house.authority._refuse()  # type: ignore[union-attr] -- the closed one
    assert str(stage.data) not in refused.value.text


async def test_the_names_of_a_server_certificate_from_files_are_this_servers_own(stage: Stage) -> None:
    names = ["est.plant.example", "10.3.0.7", "*.plant.example"]
    _put(stage, "web", pki.authority().issue("web", alternative_names=names, client=False, server=True))
    stage.document = {"listener": {"serverCertificate": CERTIFICATE_FROM_FILES}}
    house = (await _started(stage)).house
    assert house.gates[0]._rules.reserved_names == {"est.plant.example", "10.3.0.7"}
    assert house.authority._own.has("EST.plant.example.")  # type: ignore[union-attr] -- the local one


async def test_the_name_of_the_device_above_is_nobodys_and_that_of_a_layer_only_the_layers(stage: Stage) -> None:
    stage.document = {
        "proxy": {"parent": "gw1.plant.example"},
        "access": {"layers": {"layer2": {"hostnames": "gw2.plant.example"}}},
    }
    house = (await _started(stage)).house
    reserved = house.gates[0]._rules.reserved_names
    assert {"gw1.plant.example", "gw2.plant.example"} <= reserved
    own = house.authority._own  # type: ignore[union-attr] -- the local one
    assert (own.has("gw1.plant.example"), own.has("gw2.plant.example")) == (True, False)


async def test_a_server_certificate_from_files_that_ends_soon_is_told_and_does_not_rebuild_the_house(
    stage: Stage,
) -> None:
    old = pki.authority().issue("web", alternative_names=["gw"], client=False, server=True, days=1.3)
    _put(stage, "web", old)
    stage.document = {"listener": {"serverCertificate": CERTIFICATE_FROM_FILES}}
    server = await _started(stage)
    before = server.house
    await server.look_for_changes()
    assert server.house is before
    assert [event.about for event in stage.told if isinstance(event, Trouble)] == ["server certificate"]
    await server.look_after_certificate()
    assert [event.about for event in stage.told if isinstance(event, Trouble)] == ["server certificate"] * 2


async def test_an_issued_server_certificate_is_renewed_when_it_is_due(stage: Stage) -> None:
    stage.document = {"listener": {"serverCertificate": {"lifetime": "1h"}}}
    server = await _started(stage)
    first = server.house.identity.certificate
    await server.look_for_changes()
    assert server.house.identity.certificate == first
    stage.clock.ahead = 2400
    await server.look_for_changes()
    assert server.house.identity.certificate.serial_number != first.serial_number
    assert stage.told[-1] == SettingsApplied(stage.read().revision)


async def test_who_asked_how_often_is_remembered_over_a_reload(stage: Stage) -> None:
    server = await _started(stage)
    before = server.house.gates[0]._enrollments
    await server.reload()
    assert server.house.gates[0]._enrollments is before


async def test_the_log_follows_new_settings(stage: Stage) -> None:
    server = await _started(stage)
    stage.document = {"log": {"level": "error"}, "ledger": {"keptRefusals": 10}}
    await server.reload()
    assert stage.applied[-1].log.level == "error"
    assert "count from the next start on" in str(stage.told[-2])


async def test_a_reload_that_stops_issuing_says_so(stage: Stage) -> None:
    server = await _started(stage)
    (stage.data / "ca" / "key.pem").unlink()
    await server.reload()
    assert stage.told[-1] == Trouble("ca", server.house.problems()["ca"])


async def test_a_bug_in_building_leaves_the_house_that_stands(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await _started(stage)
    before = server.house

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("nestor.app.house.build_catalog", fail)
    await server.reload()
    assert server.house is before
    assert isinstance(stage.told[-2], SettingsRefused)


async def test_a_directory_that_others_may_write_into_is_told(stage: Stage) -> None:
    stage.data.chmod(0o777)
    await _started(stage)
    assert "chmod 700" in next(event.sentence for event in stage.told if isinstance(event, Trouble))


def test_the_tutorial_does_not_open_the_ca_of_a_plant(tmp_path: Path) -> None:
    (tmp_path / "ca-made").touch()
    with pytest.raises(MaterialError, match="not the tutorial's"):
        prepare_tutorial(tmp_path)
    (tmp_path / "ca-made").unlink()
    prepare_tutorial(tmp_path)
    (tmp_path / "ca-made").touch()
    prepare_tutorial(tmp_path)


def test_a_directory_that_cannot_be_used_ends_the_tutorial_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MaterialError, match="cannot be made"):
        prepare_tutorial(tmp_path / "file" / "data")
