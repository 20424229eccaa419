"""Certificates of ours as credentials: issued directly, in the ledger, unrevoked, and good for their own device."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from nestor.access.own import Kinship, OwnCertificates, kinship
from nestor.document import covers
from nestor.errors import Forbidden, Unauthenticated
from nestor.model import Entry, Method, Requester, State
from support.asking import NOW, adopt_none, entry, ledger_of, traits_or_none
from support.signing import CLIENT, SERVER, Signed, key_usage, root, sign

CA = root("Nestor CA", path_length=1)
EDGE_CA = CA.sign("aziot-edge CA gw1", ca=True, path_length=0, extensions=[key_usage("key_cert_sign")])
GOOD = CA.sign("Dev1", extensions=[CLIENT])


def row(signed: Signed, common_name: str = "Dev1", profile: str = "estIdentity") -> Entry:
    return entry(signed.der, common_name, profile)


async def identify(
    signed: Signed, *rows: Entry, chain: Sequence[Signed] = (), issuers: Sequence[Signed] = (CA,), now: datetime = NOW
) -> Requester | None:
    own = OwnCertificates(lambda: [one.certificate for one in issuers], ledger_of(*rows), traits_or_none, adopt_none)
    return await own.identify(signed.certificate, [one.certificate for one in chain], now)


async def test_a_certificate_of_ours_is_its_device() -> None:
    requester = await identify(GOOD, row(GOOD))
    assert requester is not None
    assert (requester.method, requester.name, requester.identity) == (Method.CERTIFICATE, "dev1", "dev1")
    assert requester.origin is Method.BOOTSTRAP
    assert requester.certificate == GOOD.certificate
    assert requester.entry == row(GOOD)
    assert requester.caller == f"certificate:{row(GOOD).sha256.hex()}"


async def test_its_grant_is_its_own_device_its_own_profile_and_what_that_may_request() -> None:
    requester = await identify(GOOD, row(GOOD))
    assert requester is not None
    assert requester.grant.profiles == {"estIdentity", "deviceIdentity", "edgeCa"}
    assert [covers(pattern, "DEV1") for pattern in requester.grant.names] == [True]


async def test_a_bootstrap_certificate_of_ours_may_not_have_another_of_its_kind() -> None:
    requester = await identify(GOOD, row(GOOD, profile="bootstrap"))
    assert requester is not None
    assert requester.grant.profiles == {"estIdentity"}


async def test_a_device_id_with_wildcards_is_not_a_pattern() -> None:
    signed = CA.sign("dev*", extensions=[CLIENT])
    requester = await identify(signed, row(signed, "dev*"))
    assert requester is not None
    assert not covers(requester.grant.names[0], "dev2")


async def test_a_superseded_certificate_still_counts() -> None:
    assert await identify(GOOD, replace(row(GOOD), state=State.SUPERSEDED)) is not None


async def test_an_older_issuer_still_counts_where_it_is_allowed() -> None:
    newer = root("Nestor CA 2")
    assert await identify(GOOD, row(GOOD), issuers=[newer, CA]) is not None
    assert await identify(GOOD, row(GOOD), issuers=[newer]) is None


async def test_a_foreign_certificate_is_nobody_of_ours() -> None:
    foreign = root("Factory").sign("dev1", extensions=[CLIENT])
    assert await identify(foreign, row(foreign)) is None


async def test_a_revoked_certificate_is_refused() -> None:
    with pytest.raises(Forbidden, match="has been revoked"):
        await identify(GOOD, replace(row(GOOD), state=State.REVOKED))


async def test_a_certificate_that_the_ledger_does_not_know_is_refused() -> None:
    with pytest.raises(Forbidden, match="ledger does not know it"):
        await identify(GOOD, row(CA.sign("Dev1", extensions=[CLIENT])))


async def test_a_forged_twin_is_refused_for_it_is_the_digest_that_counts() -> None:
    extensions = [
        CLIENT,
        x509.AuthorityKeyIdentifier.from_issuer_public_key(CA.key.public_key()),
        x509.SubjectKeyIdentifier.from_public_key(GOOD.key.public_key()),
    ]
    real = CA.sign("Dev1", extensions=extensions, serial=77)
    by_itself = sign("Dev1", extensions=extensions, serial=77, issuer_name=CA.certificate.subject)
    by_edge_ca = sign("Dev1", issuer=EDGE_CA, extensions=extensions, serial=77, issuer_name=CA.certificate.subject)
    for twin in (by_itself, by_edge_ca):
        with pytest.raises(Forbidden, match="this CA did not sign it"):
            await identify(twin, row(real), chain=[EDGE_CA])


async def test_of_two_cas_with_one_name_the_key_tells_which_is_meant() -> None:
    ours, namesake = _root_with_key_id("Nestor CA"), _root_with_key_id("Nestor CA")
    named = x509.AuthorityKeyIdentifier.from_issuer_public_key(namesake.key.public_key())
    assert await identify(namesake.sign("Dev1", extensions=[CLIENT, named]), issuers=[ours]) is None
    with pytest.raises(Forbidden, match="this CA did not sign it"):
        await identify(namesake.sign("Dev1", extensions=[CLIENT]), issuers=[ours])


def _root_with_key_id(name: str) -> Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    return root(name, key=key, extensions=[x509.SubjectKeyIdentifier.from_public_key(key.public_key())])


async def test_a_leaf_minted_below_an_edge_ca_is_refused() -> None:
    minted = EDGE_CA.sign("Dev1", extensions=[CLIENT])
    with pytest.raises(Forbidden, match="below this one, such as an Edge CA"):
        await identify(minted, row(GOOD), chain=[EDGE_CA])


async def test_a_leaf_minted_deeper_below_an_edge_ca_is_nobody_of_ours() -> None:
    deeper = EDGE_CA.sign("Sub", ca=True)
    minted = deeper.sign("Dev1", extensions=[CLIENT])
    assert await identify(minted, row(GOOD), chain=[deeper, EDGE_CA]) is None


async def test_an_edge_ca_itself_does_not_authenticate() -> None:
    with pytest.raises(Unauthenticated, match="that of a CA") as caught:
        await identify(EDGE_CA, row(EDGE_CA, "aziot-edge CA gw1", "edgeCa"))
    assert not caught.value.challenge


async def test_an_edge_ca_with_client_auth_does_not_authenticate_either() -> None:
    edge_ca = CA.sign("aziot-edge CA gw1", ca=True, extensions=[CLIENT])
    with pytest.raises(Unauthenticated, match="that of a CA"):
        await identify(edge_ca, row(edge_ca, "aziot-edge CA gw1", "estIdentity"))


async def test_our_own_ca_certificate_does_not_authenticate() -> None:
    with pytest.raises(Forbidden, match="ledger does not know"):
        await identify(CA)


@pytest.mark.parametrize("extensions", [[SERVER], [], [x509.ExtendedKeyUsage([x509.ObjectIdentifier("2.5.29.37.0")])]])
async def test_without_client_auth_a_certificate_of_ours_is_nobody(extensions: list[x509.ExtensionType]) -> None:
    server = CA.sign("gw1", extensions=extensions)
    with pytest.raises(Unauthenticated, match="lacks clientAuth"):
        await identify(server, row(server))


@pytest.mark.parametrize("profile", ["server", "edgeCa", "removedFromSettings"])
async def test_the_profile_must_be_one_that_authenticates(profile: str) -> None:
    with pytest.raises(Unauthenticated, match=f"profile {profile} do not authenticate"):
        await identify(GOOD, row(GOOD, profile=profile))


async def test_an_expired_certificate_does_not_authenticate_although_its_session_lives() -> None:
    with pytest.raises(Unauthenticated, match="expired"):
        await identify(GOOD, row(GOOD), now=NOW + timedelta(days=30))
    with pytest.raises(Unauthenticated, match="valid from"):
        await identify(GOOD, row(GOOD), now=NOW - timedelta(days=2))


async def test_a_revoked_certificate_that_has_expired_too_is_refused_all_the_same() -> None:
    with pytest.raises(Forbidden, match="revoked"):
        await identify(GOOD, replace(row(GOOD), state=State.REVOKED), now=NOW + timedelta(days=30))


def test_kinship_needs_no_chain_for_what_is_ours() -> None:
    assert kinship(GOOD.certificate, (), [CA.certificate]) is Kinship.OURS
    assert kinship(EDGE_CA.sign("x").certificate, (), [CA.certificate]) is Kinship.FOREIGN
    assert kinship(GOOD.certificate, [EDGE_CA.certificate], []) is Kinship.FOREIGN
