"""First contact by fingerprint: what it proves, and what it does not."""

import pytest
from cryptography.hazmat.primitives import hashes

from nestor.errors import SettingsError, Unavailable
from nestor.upstream.bootstrap import bootstrap, parse_fingerprint
from nestor.upstream.client import ESTClient
from nestor.upstream.trust import Trust
from support import pki
from support.stub import Stub, certs_only


def _fingerprint(ca: pki.CA) -> str:
    return ca.certificate.fingerprint(hashes.SHA256()).hex(":")


async def test_the_right_fingerprint_makes_an_anchor_of_that_certificate_alone(stub: Stub, ca: pki.CA) -> None:
    stranger = pki.authority("Stranger")
    stub.answers["cacerts"] = certs_only(stranger.certificate, ca.certificate)
    trust = await bootstrap(stub.url, _fingerprint(ca))
    assert trust == Trust((ca.certificate,))


@pytest.mark.conformance("CL-6")
async def test_after_the_bootstrap_a_new_session_is_verified(stub: Stub, ca: pki.CA) -> None:
    async with ESTClient(stub.url, await bootstrap(stub.url, _fingerprint(ca))) as client:
        await client.cacerts()
    provisional, verified = stub.heard
    assert provisional.session != verified.session


async def test_somebody_who_shows_the_right_certificate_but_is_not_below_it_gets_no_further(
    stub: Stub, ca: pki.CA
) -> None:
    pinned = pki.authority("Pinned")
    stub.answers["cacerts"] = certs_only(pinned.certificate)
    trust = await bootstrap(stub.url, _fingerprint(pinned))
    async with ESTClient(stub.url, trust, user="pump-1", password="hunter2") as client:
        with pytest.raises(Unavailable, match="does not come from a CA that is trusted here"):
            await client.csrattrs()
    assert len(stub.heard) == 1


@pytest.mark.conformance("CL-6")
async def test_a_wrong_fingerprint_stops_everything(stub: Stub) -> None:
    with pytest.raises(Unavailable, match="shows no CA certificate with the SHA-256 fingerprint") as refused:
        await bootstrap(stub.url, "00" * 32)
    assert "Compare the fingerprint" in refused.value.hint
    assert len(stub.heard) == 1


async def test_the_fingerprint_of_what_is_no_ca_makes_no_anchor(stub: Stub, ca: pki.CA) -> None:
    leaf = ca.issue("leaf").certificate
    stub.answers["cacerts"] = certs_only(leaf, ca.certificate)
    with pytest.raises(Unavailable):
        await bootstrap(stub.url, leaf.fingerprint(hashes.SHA256()).hex())


@pytest.mark.parametrize("form", ["AB" * 32, "ab" * 32, ":".join(["aB"] * 32), " ".join(["ab"] * 32)])
def test_a_fingerprint_is_read_as_tools_print_it(form: str) -> None:
    assert parse_fingerprint(form) == b"\xab" * 32


@pytest.mark.parametrize("form", ["", "ab" * 20, "xy" * 32, "ab" * 33])
def test_what_is_no_sha_256_is_refused(form: str) -> None:
    with pytest.raises(SettingsError, match="64 hex digits"):
        parse_fingerprint(form)
