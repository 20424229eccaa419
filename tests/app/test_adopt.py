"""An operator's words about unknown certificates: their bounds, their end, and certificates at hand."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.access.certificates import sha256_of
from nestor.app.adopt import Fate, Wish, adopt_at_hand, all_words, deny, end_words, open_word, start_over
from nestor.app.authority import existing_issuer
from nestor.errors import MaterialError, SettingsError
from nestor.ledger.revocations import Revocation, append_revocation
from nestor.model import Method
from support.issuing import asked_for, catalog, content, draft, sign
from support.signing import root
from support.sites import HOUR, Site, opened, site

DAY = timedelta(days=1)


@pytest.fixture
async def plant(tmp_path: Path) -> Site:
    made = await site(tmp_path)
    made.clock.pass_by(50 * DAY)
    return made


def issued(plant: Site, name: str = "estIdentity", **times: object) -> x509.Certificate:
    """A certificate of this CA that its ledger does not know."""
    issuer = existing_issuer(plant.source)
    when = {"now": plant.clock.now() - HOUR, **times}
    return sign(draft(content(catalog()[name], asked_for(name)), issuer, **when), issuer)


async def at_hand(plant: Site, *certificates: x509.Certificate, profile: str | None = None) -> list[Fate]:
    place = plant.place / "at-hand.pem"
    place.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
    return list(await adopt_at_hand(plant.source, [place], profile))


def wish(plant: Site, **fields: object) -> Wish:
    usual = {"since": plant.clock.now() - DAY, "until": None, "good_for": 30 * DAY}
    return Wish(**{**usual, **fields})  # type: ignore[arg-type]  # as an operator wishes


async def test_a_word_is_about_what_was_issued_until_now_and_good_for_a_while(plant: Site) -> None:
    now = plant.clock.now()
    word = await open_word(plant.source, wish(plant, denied=["Dev-9", "0x00AB"]))
    assert (word.since, word.until, word.ends_at) == (now - DAY, now, now + 30 * DAY)
    assert word.denied == {"dev-9", "ab", "0x00ab"}
    assert [(one.id, number, good) for one, number, good in await all_words(plant.source)] == [(word.id, 0, True)]


async def test_an_ended_word_is_listed_and_good_no_more(plant: Site) -> None:
    await open_word(plant.source, wish(plant))
    assert await end_words(plant.source) == 1
    assert [good for _, _, good in await all_words(plant.source)] == [False]
    await open_word(plant.source, wish(plant, good_for=HOUR))
    plant.clock.pass_by(HOUR)
    assert [good for _, _, good in await all_words(plant.source)] == [False, False]


@pytest.mark.parametrize(
    ("fields", "option"),
    [
        ({"until": timedelta(hours=1)}, "--until"),
        ({"since": timedelta(0)}, "--since"),
        ({"until": -2 * DAY}, "--since"),
        ({"good_for": 367 * DAY}, "--for"),
        ({"profile": "pump"}, "--profile"),
    ],
)
async def test_a_word_without_good_bounds_is_refused(plant: Site, fields: dict[str, object], option: str) -> None:
    now = plant.clock.now()
    moments = {name: now + value if name in {"since", "until"} else value for name, value in fields.items()}  # type: ignore[operator]
    with pytest.raises(SettingsError, match=option):
        await open_word(plant.source, wish(plant, **moments))
    assert await all_words(plant.source) == []


async def test_certificates_at_hand_are_taken_in_as_what_they_were(plant: Site) -> None:
    names = ("estIdentity", "edgeCa", "server")
    found = [issued(plant, name, serial=number << 130) for number, name in enumerate(names, 1)]
    entries = [fate.entry for fate in await at_hand(plant, *found) if fate.entry]
    assert [entry.profile for entry in entries] == list(names)
    assert {(entry.requester, entry.method) for entry in entries} == {("ledger adopt", Method.OPERATOR)}
    assert {entry.adopted_at for entry in entries} == {plant.clock.now()}
    assert await plant.knows(*entries) == ["active"] * 3


async def test_certificates_at_hand_that_may_not_be_taken_in_are_told_one_by_one(plant: Site) -> None:
    fine, denied, revoked = (issued(plant, serial=number << 130) for number in (1, 2, 3))
    expired = issued(plant, now=plant.clock.now() - 40 * DAY)
    stranger = root("Stranger").sign("dev1").certificate
    await deny(plant.source, [f"{denied.serial_number:x}"])
    line = Revocation(plant.clock.now(), sha256_of(revoked), revoked.serial_number, "stolen")
    append_revocation(plant.data / "revocations.log", line)
    fates = await at_hand(plant, fine, fine, denied, revoked, expired, stranger)
    assert [bool(fate.entry) for fate in fates] == [True, *[False] * 5]
    for fate, why in zip(fates[1:], ("knows it", "forbidden", "revoked", "expired", "not signed by"), strict=True):
        assert why in fate.why


async def test_a_profile_can_be_named_that_no_rule_finds(plant: Site) -> None:
    (fate,) = await at_hand(plant, issued(plant), profile="bootstrap")
    assert fate.entry
    assert fate.entry.profile == "bootstrap"
    (fate,) = await at_hand(plant, issued(plant, serial=9 << 130), profile="edgeCa")
    assert "only one of the two is a CA" in fate.why
    with pytest.raises(SettingsError, match="no profile pump"):
        await at_hand(plant, issued(plant), profile="pump")


async def test_a_file_that_holds_no_certificate_is_an_error(plant: Site) -> None:
    for content_ in (b"", b"hello"):
        (plant.place / "x.pem").write_bytes(content_)
        with pytest.raises(MaterialError, match=r"x\.pem"):
            await adopt_at_hand(plant.source, [plant.place / "x.pem"], None)
    with pytest.raises(MaterialError, match="No such file"):
        await adopt_at_hand(plant.source, [plant.place / "nowhere.pem"], None)


async def test_a_ledger_of_another_ca_takes_nothing_in(plant: Site) -> None:
    async with opened(plant) as ledger:
        await ledger.pin_authority("ab" * 32)
    with pytest.raises(MaterialError, match="another CA"):
        await at_hand(plant, issued(plant))


async def test_a_ledger_that_is_lost_for_good_can_start_over(plant: Site) -> None:
    stolen = issued(plant, serial=2 << 130)
    line = Revocation(plant.clock.now() + HOUR, sha256_of(stolen), stolen.serial_number, "stolen")
    append_revocation(plant.data / "revocations.log", line)
    with pytest.raises(MaterialError, match="is there"):
        await start_over(plant.source)
    (plant.data / "ledger.db").unlink()
    (plant.data / "ledger.db-wal").write_bytes(b"what is left")
    with pytest.raises(MaterialError, match=r"ledger\.db-wal is"):
        await start_over(plant.source)
    (plant.data / "ledger.db-wal").unlink()
    await start_over(plant.source)
    async with opened(plant) as ledger:
        assert await ledger.newest() == plant.clock.now() + HOUR
        assert await ledger.pinned_authority() == existing_issuer(plant.source).fingerprint
    fates = await at_hand(plant, issued(plant), stolen)
    assert [bool(fate.entry) for fate in fates] == [True, False]


async def test_nothing_starts_over_without_a_ca(tmp_path: Path) -> None:
    with pytest.raises(MaterialError):
        await start_over(Site(tmp_path).source)
    assert not (tmp_path / "data").exists()
