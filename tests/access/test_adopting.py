"""Taking certificates in: what is asked of the ledger, what it learns, who hears of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from nestor.access.adopting import Adopter
from nestor.access.adoption import denied_names
from nestor.access.own import OwnCertificates
from nestor.adoption import Adoption
from nestor.errors import Forbidden
from nestor.events import Adopted, Event
from nestor.model import Entry, Method, Requester
from support.asking import NOW, entry, ledger_of, traits, traits_or_none
from support.memory import MemoryLedger
from support.signing import CLIENT, Signed, key_usage, root

DAY = timedelta(days=1)
CA = root("Nestor CA", path_length=1)
EDGE_CA = CA.sign("aziot-edge CA gw1", ca=True, path_length=0, extensions=[key_usage("key_cert_sign")])
FOUND = CA.sign("dev1", extensions=[CLIENT])
WORD = Adoption(NOW - DAY, NOW - 3 * DAY, NOW, NOW + 30 * DAY, id=1)


class Place:
    """A ledger with one word, who asks it, and what was told."""

    def __init__(self, *words: Adoption, ledger: MemoryLedger | None = None) -> None:
        self.ledger = ledger or ledger_of()
        self.ledger.words.extend(words)
        self.told: list[Event] = []
        adopter = Adopter(self.ledger, lambda _, wanted: traits(wanted or "estIdentity"), self.told.append)
        self.own = OwnCertificates(lambda: [CA.certificate], self.ledger, traits_or_none, adopter.adopt)

    def learned(self) -> Entry:
        """The one entry that was told of."""
        (told,) = self.told
        assert isinstance(told, Adopted)
        return told.entry

    async def identify(self, signed: Signed, *chain: Signed) -> Requester | None:
        return await self.own.identify(signed.certificate, [one.certificate for one in chain], NOW, "192.0.2.7")


async def test_a_certificate_that_is_taken_in_authenticates_at_once_and_is_told_of_once() -> None:
    place = Place(WORD)
    for _ in range(2):
        requester = await place.identify(FOUND)
        assert requester is not None
        assert (requester.identity, requester.method) == ("dev1", Method.CERTIFICATE)
    told = place.learned()
    assert (told.device, told.address, told.requester) == ("dev1", "192.0.2.7", "adoption 1")
    assert place.ledger.entries == [told]


async def test_without_a_word_nothing_is_taken_in() -> None:
    place = Place()
    with pytest.raises(Forbidden, match="does not know it"):
        await place.identify(FOUND)
    assert place.ledger.entries == place.told == []


async def test_a_leaf_that_an_edge_ca_minted_is_never_taken_in() -> None:
    place = Place(WORD)
    with pytest.raises(Forbidden, match="below this one"):
        await place.identify(EDGE_CA.sign("dev1", extensions=[CLIENT]), EDGE_CA)
    assert place.ledger.entries == []


async def test_a_forged_issuer_name_is_never_taken_in() -> None:
    place, thief = Place(WORD), root("Thief")
    forged = thief.sign("dev1", extensions=[CLIENT], issuer_name=CA.certificate.subject)
    with pytest.raises(Forbidden, match="did not sign it"):
        await place.identify(forged)
    assert place.ledger.entries == []


async def test_a_certificate_of_another_ca_is_none_of_ours() -> None:
    place = Place(WORD)
    assert await place.identify(root("Factory").sign("dev1", extensions=[CLIENT])) is None
    assert place.ledger.entries == []


async def test_a_revocation_that_only_the_file_knows_is_heeded() -> None:
    place = Place(WORD)
    place.ledger.forgotten_revocations.add(entry(FOUND.der, "dev1").sha256)
    with pytest.raises(Forbidden, match="revoked"):
        await place.identify(FOUND)
    assert place.ledger.entries == []


async def test_a_revoked_entry_is_not_revived_by_a_word() -> None:
    place = Place(WORD, ledger=ledger_of(entry(FOUND.der, "dev1")))
    await place.ledger.revoke(entry(FOUND.der, "dev1").sha256, "stolen", NOW)
    with pytest.raises(Forbidden, match="revoked"):
        await place.identify(FOUND)
    assert place.told == []


async def test_a_denied_one_is_not_taken_in() -> None:
    place = Place(replace(WORD, denied=denied_names("dev1")))
    with pytest.raises(Forbidden, match="forbidden"):
        await place.identify(FOUND)


async def test_what_the_ledger_knows_of_the_devices_first_credential_stays() -> None:
    older = CA.sign("dev1", extensions=[CLIENT])
    place = Place(WORD, ledger=ledger_of(entry(older.der, "dev1", serial=2, origin=Method.BOOTSTRAP)))
    await place.identify(FOUND)
    assert place.learned().origin is Method.BOOTSTRAP


async def test_a_name_that_the_ledger_does_not_know_is_taken_over_by_no_password() -> None:
    place = Place(WORD)
    await place.identify(FOUND)
    assert place.learned().origin is Method.CERTIFICATE


async def test_a_taken_in_certificate_without_any_purpose_authenticates_and_one_we_issued_does_not() -> None:
    bare = CA.sign("dev1")
    libest = entry(bare.der, "dev1", adopted_at=NOW)
    assert await Place(ledger=ledger_of(libest)).identify(bare)
    with pytest.raises(Exception, match="lacks clientAuth"):
        await Place(ledger=ledger_of(replace(libest, adopted_at=None))).identify(bare)
