"""The CA of this layer, enrolled from the server above: its key is made here, and made anew with every renewal.

What comes back is judged as a whole before it takes the place of anything: the key, the room below, the root above. The
one that it follows goes on counting while it lasts.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.app.authority import Source
from nestor.app.layer.approach import Approach, composing
from nestor.ca.clock_guard import check_plausible
from nestor.ca.home import CAHome
from nestor.ca.issuer import Issuer, named
from nestor.ca.layers import forbids
from nestor.ca.loading import load_issuer
from nestor.ca.own_names import own_names
from nestor.errors import MaterialError, SettingsError, UnknownPath
from nestor.est.endings import hinted
from nestor.events import Note, Trouble
from nestor.keys.make import generate
from nestor.keys.seals import Keyring, Seals
from nestor.keys.settings import Protection
from nestor.ledger.opening import make_ledger
from nestor.upstream.bootstrap import parse_fingerprint
from nestor.upstream.client import ESTClient
from nestor.upstream.enrollment import request_own
from nestor.upstream.faults import BadAnswer
from nestor.upstream.identity import ClientIdentity
from nestor.upstream.lifetimes import renewal_time
from nestor.upstream.succession import check_succession
from nestor.upstream.wish import layer_ca

_PATIENCE = 10.0
"""Seconds to wait for the runtime that seals the key."""


async def look_after_ca(source: Source, keyring: Keyring, approach: Approach, identity: ClientIdentity) -> bool:
    """Enroll the CA, or renew it when that is due; whether there is another one than before.

    Raises NestorError where it cannot be had, and then nothing has changed.
    """
    home = CAHome(source.data)
    before = home.certificates() if home.was_made else ()
    if before and source.clock.now() < renewal_time(before[0]):
        return False
    check_plausible(source.clock.now())
    seals = await _seals(source, keyring)
    seals.check_new()
    issuer = await _enrolled(source, approach, identity, before)
    _warn_of_own_names(source, issuer)
    _keep(source, seals, home, issuer, renewed=bool(before))
    return True


def forget_ended(home: CAHome, now: datetime) -> bool:
    """Let go of former CAs that have ended, and with them all that they issued; whether there were any."""
    ended = [chain[0] for chain in home.former() if chain[0].not_valid_after_utc <= now]
    for certificate in ended:
        home.forget(certificate)
    return bool(ended)


async def _enrolled(
    source: Source, approach: Approach, identity: ClientIdentity, before: Sequence[x509.Certificate]
) -> Issuer:
    settings = source.settings
    name, label = settings.upstream.identity.name, settings.ca.parent_label
    if name is None:
        raise SettingsError("upstream.identity.name: the CA of a layer needs the name of its layer.", "Name it.")
    key = await asyncio.to_thread(generate, settings.ca.key_type, settings.ca.rsa_bits)
    compose = composing(key, layer_ca(name, settings.ca.path_length), keep=x509.BasicConstraints)
    try:
        certificate = await request_own(approach.by(identity, label), compose, ESTClient.enroll)
    except UnknownPath as refusal:
        raise UnknownPath(hinted(refusal.sentence, "Here, ca.parentLabel names it.")) from refusal
    async with approach.by(identity, label)(False) as client:
        shown = (await client.cacerts()).all
    return _judged(certificate, shown, key, source, before)


def _judged(
    certificate: x509.Certificate,
    shown: Sequence[x509.Certificate],
    key: CertificateIssuerPrivateKeyTypes,
    source: Source,
    before: Sequence[x509.Certificate],
) -> Issuer:
    """The CA, if it is one that can issue here, from the parent that there was. Raises Unavailable."""
    try:
        issuer = load_issuer(certificate, shown, key)
    except MaterialError as fault:
        raise BadAnswer(f"The server above gave a CA certificate that cannot be used: {fault.sentence}") from fault
    problem = issuer.problem(source.clock.now())
    if problem is not None:
        raise BadAnswer(f"The server above gave a CA certificate that cannot be used: {problem}", "Check the clocks.")
    wanted = source.settings.ca.path_length
    if issuer.room is not None and issuer.room < wanted:
        raise BadAnswer(
            f"The server above gave a CA certificate with room for {issuer.room} CAs below it, and ca.pathLength is "
            f"{wanted}.",
            "Its operator raises pathLength of the profile, or ca.pathLength is lowered here.",
        )
    if before:
        approved = source.settings.upstream.root
        check_succession(before[-1], issuer.certificates[-1], shown, parse_fingerprint(approved) if approved else None)
    return issuer


def _keep(source: Source, seals: Seals, home: CAHome, issuer: Issuer, *, renewed: bool) -> None:
    told = f"{named(issuer.certificate)}, SHA-256 {issuer.fingerprint}"
    if renewed:
        home.succeed(issuer, lambda place: seals.save(place, issuer.key, source.passphrase))
    else:
        make_ledger(source.data)  # first: a CA without its ledger would count as one that lost it
        home.keep(issuer, lambda place: seals.save(place, issuer.key, source.passphrase))
    source.sink(Note("ca renewed" if renewed else "ca made", told, issuer.end))


async def _seals(source: Source, keyring: Keyring) -> Seals:
    """What a new key is sealed with, where keys are."""
    sealed = source.settings.keys.protection is Protection.SEALED
    return await keyring.seals(source.key_path, within=_PATIENCE, new=(lambda: source.recovery) if sealed else None)


def _warn_of_own_names(source: Source, issuer: Issuer) -> None:
    """Tell where the parent forbids this server its own name: no device would take its certificate."""
    forbidden = forbids(issuer.certificates, own_names(source.settings.listener.hostnames))
    if forbidden:
        source.sink(
            Trouble(
                "ca",
                f"The parent forbids the CA of this layer to issue for {', '.join(forbidden)}, which is itself; "
                "devices will not trust it. The parent's operator adds it to access.layers.NAME.hostnames.",
            )
        )
