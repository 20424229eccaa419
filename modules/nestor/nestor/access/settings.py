"""What the document says of who may have what. No behavior: `build.py` turns it into a gate."""

from datetime import timedelta
from enum import StrEnum

from nestor.document import Document, Duration, FileReference, HashReference, Reference, Words, described

USUAL_PROFILES = ("deviceIdentity", "estIdentity", "edgeCa")
"""What an IoT Edge device asks for; Edge CAs are for gateways only all the same."""


class IdentitySource(StrEnum):
    """Where a factory certificate says which device it belongs to."""

    COMMON_NAME = "commonName"
    SERIAL_NUMBER = "serialNumber"
    DNS_NAME = "dnsName"


class UserSettings(Document):
    """One user of Basic authentication."""

    password_hash: HashReference = described(
        "The argon2id or scrypt hash of the password, or where it is kept; `nestor user hash` makes one.",
        examples=["file:line1.hash"],
    )
    names: Words = described(
        "Device ids it may enroll, as patterns with * and ?. Left out, its own name only.",
        (),
        examples=["line1-*, gw3"],
    )
    profiles: Words = described(
        "Profiles it may ask for; * for every one.", USUAL_PROFILES, examples=["deviceIdentity, edgeCa"]
    )


class BootstrapSettings(Document):
    """One maker of factory certificates, which devices show once to get certificates from here."""

    anchors: FileReference = described(
        "The maker's CA certificates, as PEM; intermediates may stand beside the root.", examples=["file:maker-ca.pem"]
    )
    identity: IdentitySource = described(
        "Which part of the certificate is the device id: commonName, serialNumber (of the subject) or dnsName.",
        IdentitySource.COMMON_NAME,
        strict=False,
    )
    names: Words = described(
        "Device ids they may enroll, as patterns. Left out, the one each certificate names.", (), examples=["plc-*"]
    )
    profiles: Words = described(
        "Profiles they may ask for; * for every one.", USUAL_PROFILES, examples=["estIdentity, deviceIdentity"]
    )
    crls: FileReference | None = described(
        "The maker's revocation lists, as PEM or one DER; read again on change.", None, examples=["file:maker.crl"]
    )
    require_crl: bool = described("Refuse certificates that no current revocation list covers.", default=False)
    allow_without_eku: bool = described("Accept certificates without an extended key usage.", default=True)


class ForwarderSettings(Document):
    """One server below that passes on the requests of its devices, and for whom its word counts."""

    subject: str = described("The subject of its certificate (RFC 4514).", examples=["CN=nestor-line1"])
    anchors: FileReference | None = described(
        "The CA certificates, as PEM, that issue its certificate directly; none of them akin to the CA of this server."
        " Left out, that CA does, by the profile forwarder.",
        None,
        examples=["file:forwarders-ca.pem"],
    )
    names: Words = described(
        "Device ids, and alternative names, that it may speak for, as patterns.", examples=["line1-*"]
    )
    labels: Words = described(
        "Labels that it may pass requests to, as patterns; default is the path without a label.",
        ("*",),
        examples=["default, device"],
    )
    profiles: Words = described("Profiles that it may have issued.", USUAL_PROFILES, examples=["deviceIdentity"])
    issuers: Words = described(
        "Whose certificates it may convey: own is the CA of this server, other words are names of access.bootstrap.",
        ("own",),
        examples=["own, factory"],
    )
    statements: bool = described(
        "Believe it where it states that somebody asked with a password that it verified.", default=False
    )


class LayerSettings(Document):
    """A Nestor of the layer below that has a CA of its own under this one."""

    hostnames: Words = described(
        "The names under which it serves. The CAs of all other layers may not issue for them, and nobody gets a server "
        "certificate for them here.",
        (),
        examples=["gw2.plant.example, 10.0.2.1"],
    )


class RateSettings(Document):
    """How often. Correct credentials are never locked out; devices that retry every few seconds are served."""

    failed_passwords: int = described(
        "Wrong passwords per minute, per address (for IPv6, its /64) and per user, before the next ones wait.", 20, ge=1
    )
    enrollment_burst: int = described("Enrollments that one credential may do at once for one device.", 60, ge=2)
    enrollment_pause: Duration = described("After the burst, one enrollment per this time.", timedelta(seconds=1))
    verified_for: Duration = described("How long a verified password needs no hashing again.", timedelta(minutes=10))


class AccessSettings(Document):
    """Who may have what."""

    users: dict[str, UserSettings] = described("Users of Basic authentication, by name.", default_factory=dict)
    users_file: FileReference = described(
        "The users that `nestor user` keeps; read again when it changes.",
        Reference("file", "users.json"),
        examples=["file:users.json"],
    )
    bootstrap: dict[str, BootstrapSettings] = described("Makers of factory certificates.", default_factory=dict)
    forwarders: dict[str, ForwarderSettings] = described(
        "Servers below whose word on who asks is believed, by name. None by default.", default_factory=dict
    )
    gateways: Words = described(
        "Device ids, as patterns, that may have an Edge CA: a CA certificate. None by default.", (), examples=["gw*"]
    )
    layers: dict[str, LayerSettings] = described(
        "Nestors below that may have a CA with CAs below it, by the name of their own certificate. None by default.",
        default_factory=dict,
        examples=[{"layer2": {"hostnames": "gw2.plant.example"}}],
    )
    limits: RateSettings = described("How often.", default_factory=lambda: RateSettings.model_validate({}))
