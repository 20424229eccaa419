"""Every direct method by its name."""

from collections.abc import Mapping

from nestor.app.methods.approvals import (
    Approve,
    Decision,
    Deny,
    ListPending,
    WaitingPage,
    approve,
    deny,
    list_pending,
)
from nestor.app.methods.authority import CaCertificates, Proof, ProveCa, get_ca_certificates, prove_ca
from nestor.app.methods.certificates import (
    GetCertificate,
    ListCertificates,
    RevokeCertificate,
    get_certificate,
    list_certificates,
    revoke_certificate,
)
from nestor.app.methods.form import Method, Nothing
from nestor.app.methods.record import CertificateWithPem, Page, RevokedCertificate
from nestor.app.methods.status import get_status
from nestor.app.status import Status

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method("getStatus", Nothing, Status, get_status),
        Method("getCaCertificates", Nothing, CaCertificates, get_ca_certificates),
        Method("proveCa", ProveCa, Proof, prove_ca, changes=True),
        Method("listCertificates", ListCertificates, Page, list_certificates),
        Method("getCertificate", GetCertificate, CertificateWithPem, get_certificate),
        Method("revokeCertificate", RevokeCertificate, RevokedCertificate, revoke_certificate, changes=True),
        Method("listPending", ListPending, WaitingPage, list_pending),
        Method("approve", Approve, Decision, approve, changes=True),
        Method("deny", Deny, Decision, deny, changes=True),
    )
}
