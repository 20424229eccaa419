"""What the document says of EST paths: one entry per label, `default` for the path without one; and of approvals."""

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from nestor.approval import ApprovalAnswer, ApprovalScope
from nestor.document import Document, Duration, FileReference, described
from nestor.model import ChallengeUse, Combination

DEFAULT = "default"


class AuthorityKind(StrEnum):
    """What answers an enrollment."""

    LOCAL = "local"
    UPSTREAM = "upstream"


class AuthoritySettings(Document):
    """What answers enrollments, where a label does not say otherwise."""

    kind: AuthorityKind = described(
        "local: the CA of this server. upstream: the EST server of the layer above, which this one forwards to.",
        AuthorityKind.LOCAL,
        strict=False,
    )


class KeyGenerationSettings(Document):
    """Whether the server makes keys on this path (RFC 7030, 4.4), and with what it may wrap them."""

    enabled: bool = described("Answer /serverkeygen here. Keys that never leave their device are safer.", default=False)
    key_encryption_keys: dict[str, FileReference] = described(
        "Keys shared with devices, by the identifier that a request names (RFC 7030, 4.4.1.1): 16, 24 or 32 raw bytes.",
        default_factory=dict,
        examples=[{"line1": "file:line1.kek"}],
    )


class LabelSettings(Document):
    """The rules of one EST path (RFC 7030, 3.2.2)."""

    profile: str | None = described(
        "Issue this profile only. Left out, the shape of the request chooses.",
        default=None,
        examples=["deviceIdentity"],
    )
    authority: AuthorityKind | None = described(
        "What answers on this path: local or upstream. Left out, what authority.kind says.",
        default=None,
        strict=False,
        examples=["local"],
    )
    authentication: Combination = described(
        "Which credentials count: certificate, password, certificateOrPassword or certificateAndPassword.",
        default=Combination.EITHER,
        strict=False,
    )
    linking: bool = described(
        "Refuse requests that do not carry the binding of their TLS session (RFC 7030, 3.5).", default=False
    )
    challenge_password: ChallengeUse = described(
        "What a challengePassword is: verify (the TLS binding) or oneTimeCode (a password of the device).",
        default=ChallengeUse.VERIFY,
        strict=False,
    )
    lenient_body: bool = described("Also take PEM and raw DER where base64 belongs.", default=True)
    enforce_csr_attributes: bool = described("Refuse requests that ignore what /csrattrs asks for.", default=False)
    approval: ApprovalAnswer = described(
        "Whether an operator has to approve a request first, and what is answered until then: none, retry (a failure,"
        " after which aziot-certd tries again) or accepted (202, for clients that repeat the same request).",
        default=ApprovalAnswer.NONE,
        strict=False,
    )
    approval_for: ApprovalScope = described(
        "What has to be approved: newDevices (who shows no certificate of this CA), newProfiles (also a profile that"
        " the device has no live certificate of) or everything (renewals too).",
        default=ApprovalScope.NEW_PROFILES,
        strict=False,
    )
    reonboarding: bool = described(
        "Let another kind of credential have a name that is live, once that is approved; else it is refused.",
        default=False,
    )
    server_key_generation: KeyGenerationSettings = Field(
        default_factory=lambda: KeyGenerationSettings.model_validate({}),
        description="Server-side key generation, off by default (RFC 7030, section 6).",
    )


class ApprovalSettings(Document):
    """What waits for an operator's word, on every path that asks for it."""

    waits_for: Duration = described(
        "How long a request is kept after it was last tried, and how long a denial holds.", timedelta(hours=1)
    )
    good_for: Duration = described("How long an approval is good for its one certificate.", timedelta(days=1))
    per_credential: int = described("How many requests of one credential may wait.", 100, ge=1, le=10_000)
    in_all: int = described("How many requests may wait.", 1000, ge=1, le=10_000)
