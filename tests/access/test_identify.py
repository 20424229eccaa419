"""Four combinations of credentials that a path may want, against what may come."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from nestor.access.anchors import read_bundle
from nestor.access.bootstrap import Maker
from nestor.access.conveyed import Forwarders
from nestor.access.identify import Identifier, bounded, complete, requester_of
from nestor.access.memory import Verified
from nestor.access.own import OwnCertificates
from nestor.access.settings import IdentitySource
from nestor.access.users import User, Users
from nestor.access.verifier import Verifier
from nestor.errors import Forbidden, TooOften, Unauthenticated
from nestor.model import ChallengeUse, Combination, Credentials, Label, Method, Requester, State
from support.asking import NOW, adopt_none, cheap_hash, csr, entry, ignore, ledger_of, suspicion, traits_or_none
from support.signing import CLIENT, SERVER, Signed, root, sign

CA, FACTORY = root("Nestor CA"), root("Factory Root")
OWN = CA.sign("dev1", extensions=[CLIENT])
REVOKED = CA.sign("dev1", extensions=[CLIENT])
EXPIRED = CA.sign("dev1", extensions=[CLIENT], end=NOW - timedelta(hours=1))
SERVER_CERTIFICATE = CA.sign("dev1", extensions=[SERVER])
FORGED = sign("dev1", extensions=[CLIENT], issuer_name=CA.certificate.subject)
EDGE_CA = CA.sign("aziot-edge CA gw1", ca=True)
MINTED = EDGE_CA.sign("dev1", extensions=[CLIENT])
BOOTSTRAP = FACTORY.sign("dev1")
UNKNOWN = root("Nobody").sign("dev1")

ROWS = [
    entry(OWN.der, "dev1"),
    entry(REVOKED.der, "dev1", state=State.REVOKED),
    entry(EXPIRED.der, "dev1"),
    entry(SERVER_CERTIFICATE.der, "dev1", "server"),
    entry(EDGE_CA.der, "aziot-edge CA gw1", "edgeCa"),
]
USERS = {
    "line1": User("line1", cheap_hash("right"), names=("line1-*", "dev1")),
    "dev1": User("dev1", cheap_hash("code"), one_time=True),
}


def identifier() -> Identifier:
    maker = Maker(
        name="factory",
        bundle=read_bundle(FACTORY.pem, "factory.pem"),
        source=IdentitySource.COMMON_NAME,
        names=(),
        profiles=frozenset({"estIdentity"}),
        crls=lambda: (),
        require_crl=False,
        allow_without_eku=True,
    )
    own = OwnCertificates(lambda: [CA.certificate], ledger_of(*ROWS), traits_or_none, adopt_none)
    verifier = Verifier(Users(USERS, dict), suspicion(), Verified(bytes(32)), verified_for=600.0, tell=ignore)
    return Identifier(own, [maker], verifier, Forwarders([], [own], "here", ledger_of().was_revoked))


def credentials(certificate: Signed | None, password: str | None, **fields: Any) -> Credentials:
    usual = Credentials(
        address="192.0.2.1",
        certificate=certificate.certificate if certificate else None,
        chain=(EDGE_CA.certificate,) if certificate is MINTED else (),
        user=None if password is None else "line1",
        password=password,
    )
    return replace(usual, **fields)


async def identify(
    combination: Combination, certificate: Signed | None, password: str | None, **fields: Any
) -> Requester:
    label = Label("here", combination=combination)
    return await identifier().identify(credentials(certificate, password, **fields), label, NOW, 0.0)


CERTIFICATE, PASSWORD = Combination.CERTIFICATE, Combination.PASSWORD
EITHER, BOTH = Combination.EITHER, Combination.BOTH

ADMITTED = [
    (CERTIFICATE, OWN, None, Method.CERTIFICATE),
    (CERTIFICATE, OWN, "right", Method.CERTIFICATE),
    (CERTIFICATE, OWN, "wrong", Method.CERTIFICATE),
    (CERTIFICATE, BOOTSTRAP, None, Method.BOOTSTRAP),
    (PASSWORD, None, "right", Method.PASSWORD),
    (PASSWORD, OWN, "right", Method.PASSWORD),
    (EITHER, OWN, None, Method.CERTIFICATE),
    (EITHER, OWN, "right", Method.CERTIFICATE),
    (EITHER, OWN, "wrong", Method.CERTIFICATE),
    (EITHER, BOOTSTRAP, "wrong", Method.BOOTSTRAP),
    (EITHER, None, "right", Method.PASSWORD),
    (EITHER, EXPIRED, "right", Method.PASSWORD),
    (EITHER, SERVER_CERTIFICATE, "right", Method.PASSWORD),
    (EITHER, EDGE_CA, "right", Method.PASSWORD),
    (EITHER, UNKNOWN, "right", Method.PASSWORD),
    (BOTH, OWN, "right", Method.CERTIFICATE),
    (BOTH, BOOTSTRAP, "right", Method.BOOTSTRAP),
]
CHALLENGED = [
    (PASSWORD, None, None),
    (PASSWORD, OWN, None),
    (PASSWORD, None, "wrong"),
    (EITHER, None, None),
    (EITHER, None, "wrong"),
    (EITHER, EXPIRED, None),
    (EITHER, UNKNOWN, None),
    (EITHER, SERVER_CERTIFICATE, "wrong"),
    (BOTH, OWN, None),
    (BOTH, OWN, "wrong"),
]
UNHELPED = [
    (CERTIFICATE, None, None),
    (CERTIFICATE, None, "right"),
    (CERTIFICATE, EXPIRED, "right"),
    (CERTIFICATE, UNKNOWN, None),
    (CERTIFICATE, SERVER_CERTIFICATE, None),
    (CERTIFICATE, EDGE_CA, None),
    (BOTH, None, "right"),
    (BOTH, None, None),
    (BOTH, EXPIRED, "right"),
]


@pytest.mark.parametrize(("combination", "certificate", "password", "method"), ADMITTED)
async def test_credentials_that_are_enough(
    combination: Combination, certificate: Signed | None, password: str | None, method: Method
) -> None:
    assert (await identify(combination, certificate, password)).method is method


@pytest.mark.parametrize(("combination", "certificate", "password"), CHALLENGED)
async def test_where_a_password_would_help_it_is_asked_for(
    combination: Combination, certificate: Signed | None, password: str | None
) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await identify(combination, certificate, password)
    assert caught.value.challenge


@pytest.mark.parametrize(("combination", "certificate", "password"), UNHELPED)
async def test_where_no_password_would_help_none_is_asked_for(
    combination: Combination, certificate: Signed | None, password: str | None
) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await identify(combination, certificate, password)
    assert not caught.value.challenge


@pytest.mark.parametrize("combination", [CERTIFICATE, EITHER, BOTH])
@pytest.mark.parametrize("certificate", [REVOKED, FORGED, MINTED])
@pytest.mark.parametrize("password", [None, "right", "wrong"])
async def test_what_must_not_be_presented_is_refused_whatever_comes_beside_it(
    combination: Combination, certificate: Signed, password: str | None
) -> None:
    with pytest.raises(Forbidden):
        await identify(combination, certificate, password)


async def test_each_kind_of_certificate_is_refused_in_its_own_words() -> None:
    sentences = set()
    for certificate in (None, REVOKED, FORGED, MINTED, EDGE_CA, EXPIRED, SERVER_CERTIFICATE, UNKNOWN):
        with pytest.raises((Forbidden, Unauthenticated)) as caught:
            await identify(CERTIFICATE, certificate, None)
        sentences.add(caught.value.sentence)
    assert len(sentences) == 8


async def test_the_user_bounds_the_certificate_where_both_are_wanted() -> None:
    requester = await identify(BOTH, BOOTSTRAP, "right")
    assert requester.identity == "dev1"
    assert requester.name == "factory CN=dev1 with line1"
    assert requester.grant.within == USERS["line1"].grant
    assert requester.grant.profiles == {"estIdentity"}
    assert requester.caller.endswith(" password:line1")


async def test_a_one_time_password_stays_one_beside_a_certificate() -> None:
    requester = await identify(BOTH, BOOTSTRAP, "code", user="dev1")
    assert requester.one_time == USERS["dev1"].spending
    assert requester.one_time is not None


async def test_a_factory_cannot_vouch_through_a_certificate_for_our_own_key() -> None:
    cross = sign("Nestor CA", issuer=FACTORY, ca=True, key=CA.key)
    middle = sign("Middle", issuer=CA, ca=True)
    leaf = middle.sign("victim")
    chain = (middle.certificate, cross.certificate)
    deeper = middle.sign("Deeper", ca=True)
    with pytest.raises(Forbidden):
        await identify(EITHER, leaf, None, chain=chain)
    with pytest.raises(Unauthenticated, match="no CA that this server trusts"):
        await identify(EITHER, deeper.sign("victim"), None, chain=(deeper.certificate, *chain))


async def test_many_wrong_passwords_at_once_leave_the_right_one_in() -> None:
    one = identifier()
    label = Label("here")

    async def guess(number: int) -> type[BaseException]:
        try:
            await one.identify(credentials(None, f"wrong{number}"), label, NOW, 0.0)
        except (Unauthenticated, TooOften) as error:
            return type(error)
        raise AssertionError

    outcomes = await asyncio.gather(*map(guess, range(40)))
    assert outcomes.count(Unauthenticated) == 20
    assert outcomes.count(TooOften) == 20
    assert (await one.identify(credentials(None, "right"), label, NOW, 0.0)).method is Method.PASSWORD


# --- users that a request names -----------------------------------------------------------------------------------

CODE = Label("code", challenge=ChallengeUse.ONE_TIME_CODE)
DEFAULT = Label("default")


@pytest.mark.parametrize(
    ("user", "password", "code", "label", "expected"),
    [
        (None, None, None, DEFAULT, (None, None)),
        (None, None, "7Q2", DEFAULT, (None, None)),
        (None, None, "7Q2", CODE, ("gw1", "7Q2")),
        (None, None, None, CODE, (None, None)),
        ("", "secret", None, DEFAULT, ("gw1", "secret")),
        ("", "secret", "7Q2", CODE, ("gw1", "secret")),
        ("", "", "7Q2", CODE, ("gw1", "7Q2")),
        ("line1", "secret", "7Q2", CODE, ("line1", "secret")),
        ("line1", "secret", None, DEFAULT, ("line1", "secret")),
    ],
)
def test_a_user_is_taken_from_the_request_where_the_header_names_none(
    user: str | None, password: str | None, code: str | None, label: Label, expected: tuple[str | None, str | None]
) -> None:
    given = Credentials("192.0.2.1", user=user, password=password)
    done = complete(given, csr("aziot-edge CA GW1", challenge_password=code), label)
    assert (done.user, done.password) == expected
    assert replace(done, user=user, password=password) == given


def test_without_a_request_nothing_is_taken() -> None:
    given = Credentials("192.0.2.1", user="", password="secret")
    assert complete(given, None, CODE) is given


async def test_a_code_identifies_its_device() -> None:
    given = complete(Credentials("192.0.2.1"), csr("DEV1", challenge_password="code"), CODE)
    requester = await identifier().identify(given, CODE, NOW, 0.0)
    assert (requester.method, requester.identity) == (Method.PASSWORD, "dev1")
    assert requester.one_time == USERS["dev1"].spending


async def test_an_empty_user_that_no_request_fills_in_is_nobody() -> None:
    with pytest.raises(Unauthenticated):
        await identifier().identify(Credentials("192.0.2.1", user="", password="right"), DEFAULT, NOW, 0.0)


def test_users_differ_as_callers_and_not_by_case() -> None:
    one, other = User("Dev1", "hash"), User("dev1", "hash")
    assert requester_of(one).caller == requester_of(other).caller != requester_of(User("dev2", "hash")).caller
    assert bounded(requester_of(one), requester_of(other)).grant.within == other.grant
