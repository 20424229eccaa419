"""The last look at what the server above answered: no more power than the profile has is handed down."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.errors import ParentUnusable
from nestor.model import Order, ProfileTraits, Terms
from nestor.upstream.verdict import check
from support import asking
from support.signing import CLIENT, Signed, root

DAY = timedelta(days=1)
TOP = root("Above")
BOTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
ANY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
DEVICE = asking.traits("deviceIdentity")
EDGE_CA = replace(DEVICE, name="edgeCa", ca=True, authenticates=False)
LAYER_CA = replace(EDGE_CA, name="layerCa", entrusted=True)


def _look(answered: Signed, profile: ProfileTraits) -> None:
    spki = answered.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    csr = asking.csr("gw-1", spki=spki)
    order = Order(csr, profile.name, "gw-1", "default", Terms(), csr.subject, ())
    check(answered.certificate, order, profile, TOP.certificate, asking.NOW)


@pytest.mark.parametrize("length", [None, 1])
def test_an_edge_ca_that_may_have_cas_below_it_is_not_handed_down(length: int | None) -> None:
    with pytest.raises(ParentUnusable, match="path length is not 0"):
        _look(TOP.sign("gw-1", ca=True, path_length=length), EDGE_CA)
    _look(TOP.sign("gw-1", ca=True, path_length=0), EDGE_CA)
    _look(TOP.sign("gw-1", ca=True, path_length=length), LAYER_CA)


@pytest.mark.parametrize("usages", [BOTH, ANY])
def test_a_certificate_that_is_good_for_a_server_goes_to_nobody_else(usages: x509.ExtendedKeyUsage) -> None:
    with pytest.raises(ParentUnusable, match="for a server"):
        _look(TOP.sign("gw-1", extensions=[usages]), DEVICE)
    _look(TOP.sign("gw-1", extensions=[usages]), replace(DEVICE, server=True))
    _look(TOP.sign("gw-1", extensions=[CLIENT]), DEVICE)


def test_a_certificate_out_of_its_time_is_told_with_what_the_clock_here_says() -> None:
    for start, end in ((-3, -1), (2, 3)):
        answered = TOP.sign("gw-1", extensions=[CLIENT], start=asking.NOW + start * DAY, end=asking.NOW + end * DAY)
        with pytest.raises(
            ParentUnusable, match=f"by the clock of this server, {asking.NOW:%Y-%m-%d %H:%M} UTC"
        ) as told:
            _look(answered, DEVICE)
        assert "clocks is wrong" in told.value.hint
