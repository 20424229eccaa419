"""What the document says of the CA and of the kinds of certificates it issues. No behavior: `profile.py` judges it."""

from datetime import timedelta
from enum import StrEnum
from typing import Literal

from nestor.document import Document, Duration, FileReference, Percent, Words, described
from nestor.model import KeyType

CAKeyType = Literal[KeyType.EC_P256, KeyType.EC_P384, KeyType.RSA]
"""The kinds of keys that a CA is made with: those that every device of today verifies."""


class CASource(StrEnum):
    """Where the CA certificate comes from."""

    ROOT = "root"
    FILE = "file"
    PARENT = "parent"


class CASettings(Document):
    """The certificate authority."""

    source: CASource = described(
        "root: a root of its own, made once and never again. file: a CA that somebody else made. parent: the CA of "
        "this layer, enrolled from the server that upstream names, and renewed by itself.",
        CASource.ROOT,
        strict=False,
    )
    subject: str | None = described(
        "The name of the root that is made, as RFC 4514 writes it. Left out, it is CN=Nestor Root CA; where "
        "upstream.identity has a name, that one follows it.",
        None,
        examples=["CN=Plant 3 Root CA,O=Contoso"],
    )
    key_type: CAKeyType = described("The key of the CA that is made: ec-p256, ec-p384 or rsa.", KeyType.EC_P256)
    rsa_bits: int = described("The size of its key, for rsa.", 4096, ge=3072, le=8192)
    lifetime: Duration = described("How long the root that is made lives.", timedelta(days=20 * 365))
    parent_label: str = described("For source parent: the parent's label that is for the profile layerCa.", "layer-ca")
    path_length: int = described(
        "For source parent: how many CAs may follow below. 1 is for Edge CAs; one more for each layer CA below.",
        1,
        ge=0,
        le=8,
    )
    certificate: FileReference | None = described(
        "The CA certificate, as PEM, for source file.", None, examples=["file:ca.pem"]
    )
    chain: FileReference | None = described(
        "The certificates above it up to its root, as PEM, for source file.", None, examples=["file:ca-chain.pem"]
    )
    key: FileReference | None = described(
        "The private key of the CA. Needed for source file; left out otherwise, it is kept beside the certificate.",
        None,
        examples=["file:ca-key.pem"],
    )


class SubjectSettings(Document):
    """What the subject of a certificate may be."""

    take: Words = described(
        "Attributes that a request may fill: CN, O, OU, C, ST, L, STREET, DC, UID, serialNumber, title, GN, SN.",
        ("CN", "O", "OU", "C", "ST", "L", "STREET", "DC", "UID", "serialNumber"),
        examples=["CN, O"],
    )
    add: dict[str, str] = described(
        "Attributes with a fixed value, by their name.", default_factory=dict, examples=[{"O": "Contoso"}]
    )
    common_name: str = described("A pattern with * and ? that the common name has to match.", "*")
    registration_id: bool = described(
        "Hold the common name to the rules of DPS registration ids, which become device ids.", default=False
    )


class AlternativeNameSettings(Document):
    """Which subject alternative names a certificate may have; a kind without patterns is not issued."""

    dns: Words = described(
        "DNS names that a request may have, as patterns with * and ?.", ("*",), examples=["*.plant.example"]
    )
    ip: Words = described("IP addresses that a request may have, as patterns.", ("*",), examples=["10.3.*"])
    uri: Words = described("URIs that a request may have, as patterns.", (), examples=["urn:plant:*"])
    email: Words = described("Mail addresses that a request may have, as patterns.", (), examples=["*@plant.example"])
    dns_from_common_name: bool = described(
        "Where a request has none, make the common name its DNS name if it can be one.", default=False
    )


class ProfileSettings(Document):
    """One kind of certificate."""

    keys: Words = described(
        "Kinds of keys: ec-p256, ec-p384, ec-p521, rsa, ed25519, ml-dsa-44, ml-dsa-65, ml-dsa-87.",
        ("ec-p256", "ec-p384", "rsa"),
        examples=["ec-p256, rsa"],
    )
    rsa_minimum: int = described("The shortest RSA key, in bits.", 2048, ge=2048, le=4096)
    rsa_maximum: int = described("The longest RSA key, in bits.", 4096, ge=2048, le=4096)
    lifetime: Duration = described("How long a certificate lives.", timedelta(days=30))
    jitter: Percent = described("By how much lifetimes vary, so that renewals spread; never longer.", 0.05)
    minimum_lifetime: Duration | None = described(
        "A certificate that the CA's own end would cut below this is refused. Left out, a tenth of the lifetime.",
        None,
        examples=["3d"],
    )
    key_usage: Words = described(
        "Key usage bits by their names in RFC 5280; those that a key of its kind cannot do are left out.",
        ("digitalSignature",),
        examples=["digitalSignature, keyEncipherment"],
    )
    extended_key_usage: Words = described(
        "clientAuth, serverAuth or dotted OIDs; none for a CA. A request may ask for fewer of them, never for others.",
        ("clientAuth",),
        examples=["clientAuth, serverAuth"],
    )
    ca: bool = described("Issue CA certificates.", default=False)
    path_length: int = described("How many CAs may follow below one of these.", 0, ge=0, le=8)
    subject: SubjectSettings = described(
        "What the subject may be.", default_factory=lambda: SubjectSettings.model_validate({})
    )
    alternative_names: AlternativeNameSettings = described(
        "Which subject alternative names there may be.",
        default_factory=lambda: AlternativeNameSettings.model_validate({}),
    )
    key_reuse: bool = described("Issue for a key that was certified before.", default=True)
    authenticates: bool = described("Its certificates authenticate to this server.", default=False)
    renewable: bool = described("Such a certificate may renew itself.", default=False)
    may_request: Words = described(
        "Other profiles that the holder of one may get for the same device.", (), examples=["deviceIdentity, edgeCa"]
    )
    exclude_server_names: bool = described(
        "Forbid a CA certificate, by name constraints, to issue for the names of this server.", default=True
    )
    server_key: KeyType | None = described(
        "The kind of key that /serverkeygen makes, for TLS sessions as strong as it. Left out, the first of keys.",
        None,
        strict=False,
        examples=["ec-p256"],
    )
