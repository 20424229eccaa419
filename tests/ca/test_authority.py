"""The whole way of an order through the CA, and what a CA does that cannot issue."""

import asyncio
import hashlib
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.ca import authority as authority_module
from nestor.ca.authority import LocalAuthority
from nestor.ca.clock_guard import ClockGuard
from nestor.ca.content import Key
from nestor.ca.hierarchy import make_root
from nestor.ca.issuer import Issuer
from nestor.errors import CannotIssue, Forbidden, Malformed, OurFault
from nestor.est import pkcs10
from nestor.keys.make import generate
from nestor.model import KeyType, Order, Terms
from support.asking import NOW, subject
from support.issuing import (
    BUILT_IN_NAMES,
    DAY,
    OWN,
    SERIAL,
    HandClock,
    asked_for,
    catalog,
    changed,
    ec_key,
    order,
    request,
    root,
    rsa_key,
)


def make_key(kind: KeyType, bits: int) -> Any:
    return rsa.generate_private_key(65537, bits) if kind is KeyType.RSA else ec.generate_private_key(ec.SECP256R1())


def drawn(octets: int) -> bytes:
    """Chance that is always the same."""
    return hashlib.shake_128(b"chance").digest(octets)


def authority(issuer: Issuer | None = None, clock: HandClock | None = None, **wishes: Any) -> LocalAuthority:
    guard = ClockGuard(clock or HandClock())
    given: dict[str, Any] = {"own": OWN, "make_key": make_key, **wishes}
    return LocalAuthority(issuer or root(), given.pop("catalog", catalog()), guard, **given)


@pytest.mark.parametrize("name", BUILT_IN_NAMES)
async def test_an_admitted_order_gets_its_certificate(name: str) -> None:
    asked = asked_for(name)
    certificate = await authority().enroll(order(asked, name))
    certificate.verify_directly_issued_by(root().certificate)
    assert certificate.public_key() == asked.public_key
    assert certificate.subject == asked.subject


async def test_the_names_are_those_of_the_order_not_of_the_request() -> None:
    asked = request("old", alternative_names=(x509.DNSName("old"),))
    renamed = Order(asked, "deviceIdentity", "new", "default", Terms(), subject("new"), (x509.DNSName("new"),))
    certificate = await authority().enroll(renamed)
    assert certificate.subject == subject("new")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.DNSName("new")]


async def test_no_two_certificates_have_one_serial_number() -> None:
    ca = authority()
    serials = {(await ca.enroll(order(request("dev1")))).serial_number for _ in range(50)}
    assert len(serials) == 50
    assert {serial.bit_length() for serial in serials} == {159}


async def test_time_and_chance_decide_what_is_not_ordered() -> None:
    one, two = [await authority(random=drawn).enroll(order(request("dev1"))) for _ in range(2)]
    assert one.tbs_certificate_bytes == two.tbs_certificate_bytes


async def test_lifetimes_vary_so_that_renewals_spread() -> None:
    ca = authority()
    ends = [(await ca.enroll(order(request("dev1")))).not_valid_after_utc for _ in range(50)]
    assert len(set(ends)) > 40
    assert max(ends) - min(ends) < 1.5 * DAY


async def test_a_weak_key_is_refused_before_anything_else() -> None:
    weak = request("dev1", key=rsa_key(), key_bits=1024)
    with pytest.raises(Forbidden, match="1024 bits"):
        await authority().enroll(order(weak))


async def test_a_request_without_a_readable_key_gets_nothing() -> None:
    with pytest.raises((Forbidden, Malformed)):
        await authority().enroll(order(request("dev1", public_key=None)))


async def test_a_key_made_here_is_the_one_in_the_certificate() -> None:
    asked = request("dev1", key=rsa_key())
    key, certificate = await authority().generate(order(asked))
    assert certificate.public_key() == key.public_key() != asked.public_key


async def test_a_key_made_here_is_of_the_profile_s_kind() -> None:
    kinds = changed({"deviceIdentity": {"keys": "rsa, ec-p256", "rsaMinimum": 3072}})
    key, _ = await authority(catalog=kinds).generate(order(request("dev1")))
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 3072


@pytest.mark.parametrize("kind", [KeyType.ML_DSA_44, KeyType.ML_DSA_65, KeyType.ML_DSA_87])
async def test_a_post_quantum_key_is_certified_where_a_profile_takes_it(kind: KeyType) -> None:
    key = generate(kind)
    asked = pkcs10.read(pkcs10.build(key, subject("dev1")))
    pkcs10.check_signature(asked)
    kinds = changed({"signer": {"keys": kind.value, "serverKey": kind.value, "extendedKeyUsage": "clientAuth"}})
    certificate = await authority(catalog=kinds).enroll(order(asked, "signer"))
    assert certificate.public_key() == key.public_key()
    with pytest.raises(Forbidden, match=kind.value):
        await authority().enroll(order(asked))


async def test_a_clock_that_runs_backwards_stops_issuing_until_it_is_right() -> None:
    clock = HandClock()
    ca = authority(clock=clock)
    await ca.enroll(order(request("dev1")))
    clock.wall -= DAY
    with pytest.raises(CannotIssue, match="were issued at"):
        await ca.enroll(order(request("dev1")))
    assert "were issued at" in (ca.problem() or "")
    clock.pass_by(DAY)
    assert ca.problem() is None
    assert await ca.enroll(order(request("dev1")))


async def test_a_ca_that_has_time_for_no_profile_any_more_says_so() -> None:
    clock = HandClock()
    ca = authority(clock=clock)
    clock.pass_by(20 * 365 * DAY - 4 * DAY)
    assert ca.problem() is None, "identities have three days left"
    clock.pass_by(DAY)
    assert "too soon for a certificate of any profile" in (ca.problem() or "")
    assert "Renew the CA" in (ca.problem() or "")


async def test_a_server_certificate_is_issued_until_the_last_minutes_of_the_ca() -> None:
    clock = HandClock()
    ca = authority(clock=clock)
    clock.pass_by(20 * 365 * DAY - DAY - timedelta(minutes=10))
    key = Key(ec_key().public_key(), KeyType.EC_P256)
    certificate = await ca.issue_server_certificate(["gw3.plant.example"], key, 90 * DAY)
    assert certificate.not_valid_after_utc == root().end


async def test_a_ca_that_has_ended_says_so() -> None:
    clock = HandClock()
    ca = authority(clock=clock)
    clock.pass_by(21 * 365 * DAY)
    assert "ended at" in (ca.problem() or "")
    with pytest.raises(CannotIssue, match="ended at"):
        await ca.enroll(order(request("dev1")))
    assert ca.ca_certificates() == (root().certificate,)


async def test_a_certificate_that_the_lint_refuses_is_not_even_signed() -> None:
    class Careless(Issuer):
        end = NOW + 40_000 * DAY  # type: ignore[assignment] -- says to live longer than its certificate does

        def sign(self, content: bytes) -> bytes:
            pytest.fail("it was signed")

    forever = changed({"deviceIdentity": {"lifetime": "100y"}})
    with pytest.raises(OurFault):
        await authority(Careless(root().certificate, root().key), catalog=forever).enroll(order(request("dev1")))


async def test_what_a_wrong_key_signed_never_leaves() -> None:
    other = make_root(ec.generate_private_key(ec.SECP256R1()), "CN=Root", lifetime=DAY, now=NOW, serial=SERIAL)
    swapped = Issuer(root().certificate, other.key)
    with pytest.raises(OurFault):
        await authority(swapped).enroll(order(request("dev1")))


@pytest.mark.parametrize(("key", "aside"), [(ec_key, False), (rsa_key, True)])
async def test_a_slow_key_signs_aside_and_a_fast_one_at_once(key: Callable[[], Any], aside: bool) -> None:
    issuer = make_root(key(), "CN=Root", lifetime=900 * DAY, now=NOW - DAY, serial=SERIAL)
    where: list[threading.Thread] = []

    class Watched(Issuer):
        def sign(self, content: bytes) -> bytes:
            where.append(threading.current_thread())
            return super().sign(content)

    certificate = await authority(Watched(issuer.certificate, issuer.key)).enroll(order(request("dev1")))
    certificate.verify_directly_issued_by(issuer.certificate)
    assert (where[0] is not threading.main_thread()) == aside


async def test_many_orders_at_once_are_all_served() -> None:
    ca = authority()
    certificates = await asyncio.gather(*(ca.enroll(order(request(f"dev{number}"))) for number in range(50)))
    assert [one.subject for one in certificates] == [subject(f"dev{number}") for number in range(50)]


async def test_this_server_gets_the_certificate_that_nobody_else_gets() -> None:
    certificate = await authority().issue_server_certificate(
        ["gw3.plant.example", "10.0.0.3"], Key(ec_key().public_key(), KeyType.EC_P256), timedelta(days=90)
    )
    assert certificate.subject == subject("gw3.plant.example")
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["gw3.plant.example", "10.0.0.3"]
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=90)


async def test_the_server_s_own_certificate_ends_with_the_ca() -> None:
    short = make_root(ec_key(), "CN=Root", lifetime=900 * DAY, now=NOW - DAY, serial=SERIAL)
    certificate = await authority(short).issue_server_certificate(
        ["gw3"], Key(ec_key().public_key(), KeyType.EC_P256), timedelta(days=3650)
    )
    assert certificate.not_valid_after_utc == short.end


def test_a_path_without_a_profile_says_nothing_and_another_says_what_it_wants() -> None:
    assert authority().csr_attributes(None, link=False) == b"\x30\x00"
    assert len(authority().csr_attributes("edgeCa", link=True)) > 20


def _kept_by(act: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch) -> LocalAuthority:
    monkeypatch.setattr(Issuer, "sign", lambda *_: act())
    return authority()


async def test_a_key_that_signs_is_no_failure() -> None:
    ca = authority()
    assert ca.failure() is None
    await ca.try_key()
    assert ca.failure() is None


async def test_a_key_that_has_gone_is_missed_before_anybody_enrolls(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> bytes:
        raise OSError("the token was pulled")

    ca = _kept_by(gone, monkeypatch)
    await ca.try_key()
    assert (ca.failure() or "").startswith("The CA key cannot sign: OSError. Restart the server")
    monkeypatch.undo()
    await ca.try_key()
    assert ca.failure() is None


async def test_a_key_that_does_not_answer_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Event()
    monkeypatch.setattr(authority_module, "_TRIAL_SECONDS", 0.05)
    ca = _kept_by(lambda: bytes(held.wait(5)), monkeypatch)
    await ca.try_key()
    held.set()
    assert "has not signed within" in (ca.failure() or "")


async def test_another_key_than_that_of_the_certificate_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    ca = _kept_by(lambda: b"no signature", monkeypatch)
    await ca.try_key()
    assert "does not fit the CA certificate" in (ca.failure() or "")
