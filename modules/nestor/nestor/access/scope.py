"""For whom a forwarder may speak, and how it is said of one that it may not. Pure."""

from dataclasses import dataclass

from nestor.errors import Forbidden
from nestor.model import Grant

OWN = "own"
"""What the settings call the CA of this server among the issuers of conveyed certificates; others are makers."""

EVERY = "*"


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom a forwarder may speak: on which labels, for which names and profiles, by whose certificates.

    `statements`: whether its word that somebody asked by a password counts.
    """

    labels: tuple[str, ...]
    grant: Grant
    issuers: frozenset[str]
    statements: bool

    def takes(self, issuer: str) -> bool:
        """Whether certificates of an issuer may be conveyed: OWN, or the name of a maker."""
        return not self.issuers.isdisjoint({issuer, EVERY})


def beyond(forwarder: str | None, what: str, key: str) -> Forbidden:
    """The refusal of what a forwarder may not, and the key of its settings that would allow it."""
    return Forbidden(
        f"The forwarder {forwarder} {what} here.", f"The operator may allow it: access.forwarders.{forwarder}.{key}."
    )
