"""The nouns that the rooms share: frozen values, no behavior beyond reading themselves.

A noun that only one room uses lives in that room. Times are aware datetimes in UTC.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from nestor.approval import NO_APPROVAL, ApprovalRules
from nestor.conveyance import Conveyance
from nestor.naming import common_name_of, device_id


class Operation(StrEnum):
    """The EST operations (RFC 7030, 3.2.2); the value is the last segment of the path."""

    CACERTS = "cacerts"
    SIMPLE_ENROLL = "simpleenroll"
    SIMPLE_REENROLL = "simplereenroll"
    CSR_ATTRS = "csrattrs"
    SERVER_KEYGEN = "serverkeygen"
    FULL_CMC = "fullcmc"


class KeyType(StrEnum):
    """The kinds of keys that a certificate may be asked for."""

    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"
    EC_P521 = "ec-p521"
    RSA = "rsa"
    ED25519 = "ed25519"
    ML_DSA_44 = "ml-dsa-44"
    ML_DSA_65 = "ml-dsa-65"
    ML_DSA_87 = "ml-dsa-87"


class KeyUsage(StrEnum):
    """The bits of the key usage extension (RFC 5280, 4.2.1.3), by their names there."""

    DIGITAL_SIGNATURE = "digitalSignature"
    NON_REPUDIATION = "nonRepudiation"
    KEY_ENCIPHERMENT = "keyEncipherment"
    DATA_ENCIPHERMENT = "dataEncipherment"
    KEY_AGREEMENT = "keyAgreement"
    KEY_CERT_SIGN = "keyCertSign"
    CRL_SIGN = "cRLSign"
    ENCIPHER_ONLY = "encipherOnly"
    DECIPHER_ONLY = "decipherOnly"


@dataclass(frozen=True, slots=True)
class BasicConstraints:
    """The basic constraints extension (RFC 5280, 4.2.1.9)."""

    ca: bool
    path_length: int | None


@dataclass(frozen=True, slots=True)
class NewNames:
    """What a ChangeSubjectName attribute asks for (RFC 6402, 2.8); None where it is silent."""

    subject: x509.Name | None
    alternative_names: tuple[x509.GeneralName, ...] | None


@dataclass(frozen=True, slots=True)
class KeyProtection:
    """How a server-generated key is to be wrapped for its owner (RFC 7030, 4.4.1)."""

    symmetric_key_id: bytes | None
    asymmetric_key_id: bytes | None
    algorithms: tuple[x509.ObjectIdentifier, ...]


@dataclass(frozen=True, slots=True)
class CertificationRequest:
    """A PKCS#10 request (RFC 2986), read once into what the house needs of it.

    `key_type` is None for a key of a kind that no profile can allow; `key_name` names it all the same. `common_name` is
    the last CN of the subject, or empty. `other_extensions` are requested extensions without a field of their own.
    """

    der: bytes = field(repr=False)
    subject: x509.Name
    common_name: str
    alternative_names: tuple[x509.GeneralName, ...]
    basic_constraints: BasicConstraints | None
    key_usage: frozenset[KeyUsage] | None
    extended_key_usage: tuple[x509.ObjectIdentifier, ...] | None
    other_extensions: tuple[x509.ObjectIdentifier, ...]
    challenge_password: str | None = field(repr=False)
    new_names: NewNames | None
    key_protection: KeyProtection | None
    public_key: CertificatePublicKeyTypes | None
    key_type: KeyType | None
    key_name: str
    key_bits: int
    signature_hash: str | None
    sha256: bytes
    spki: bytes
    spki_sha256: bytes

    @property
    def device(self) -> str:
        """The device id that this request is for: by its new names where it asks for some (RFC 6402, 2.8)."""
        wanted = self.new_names.subject if self.new_names else None
        return device_id(self.common_name if wanted is None else common_name_of(wanted))


class Method(StrEnum):
    """How somebody proved who they are; also the class of credential that first onboarded a name."""

    PASSWORD = "password"  # noqa: S105 -- a word of the model
    BOOTSTRAP = "bootstrap"
    CERTIFICATE = "certificate"
    OPERATOR = "operator"


class Combination(StrEnum):
    """Which credentials a label asks for (RFC 7030, 3.2.3 and 3.3.2)."""

    CERTIFICATE = "certificate"
    PASSWORD = "password"  # noqa: S105 -- a word of the model
    EITHER = "certificateOrPassword"
    BOTH = "certificateAndPassword"


class ChallengeUse(StrEnum):
    """What a challengePassword in a request means on a label."""

    VERIFY = "verify"
    ONE_TIME_CODE = "oneTimeCode"


@dataclass(frozen=True, slots=True)
class Label:
    """The rules of one EST path (RFC 7030, 3.2.2); `default` is the path without a label.

    `profile` pins what is issued; None lets the shape of the request choose. `linking` requires the channel binding in
    every request (RFC 7030, 3.5). `lenient` also takes PEM and raw DER bodies.
    """

    name: str
    profile: str | None = None
    combination: Combination = Combination.EITHER
    linking: bool = False
    challenge: ChallengeUse = ChallengeUse.VERIFY
    server_keygen: bool = False
    lenient: bool = True
    enforce_csr_attributes: bool = False
    approval: ApprovalRules = NO_APPROVAL


@dataclass(frozen=True, slots=True)
class ChannelBindings:
    """The values that a challengePassword may carry to link the request to its TLS session.

    `tls_unique` on TLS 1.2 (RFC 5929), `tls_exporter` on TLS 1.3 (RFC 9266); None where undefined.
    """

    tls_unique: bytes | None = None
    tls_exporter: bytes | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What came over the wire to say who is asking; nothing of it is believed yet but the TLS handshake.

    `certificate` proved possession of its key in the handshake, `chain` came beside it. `secret_bits` is the cipher's
    strength. `conveyed` is what headers tell of somebody else. The answer is due at the monotonic second `deadline`.
    """

    address: str
    certificate: x509.Certificate | None = None
    chain: tuple[x509.Certificate, ...] = ()
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    bindings: ChannelBindings = ChannelBindings()
    secret_bits: int = 0
    conveyed: Conveyance | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody may ask for: the device ids (patterns) and the profiles (`*` for every one).

    `within` is a second grant that must cover a request as well, where two credentials were asked for.
    """

    names: tuple[str, ...]
    profiles: frozenset[str]
    within: "Grant | None" = None


@dataclass(frozen=True, slots=True)
class Requester:
    """Somebody known.

    `name` tells an operator who it is: a user, an anchor and its subject, a device id. `caller` is the stable key of
    the credential, for replays and rates. `origin` is the class of credential that first onboarded this identity.
    `entry` is the ledger's row of a presented certificate of ours. `conveyance` is for the next hop, `forwarder` who
    conveyed the request to this one.
    """

    method: Method
    name: str
    caller: str
    grant: Grant
    origin: Method
    identity: str | None = None
    certificate: x509.Certificate | None = None
    entry: "Entry | None" = None
    one_time: "OneTime | None" = None
    conveyance: Conveyance | None = None
    forwarder: str | None = None

    @property
    def is_stated(self) -> bool:
        """Whether the word of a forwarder is all that tells who asks: everybody with that password is one caller."""
        return self.forwarder is not None and self.method is Method.PASSWORD


@dataclass(frozen=True, slots=True)
class OneTime:
    """A password that is spent per device id and profile; `key` names this password in the ledger."""

    key: str


class State(StrEnum):
    """What has become of a certificate."""

    ACTIVE = "active"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Entry:
    """One issued certificate, as the ledger keeps it.

    `device` is the device id (an Edge CA's prefix stripped), folded to lower case for comparison. `via` is the SHA-256
    of the certificate that authenticated the request, where one did. `adopted_at` is set where the ledger did not see
    the certificate issued, and was told of it later (design D23). `forwarder` tells who conveyed the request, and how.
    `issuer` is whose certificate it is (`naming.issuer_id`); empty where the ledger was not told.
    """

    serial: int
    sha256: bytes
    der: bytes
    device: str
    subject: str
    profile: str
    label: str
    not_before: datetime
    not_after: datetime
    issued_at: datetime
    method: Method
    requester: str
    origin: Method
    via: bytes | None
    address: str
    csr_sha256: bytes
    spki_sha256: bytes
    request_id: str
    state: State = State.ACTIVE
    revoked_at: datetime | None = None
    revocation_reason: str | None = None
    adopted_at: datetime | None = None
    forwarder: str | None = None
    issuer: bytes = b""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One request that was refused, as the ledger keeps it."""

    at: datetime
    address: str
    label: str
    operation: str
    method: Method | None
    requester: str
    subject: str
    reason: str
    sentence: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The key under which the same request gets the same certificate again, and for how long (design D6)."""

    key: bytes
    until: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger knows that bears on one request.

    `replay` is the certificate that this very request got a moment ago. `origin` is the class of credential that first
    onboarded the device id, while it has live certificates. `key_used` tells whether the public key has been certified
    before. `spent_at` is when the one-time password was first used for this device id and profile. `held` tells whether
    the device has a live certificate of the profile.
    """

    replay: Entry | None = None
    origin: Method | None = None
    key_used: bool = False
    spent_at: datetime | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class ProfileTraits:
    """What the gate must know of a profile to say who may have it.

    Its certificates may get those of `may_request` for their device. `entrusted`: no `*` covers it. Strengths are bits.
    """

    name: str
    ca: bool
    server: bool
    authenticates: bool
    renewable: bool
    may_request: frozenset[str]
    key_reuse: bool
    lifetime: timedelta
    server_key_strength: int
    entrusted: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What was weighed when a request was admitted, and must still hold when its certificate is recorded.

    `origin` is the only class of credential that may have onboarded the device; None where it does not matter.
    `fresh_key`: the key must not have been certified before. `approval` is the key of one that is used up.
    """

    origin: Method | None = None
    fresh_key: bool = False
    approval: bytes | None = None


NO_TERMS = Terms()
"""Nothing was weighed that another request could change."""


@dataclass(frozen=True, slots=True)
class Order:
    """A request that was admitted: what an Authority is to issue, and on which terms it may be recorded.

    `subject` and `alternative_names` are those admitted: of the request, or of its ChangeSubjectName attribute;
    `device` is whose they are. `conveyance`, `operation` and `replay_key` are for a server above.
    `needs_approval` until an operator has approved it.
    """

    csr: CertificationRequest
    profile: str
    device: str
    label: str
    terms: Terms
    subject: x509.Name
    alternative_names: tuple[x509.GeneralName, ...]
    conveyance: Conveyance | None = None
    operation: Operation = Operation.SIMPLE_ENROLL
    replay_key: bytes = field(default=b"", repr=False)
    needs_approval: bool = False


@dataclass(frozen=True, slots=True)
class Errand:
    """What the operator of this host asks for.

    `name` is the device that the certificate is to be for; None where the request alone says it. `by_key` tells that
    the key was made here: whatever request it signs is the same errand. `replace` asks for a certificate although the
    device has live ones of another key, or got them by another class of credential.
    """

    csr: CertificationRequest
    profile: str
    name: str | None = None
    alternative_names: tuple[x509.GeneralName, ...] = ()
    by_key: bool = False
    replace: bool = False
