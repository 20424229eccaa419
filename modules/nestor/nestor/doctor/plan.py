"""What is to be looked at, with which credentials, and how far to go."""

from dataclasses import dataclass

from cryptography import x509

from nestor.doctor.address import Address
from nestor.doctor.itself import NOWHERE, Here
from nestor.doctor.seen import STRANGER, Credential, Place

USUAL_PATIENCE = 30.0
"""Seconds to wait for an answer: as long as those wait who ask aziot-certd for a certificate."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A visit before it is made.

    `anchors` are the device's trusted_certs, None for the store of this machine. `device` is the id to enroll, None to
    have nothing issued; `edge_ca` has an Edge CA issued as well. `patience` is in seconds, for each answer; `here` says
    where the doctor runs; `operations` is the operations port of the server, where that is this machine's own.
    """

    address: Address
    anchors: tuple[x509.Certificate, ...] | None = None
    credential: Credential = STRANGER
    device: str | None = None
    edge_ca: bool = False
    patience: float = USUAL_PATIENCE
    operations: Place | None = None
    here: Here = NOWHERE
