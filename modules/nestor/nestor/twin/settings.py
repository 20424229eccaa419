"""What the document says of the module twin. No behavior."""

from datetime import timedelta
from enum import StrEnum

from nestor.document import Document, Duration, Words, described

EVERYTHING = "all"


class Power(StrEnum):
    """What a twin may be let to widen; docs/reference/twin.md tells which keys each of them covers."""

    CA = "ca"
    ANCHORS = "anchors"
    GATEWAYS = "gateways"
    FILES = "files"
    LIFETIMES = "lifetimes"
    FLOORS = "floors"
    TOKEN = "token"  # noqa: S105 -- the name of a power


class TwinSettings(Document):
    """What the module twin may widen. Only the host says so; the twin itself never may (design D10)."""

    may: Words = described(
        "What the twin may widen: ca, anchors, gateways, files, lifetimes, floors, token; all for "
        "everything. Nothing by default.",
        (),
        examples=["gateways, anchors"],
    )
    names: Words = described(
        "Device ids, as patterns, that the twin may let users, makers and gateways have. Left out, none but their own.",
        (),
        examples=["line1-*"],
    )
    directories: Words = described(
        "Directories whose files the twin may name, beside the data directory.", ("/run/secrets",)
    )


class ReportingSettings(Document):
    """What is told to the cloud, and how often."""

    interval: Duration = described("At most one report of statistics in this time.", timedelta(seconds=60))
    telemetry: bool = described(
        "Send one message for every certificate issued, refused or revoked, on the output `events`.", default=False
    )
