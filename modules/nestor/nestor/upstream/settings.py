"""What the document says of the EST server of the layer above. No behavior: `app/upstream.py` reads what it names."""

from enum import StrEnum

from pydantic import Field

from nestor.document import Document, FileReference, SecretReference, described

PLAIN = "default"
"""How a map of labels names the path without one."""


class Reenrollment(StrEnum):
    """On which operation a renewal goes up."""

    REENROLL = "reenroll"
    ENROLL = "enroll"


class OwnIdentitySettings(Document):
    """The client certificate that this server enrolls from the parent for itself, and renews by itself."""

    name: str | None = described(
        "The name under which the parent knows this server. Left out, it shows the certificate that is named above.",
        None,
        examples=["layer2"],
    )
    label: str | None = described(
        "The parent's label that gives it: one for the profile forwarder, where requests are passed on. Left out, the "
        "path without a label.",
        None,
        examples=["forwarder"],
    )


class UpstreamSettings(Document):
    """The EST server of the layer above: where it is, why it is believed, how this server shows itself there."""

    url: str | None = described(
        "Its base URL, without a label. Left out, there is no layer above.",
        None,
        examples=["https://parent.plant.example:8085/.well-known/est"],
    )
    anchors: FileReference | None = described(
        "The CA certificates that its TLS certificate has to come from, as PEM; no others are believed.",
        None,
        examples=["file:parent-ca.pem"],
    )
    fingerprint: str | None = described(
        "Instead of anchors: the SHA-256 of one CA certificate that it shows, in hex. It is fetched once, and kept.",
        None,
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    certificate: FileReference | None = described(
        "The client certificate that this server shows there, its chain behind it, as PEM.",
        None,
        examples=["file:forwarder.pem"],
    )
    key: FileReference | None = described(
        "The private key of that certificate.", None, examples=["file:forwarder-key.pem"]
    )
    leaf_only: bool = described(
        "Show the client certificate without its chain, for servers that take exactly one.", default=False
    )
    identity: OwnIdentitySettings = described(
        "A client certificate of this server's own; then certificate, key, user and password are needed for the first "
        "one, and where one has expired.",
        default_factory=lambda: OwnIdentitySettings.model_validate({}),
    )
    user: str | None = described("The user name for servers that know this one by password.", None, examples=["line3"])
    password: SecretReference | None = described("Its password.", None, examples=["file:parent.password"])
    labels: dict[str, str] = Field(
        default_factory=lambda: {PLAIN: PLAIN},
        description="Which label of the parent a label here is forwarded to; `default` is the path without one. "
        "What is not in this map is not forwarded.",
        examples=[{"default": "line1", "edge-ca": "edge-ca"}],
    )
    conveys: bool = described(
        "Tell the parent who asked (Client-Cert and what belongs to it). A Nestor wants it, foreign servers do not.",
        default=True,
    )
    reenroll_as: Reenrollment = described(
        "How renewals are sent up: reenroll, or enroll for servers that would compare them with this server's own "
        "certificate.",
        Reenrollment.REENROLL,
        strict=False,
    )
    accept_created: bool = described("Take 201 for 200.", default=False)
    root: str | None = described(
        "The SHA-256 of the parent's new root, in hex, approved by you. Needed only where a root came that the old one "
        "does not vouch for.",
        None,
        examples=["60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"],
    )
    proxy: str | None = described(
        "An HTTP proxy that is asked for a tunnel (CONNECT).", None, examples=["http://proxy.plant.example:3128"]
    )
