"""Renewal: the same names go on (RFC 7030, 4.2.2; RFC 6402, 2.8). Pure.

aziot-certd renews through /simpleenroll, so the certificate presented tells a renewal as much as the path does.
"""

from nestor.access.case import Case
from nestor.errors import Forbidden
from nestor.est.names import same_alternative_names, same_name
from nestor.model import Method, Operation

_ENROLL = "Ask /simpleenroll, or present the certificate to be renewed."


def check_renewable(case: Case) -> None:
    """Only a certificate of ours can be renewed, and only if its profile allows it."""
    if case.operation is not Operation.SIMPLE_REENROLL:
        return
    entry = case.requester.entry
    if entry is None:
        what = "A password" if case.requester.method is Method.PASSWORD else "A factory certificate"
        raise Forbidden(f"{what} alone renews nothing: there is no certificate of this CA to be renewed.", _ENROLL)
    if entry.profile not in case.requester.grant.profiles:
        raise Forbidden(f"Certificates of the profile {entry.profile} are not renewed.", "Ask /simpleenroll.")


def check_same_subject(case: Case) -> None:
    """A renewal has the subject of what it renews; RFC 5280's comparison, so string types and case do not matter."""
    presented = case.requester.certificate
    elsewhere = case.operation is not Operation.SIMPLE_REENROLL and case.device != case.requester.identity
    if case.renewed is None or presented is None or elsewhere:
        return  # a request for another device on /simpleenroll is no renewal, and is refused as what it is
    if not same_name(case.csr.subject, presented.subject):
        raise Forbidden(
            f"A renewal keeps its subject: the certificate presented is {presented.subject.rfc4514_string()}, "
            f"the request is for {case.csr.subject.rfc4514_string()}.",
            "To change names, keep the old ones in the request and add a ChangeSubjectName attribute (RFC 6402).",
        )


def check_same_alternative_names(case: Case) -> None:
    """On /simplereenroll the alternative names are the same set; elsewhere others are for the grant to allow."""
    if case.operation is not Operation.SIMPLE_REENROLL:
        return
    if not same_alternative_names(case.csr.alternative_names, case.presented_names):
        raise Forbidden(
            "A renewal keeps its alternative names; those of the request differ from the certificate presented.",
            "Ask with exactly the same ones, or add a ChangeSubjectName attribute (RFC 6402).",
        )


def check_new_names(case: Case) -> None:
    """A ChangeSubjectName attribute that is silent removes what it does not name; nobody wants that by accident."""
    wanted = case.csr.new_names
    if wanted is None:
        return
    if wanted.subject is None:
        raise Forbidden("The ChangeSubjectName attribute names no subject, so the certificate would have none.")
    if wanted.alternative_names is None and case.csr.alternative_names:
        raise Forbidden("The ChangeSubjectName attribute would remove the alternative names.", "Repeat them in it.")
