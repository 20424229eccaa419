"""One request as the rules see it: who, what, under which names; and the names it would be issued with. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from nestor.access.certificates import alternative_names_of
from nestor.access.names import names_of
from nestor.model import CertificationRequest, Entry, Operation, ProfileTraits, Requester, Standing
from nestor.naming import common_name_of, device_id


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that bears on one decision.

    `subject`, `alternative_names` and `device` are those wanted; `former_device` is that of the request's own subject,
    which differs only where a ChangeSubjectName attribute asks for new names.
    """

    requester: Requester
    csr: CertificationRequest
    profile: ProfileTraits
    operation: Operation
    standing: Standing
    now: datetime
    subject: x509.Name
    alternative_names: tuple[x509.GeneralName, ...]

    @property
    def common_name(self) -> str:
        """The last common name of the wanted subject."""
        return self.csr.common_name if self.subject is self.csr.subject else common_name_of(self.subject)

    @property
    def device(self) -> str:
        """The device that the certificate would belong to."""
        return device_id(self.common_name)

    @property
    def former_device(self) -> str:
        """The device that the request names as its own."""
        return device_id(self.csr.common_name)

    @property
    def renewed(self) -> Entry | None:
        """The certificate of ours that this request renews: by its path, or by asking for the same profile again."""
        entry = self.requester.entry
        if entry is not None and (self.operation is Operation.SIMPLE_REENROLL or self.profile.name == entry.profile):
            return entry
        return None

    @property
    def presented_names(self) -> Sequence[x509.GeneralName]:
        """The alternative names of the presented certificate."""
        certificate = self.requester.certificate
        return alternative_names_of(certificate) if certificate else ()


def open_case(
    *,
    requester: Requester,
    csr: CertificationRequest,
    profile: ProfileTraits,
    operation: Operation,
    standing: Standing,
    now: datetime,
) -> Case:
    """Put a case together. A renewal on /simpleenroll keeps the alternative names that its request leaves out."""
    subject, names = names_of(csr)
    case = Case(requester, csr, profile, operation, standing, now, subject, tuple(names))
    return replace(case, alternative_names=tuple(case.presented_names)) if _keeps_names(case) else case


def _keeps_names(case: Case) -> bool:
    silent = case.csr.new_names is None and not case.csr.alternative_names
    return silent and case.renewed is not None and case.operation is not Operation.SIMPLE_REENROLL
