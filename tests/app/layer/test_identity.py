"""The client certificate of this server: one for another name is not kept, and not asked for again at every look."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.app.authority import Source
from nestor.app.clock import SystemClock
from nestor.app.layer.identity import FILE, OwnIdentity
from nestor.app.layer.looking_after import JOB, Upkeep
from nestor.errors import Forbidden, ForwarderForbidden, Unavailable, UnknownPath
from nestor.events import Event, Trouble
from nestor.keys.seals import Keyring
from nestor.settings import Settings, judge
from nestor.upstream.faults import BadAnswer, Untrusted
from support import pki
from support.foreign import PASSWORD, USER, Foreign
from support.server import free_port
from support.stages import TurnedClock
from support.stub import Reply

NAME = "layer2"


@pytest.fixture
def above(tmp_path: Path) -> Iterator[Foreign]:
    with Foreign(tmp_path) as foreign:
        yield foreign


@pytest.fixture
def source(above: Foreign, tmp_path: Path) -> Source:
    (tmp_path / "password").write_text(PASSWORD, "utf-8")
    return Source(_settings(above, above.base), tmp_path, SystemClock(), lambda _: None)


def _settings(above: Foreign, url: str) -> Settings:
    first = {"user": USER, "password": "file:password", "anchors": f"file:{above.anchor}"}
    return judge({"upstream": {"url": url, "identity": {"name": NAME}, **first}})


def _asked(above: Foreign) -> int:
    return sum(heard.method == "POST" for heard in above.heard)


async def test_a_certificate_for_another_name_is_not_kept_and_not_asked_for_at_every_look(
    above: Foreign, source: Source
) -> None:
    other = above.ca.issue("layer3").certificate.subject
    above.issue = lambda csr: above.certify(csr, subject=other)
    upkeep, own = Upkeep(), OwnIdentity(source.data, lambda: None)
    with pytest.raises(BadAnswer, match="for layer3, and not for layer2"):
        await upkeep.look(source, Keyring(), own)
    assert not await upkeep.look(source, Keyring(), own)
    assert (_asked(above), own.current(), (source.data / FILE).exists()) == (1, None, False)


async def test_a_certificate_for_its_name_is_kept(above: Foreign, source: Source) -> None:
    upkeep, own = Upkeep(), OwnIdentity(source.data, lambda: None)
    for _ in range(2):
        await upkeep.look(source, Keyring(), own)
    held = own.current()
    assert held is not None
    assert held.certificate.public_bytes(Encoding.PEM) in (source.data / FILE).read_bytes()
    assert _asked(above) == 1


async def test_a_parent_that_is_away_is_a_warning_until_what_there_is_from_it_is_close_to_its_end(
    above: Foreign, source: Source
) -> None:
    upkeep, own = Upkeep(), OwnIdentity(source.data, lambda: None)
    await upkeep.look(source, Keyring(), own)
    held = own.current()
    assert held is not None
    end = held.certificate.not_valid_after_utc  # of a life of thirty days
    told: list[Event] = []
    clock = TurnedClock()
    away = replace(source, clock=clock, sink=told.append, settings=_settings(above, f"https://localhost:{free_port()}"))
    clock.ahead = (end - timedelta(days=5) - source.clock.now()).total_seconds()
    assert not await upkeep.look(away, Keyring(), own)
    (trouble,) = told
    assert isinstance(trouble, Trouble)
    assert (trouble.about, trouble.passing) == (JOB, True)
    assert trouble.sentence.endswith(f"What there is lasts until {end:%Y-%m-%d %H:%M} UTC.")
    clock.ahead += timedelta(days=3).total_seconds()
    with pytest.raises(Unavailable, match="nobody listening"):
        await Upkeep().look(away, Keyring(), own)


async def test_one_that_is_refused_above_is_replaced_as_soon_as_somebody_brings_another_password(
    above: Foreign, source: Source
) -> None:
    upkeep, own = Upkeep(), OwnIdentity(source.data, lambda: None)
    await upkeep.look(source, Keyring(), own)
    revoked = own.current()
    (source.data / "password").write_text(PASSWORD, "utf-8")
    await upkeep.look(source, Keyring(), own)
    assert own.current() is revoked, "it is let in"
    again = OwnIdentity(source.data, lambda: None)  # as after a start
    again.badge.refuse(again.current(), ForwarderForbidden("The certificate has been revoked."))
    await upkeep.look(source, Keyring(), again)
    assert again.current() is not revoked
    assert (again.badge.refusal, _asked(above)) == (None, 2)
    again.badge.refuse(again.current(), ForwarderForbidden("The certificate has been revoked."))
    await upkeep.look(source, Keyring(), again)
    assert _asked(above) == 2, "its password is spent"


async def test_one_that_cannot_be_renewed_since_it_was_revoked_is_replaced_in_the_same_way(
    above: Foreign, source: Source
) -> None:
    own, clock = OwnIdentity(source.data, lambda: None), TurnedClock()
    await Upkeep().look(source, Keyring(), own)
    above.answers["simplereenroll"] = Reply(403, b"The certificate presented has been revoked.")
    clock.ahead = timedelta(days=22).total_seconds()
    later = replace(source, clock=clock)
    for _ in range(2):
        with pytest.raises(Forbidden, match="revoked"):
            await Upkeep().look(later, Keyring(), own)
    (source.data / "password").write_text(PASSWORD, "utf-8")
    await Upkeep().look(later, Keyring(), own)
    assert _asked(above) == 4


@pytest.mark.parametrize("status", [403, 404])
async def test_a_path_that_does_not_give_it_is_told_with_the_key_that_names_it(
    above: Foreign, source: Source, status: int
) -> None:
    above.answers["simpleenroll"] = Reply(status, b"There is none. (request 1a)")
    own = OwnIdentity(source.data, lambda: None)
    with pytest.raises((Forbidden, UnknownPath), match=r"upstream\.identity\.label"):
        await Upkeep().look(source, Keyring(), own)
    missing = own.badge.missing()
    assert missing is not None
    assert missing.sentence.endswith(" (request 1a)")


async def test_a_parent_that_no_anchor_stands_for_is_told_with_the_key_that_names_them(
    above: Foreign, source: Source, tmp_path: Path
) -> None:
    stranger = pki.authority("Stranger").write(tmp_path, "stranger.pem")
    first = {"user": USER, "password": "file:password", "anchors": f"file:{stranger}"}
    settings = judge({"upstream": {"url": above.base, "identity": {"name": NAME}, **first}})
    with pytest.raises(Untrusted) as told:
        await Upkeep().look(replace(source, settings=settings), Keyring(), OwnIdentity(source.data, lambda: None))
    assert "upstream.anchors" in told.value.hint
