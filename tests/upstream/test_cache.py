"""What is kept of the server above: looked at when loaded, asked for again in time, its root changed with cause."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from nestor.est.csrattrs import CsrAttributes, encode
from nestor.upstream.cache import STALE, Kept, RootChanged, accept, hang_together, load, save
from nestor.upstream.faults import BadAnswer
from support import pki
from support.asking import NOW
from support.signing import Signed, root

URL = "https://parent:8085/.well-known/est"
DER = encode(CsrAttributes(challenge_password=True))


def _kept(*certificates: x509.Certificate, at: datetime = NOW) -> Kept:
    return Kept(URL, certificates, {"default": DER}, at)


def _newer(old: Signed, **wishes: Any) -> Signed:
    return root("CA", end=old.certificate.not_valid_after_utc.replace(year=2099), **wishes)


def _cross(subject: Signed, issuer: Signed) -> x509.Certificate:
    return issuer.sign(subject.certificate.subject, ca=True, key=subject.key).certificate


@pytest.mark.conformance("CL-8")
def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    top = pki.authority()
    below = top.intermediate("Issuing")
    kept = _kept(below.certificate, top.certificate)
    save(tmp_path / "kept", kept)
    assert load(tmp_path / "kept", URL, ()) == kept


@pytest.mark.parametrize("damage", ["cut", "no PEM", "no list", "attributes", "time", "strangers"])
def test_what_is_not_sound_is_as_good_as_nothing(damage: str, tmp_path: Path) -> None:
    place = tmp_path / "kept"
    save(place, _kept(pki.authority().certificate))
    document = json.loads(place.read_text("utf-8"))
    match damage:
        case "cut":
            place.write_bytes(place.read_bytes()[:40])
        case "no PEM":
            place.write_text(json.dumps({**document, "certificates": ["-----BEGIN"]}), "utf-8")
        case "no list":
            place.write_text(json.dumps([document]), "utf-8")
        case "attributes":
            place.write_text(json.dumps({**document, "attributes": {"default": "MAAB"}}), "utf-8")
        case "time":
            place.write_text(json.dumps({**document, "fetchedAt": "yesterday"}), "utf-8")
        case _:
            stranger = pki.authority().intermediate("Nobody's")
            place.write_text(json.dumps({**document, "certificates": [stranger.pem().decode()]}), "utf-8")
    assert load(place, URL, ()) == Kept(URL)


def test_what_another_server_said_is_not_believed_of_this_one(tmp_path: Path) -> None:
    save(tmp_path / "kept", _kept(pki.authority().certificate))
    assert load(tmp_path / "kept", "https://other:8085/.well-known/est", ()).certificates == ()


@pytest.mark.conformance("CL-7")
def test_only_what_hangs_below_the_root_is_taken_and_the_root_stands_last() -> None:
    top, other = pki.authority(), pki.authority("Other").intermediate("Stranger")
    below = top.intermediate("Issuing")
    assert hang_together([top.certificate, other.certificate, below.certificate], ()) == (
        below.certificate,
        top.certificate,
    )


def test_without_a_root_the_anchors_of_the_operator_stand_for_it() -> None:
    top = pki.authority()
    middle = top.intermediate("Middle")
    issuing = middle.intermediate("Issuing")
    shown = [issuing.certificate, middle.certificate]
    assert hang_together(shown, [top.certificate]) == tuple(shown)
    assert hang_together([issuing.certificate], [middle.certificate]) == (issuing.certificate,)
    with pytest.raises(BadAnswer):
        hang_together(shown, ())


@pytest.mark.conformance("RA-11")
def test_another_root_is_refused_that_nothing_links_to_the_old_one() -> None:
    old = root("CA")
    new = _newer(old)
    with pytest.raises(RootChanged, match=new.certificate.fingerprint(SHA256()).hex()):
        accept(_kept(old.certificate), [old.certificate, new.certificate], (), None)


@pytest.mark.conformance("RA-11", "CL-7")
def test_another_root_is_taken_that_the_old_one_vouches_for() -> None:
    old = root("CA")
    new = _newer(old)
    shown = [new.certificate, old.certificate, _cross(new, old), _cross(old, new)]
    assert set(accept(_kept(old.certificate), shown, (), None)) == set(shown)


def test_a_link_of_another_key_vouches_for_nobody() -> None:
    old = root("CA")
    new, elsewhere = _newer(old), _newer(old)
    with pytest.raises(RootChanged):
        accept(_kept(old.certificate), [new.certificate, _cross(elsewhere, old)], (), None)


@pytest.mark.conformance("RA-11")
def test_another_root_is_taken_that_the_operator_has_approved() -> None:
    old = root("CA")
    new = _newer(old)
    approved = new.certificate.fingerprint(SHA256())
    assert accept(_kept(old.certificate), [new.certificate], (), approved) == (new.certificate,)


def test_a_root_that_is_gone_is_a_change_as_well() -> None:
    top = pki.authority()
    below = top.intermediate("Issuing")
    with pytest.raises(RootChanged, match="no root any more"):
        accept(_kept(below.certificate, top.certificate), [below.certificate], [top.certificate], None)


def test_a_root_that_was_not_shown_till_now_has_to_stand_above_what_is_kept() -> None:
    top, stranger = pki.authority(), pki.authority("Stranger")
    below = top.intermediate("Issuing")
    kept = _kept(below.certificate)
    shown = [below.certificate, top.certificate]
    assert accept(kept, shown, (), None) == tuple(shown)
    with pytest.raises(RootChanged, match="another root"):
        accept(kept, [stranger.certificate], (top.certificate,), None)
    assert accept(kept, [stranger.certificate], (stranger.certificate,), None) == (stranger.certificate,)
    approved = stranger.certificate.fingerprint(SHA256())
    assert accept(kept, [stranger.certificate], (), approved) == (stranger.certificate,)


@pytest.mark.conformance("CL-9")
def test_it_is_asked_for_again_every_ten_minutes_and_well_before_a_certificate_ends() -> None:
    usual = _kept(root("CA").certificate)
    assert not usual.is_due(NOW + timedelta(minutes=9))
    assert usual.is_due(NOW + timedelta(minutes=10))
    ending = _kept(root("CA", end=NOW + timedelta(minutes=4)).certificate)
    assert not ending.is_due(NOW + timedelta(seconds=110))
    assert ending.is_due(NOW + timedelta(minutes=2))
    assert Kept(URL).is_due(NOW)


def test_a_clock_that_was_ahead_does_not_put_the_next_look_off() -> None:
    assert _kept(root("CA").certificate).is_due(NOW - timedelta(hours=1))


def test_it_is_stale_after_a_day() -> None:
    kept = _kept(root("CA").certificate)
    assert not kept.is_stale(NOW + STALE)
    assert kept.is_stale(NOW + STALE + timedelta(seconds=1))


def test_a_device_among_what_the_server_above_shows_is_no_issuer() -> None:
    top = root("CA")
    device = top.sign("pump-1").certificate
    below = top.sign("Issuing", ca=True).certificate
    assert hang_together((device, below, top.certificate), ()) == (below, top.certificate)
