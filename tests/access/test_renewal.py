"""What `test_policy.py` cannot see from outside: that each rule of renewal holds by itself."""

import pytest
from cryptography import x509

from nestor.access.case import Case, open_case
from nestor.access.renewal import check_new_names, check_renewable, check_same_alternative_names, check_same_subject
from nestor.errors import Forbidden
from nestor.model import CertificationRequest, Method, NewNames, Operation, Requester
from support.asking import FRESH, NOW, csr, entry, password_requester, subject, traits
from support.signing import CLIENT, root

NAMES = (x509.DNSName("dev1"),)
SIGNED = root("Nestor CA").sign("dev1", extensions=[CLIENT, x509.SubjectAlternativeName(NAMES)])
OWN = password_requester(
    "dev1",
    method=Method.CERTIFICATE,
    certificate=SIGNED.certificate,
    entry=entry(SIGNED.der, "dev1", "estIdentity"),
    profiles=("estIdentity",),
)


def reenroll(request: CertificationRequest, requester: Requester = OWN) -> Case:
    return open_case(
        requester=requester,
        csr=request,
        profile=traits("estIdentity"),
        operation=Operation.SIMPLE_REENROLL,
        standing=FRESH,
        now=NOW,
    )


def test_the_same_again_is_a_renewal() -> None:
    case = reenroll(csr("dev1", alternative_names=NAMES))
    check_renewable(case)
    check_same_subject(case)
    check_same_alternative_names(case)
    check_new_names(case)


def test_each_rule_refuses_by_itself() -> None:
    with pytest.raises(Forbidden, match="password alone"):
        check_renewable(reenroll(csr("dev1"), password_requester("dev1")))
    with pytest.raises(Forbidden, match="keeps its subject"):
        check_same_subject(reenroll(csr("dev2", alternative_names=NAMES)))
    with pytest.raises(Forbidden, match="keeps its alternative names"):
        check_same_alternative_names(reenroll(csr("dev1")))
    with pytest.raises(Forbidden, match="names no subject"):
        check_new_names(reenroll(csr("dev1", new_names=NewNames(None, NAMES))))


def test_the_hint_tells_how_names_change() -> None:
    with pytest.raises(Forbidden) as caught:
        check_same_subject(reenroll(csr("dev1", name=subject("dev1", ORGANIZATION_NAME="x"))))
    assert "ChangeSubjectName" in caught.value.hint
