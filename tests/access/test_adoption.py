"""Whether a certificate of ours that the ledger does not know may be taken into it: every way in which it may not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from nestor.access.adoption import BACKDATED, adopted_entry, decide, denied_names, is_open, name_of
from nestor.adoption import Adoption
from nestor.errors import Forbidden, NestorError, Unauthenticated
from nestor.model import Method, ProfileTraits, State
from support.asking import NOW, subject, traits
from support.signing import CLIENT, SERVER, Signed, key_usage, root

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CA = root("Nestor CA")
SINCE, UNTIL = NOW - 3 * DAY, NOW - DAY
WORD = Adoption(opened_at=NOW - HOUR, since=SINCE, until=UNTIL, ends_at=NOW + 30 * DAY, id=7)
FOUND = CA.sign("Dev1", extensions=[CLIENT], start=NOW - 2 * DAY)


def begun(start: datetime) -> Signed:
    return CA.sign("dev1", extensions=[CLIENT], start=start)


def why_not(
    signed: Signed = FOUND,
    *words: Adoption,
    revoked: bool = False,
    profile: str = "estIdentity",
    now: datetime = NOW,
) -> NestorError | None:
    """Why a certificate is not taken in; None where it is."""
    try:
        given(signed, words or (WORD,), revoked=revoked, profile=profile, now=now)
    except NestorError as reason:
        return reason
    return None


def given(
    signed: Signed,
    words: Sequence[Adoption],
    *,
    revoked: bool = False,
    profile: str = "estIdentity",
    now: datetime = NOW,
) -> tuple[Adoption, ProfileTraits]:
    return decide(
        signed.certificate, words, revoked=revoked, recognize=lambda _, wanted: traits(wanted or profile), now=now
    )


def test_a_certificate_of_the_period_is_taken_in_by_the_word_that_covers_it() -> None:
    word, profile = given(FOUND, [WORD])
    assert (word, profile.name) == (WORD, "estIdentity")


@pytest.mark.parametrize("start", [SINCE, UNTIL, SINCE - BACKDATED])
def test_the_period_holds_its_ends_and_the_minutes_by_which_we_back_date(start: datetime) -> None:
    assert why_not(begun(start)) is None


@pytest.mark.parametrize("start", [SINCE - BACKDATED - timedelta(seconds=1), UNTIL + timedelta(seconds=1)])
def test_what_was_issued_before_or_after_the_period_is_refused(start: datetime) -> None:
    reason = why_not(begun(start))
    assert isinstance(reason, Forbidden)
    assert "not issued in the period" in reason.sentence


@pytest.mark.parametrize(
    "word",
    [
        replace(WORD, ended_at=NOW - timedelta(minutes=1)),
        replace(WORD, ends_at=NOW),
        replace(WORD, opened_at=NOW + HOUR),
    ],
)
def test_a_word_that_is_not_good_at_this_time_takes_nothing_in(word: Adoption) -> None:
    assert not is_open(word, NOW)
    reason = why_not(FOUND, word)
    assert isinstance(reason, Forbidden)
    assert "does not know it." in reason.sentence


def test_a_revoked_certificate_is_never_taken_in() -> None:
    reason = why_not(revoked=True)
    assert isinstance(reason, Forbidden)
    assert "revoked" in reason.sentence


@pytest.mark.parametrize(
    "form",
    [
        lambda _: "dev1",
        lambda _: " DEV1 ",
        lambda _: "aziot-edge CA Dev1",
        lambda found: f"{found.serial_number:x}",
        lambda found: f"0x00{found.serial_number:X}",
        lambda found: found.fingerprint(SHA256()).hex(":"),
        lambda found: found.fingerprint(SHA1()).hex().upper(),
    ],
)
def test_what_is_denied_in_any_form_is_never_taken_in(form: Callable[[x509.Certificate], str]) -> None:
    reason = why_not(FOUND, replace(WORD, denied=denied_names(form(FOUND.certificate))))
    assert isinstance(reason, Forbidden)
    assert "forbidden" in reason.sentence


def test_a_denial_outlives_its_word() -> None:
    ended = replace(WORD, ended_at=NOW - HOUR, denied=denied_names("dev1"))
    assert "forbidden" in str(why_not(FOUND, ended, WORD))


def test_a_denied_number_that_is_also_a_device_id_denies_both() -> None:
    numbered = CA.sign("0815", extensions=[CLIENT], start=NOW - 2 * DAY, serial=0x4711)
    for text in ("0815", "4711"):
        assert why_not(numbered, replace(WORD, denied=denied_names(text)))
    assert why_not(numbered, replace(WORD, denied=denied_names("0816"))) is None


def test_what_has_expired_or_is_not_yet_valid_is_refused() -> None:
    word = replace(WORD, until=NOW + 9 * DAY)
    for signed in (
        CA.sign("dev1", extensions=[CLIENT], start=NOW - 2 * DAY, end=NOW - HOUR),
        CA.sign("dev1", extensions=[CLIENT], start=NOW + DAY),
    ):
        assert isinstance(why_not(signed, word), Unauthenticated)


@pytest.mark.parametrize("extensions", [[], [SERVER]])
def test_what_could_not_authenticate_is_not_taken_in(extensions: list[object]) -> None:
    signed = CA.sign("dev1", extensions=extensions, start=NOW - 2 * DAY)  # type: ignore[arg-type]  # a mixed list
    assert isinstance(why_not(signed), Unauthenticated)


def test_an_edge_ca_is_not_taken_in() -> None:
    edge = CA.sign("aziot-edge CA dev1", ca=True, path_length=0, extensions=[key_usage("key_cert_sign")], start=SINCE)
    assert "that of a CA" in str(why_not(edge))


def test_a_profile_that_does_not_authenticate_is_not_taken_in() -> None:
    reason = why_not(profile="server")
    assert isinstance(reason, Unauthenticated)
    assert "server" in reason.sentence


@pytest.mark.parametrize("name", [subject(), subject("dev1", "dev2"), subject(ORGANIZATION_NAME="Contoso")])
def test_a_certificate_that_names_no_device_or_two_is_not_taken_in(name: object) -> None:
    signed = CA.sign(name, extensions=[CLIENT], start=NOW - 2 * DAY)  # type: ignore[arg-type]  # a name
    assert "which device" in str(why_not(signed))


def test_of_two_words_that_cover_it_the_newer_one_counts() -> None:
    newer = replace(WORD, id=8, profile="deviceIdentity")
    word, profile = given(FOUND, [WORD, newer])
    assert (word.id, profile.name) == (8, "deviceIdentity")


def test_the_entry_says_what_the_certificate_says_and_how_it_came() -> None:
    entry = adopted_entry(
        FOUND.certificate,
        profile="estIdentity",
        origin=Method.CERTIFICATE,
        requester=name_of(WORD),
        address="192.0.2.7",
        now=NOW,
    )
    assert (entry.device, entry.subject, entry.serial) == ("dev1", "CN=Dev1", FOUND.certificate.serial_number)
    assert (entry.not_before, entry.issued_at, entry.adopted_at) == (NOW - 2 * DAY, NOW - 2 * DAY, NOW)
    assert (entry.method, entry.requester, entry.origin) == (Method.OPERATOR, "adoption 7", Method.CERTIFICATE)
    assert (entry.der, entry.state) == (FOUND.der, State.ACTIVE)
