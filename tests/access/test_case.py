"""One request as the rules see it: whose device it is for, and under which names."""

from cryptography import x509

from nestor.access.case import Case, open_case
from nestor.model import NewNames, Operation, Requester
from support.asking import FRESH, NOW, csr, entry, password_requester, subject, traits
from support.signing import CLIENT, root

NAMES = (x509.DNSName("dev1"),)
SIGNED = root("Nestor CA").sign("dev1", extensions=[CLIENT, x509.SubjectAlternativeName(NAMES)])
OWN = password_requester("dev1", certificate=SIGNED.certificate, entry=entry(SIGNED.der, "dev1", "estIdentity"))


def case(
    requester: Requester = OWN,
    profile: str = "estIdentity",
    operation: Operation = Operation.SIMPLE_ENROLL,
    new_names: NewNames | None = None,
) -> Case:
    return open_case(
        requester=requester,
        csr=csr("aziot-edge CA Dev1", new_names=new_names),
        profile=traits(profile),
        operation=operation,
        standing=FRESH,
        now=NOW,
    )


def test_the_device_is_that_of_the_wanted_subject() -> None:
    assert (case().device, case().former_device) == ("dev1", "dev1")
    renamed = case(new_names=NewNames(subject("DEV2"), None))
    assert (renamed.device, renamed.former_device, renamed.common_name) == ("dev2", "dev1", "DEV2")


def test_a_renewal_is_told_by_its_path_or_by_its_profile() -> None:
    assert case().renewed == OWN.entry
    assert case(profile="deviceIdentity").renewed is None
    assert case(profile="deviceIdentity", operation=Operation.SIMPLE_REENROLL).renewed == OWN.entry
    assert case(requester=password_requester("dev1")).renewed is None


def test_only_a_renewal_through_simpleenroll_keeps_names_that_it_leaves_out() -> None:
    assert case().alternative_names == NAMES
    assert case(profile="deviceIdentity").alternative_names == ()
    assert case(operation=Operation.SIMPLE_REENROLL).alternative_names == ()
    assert case(new_names=NewNames(subject("dev1"), None)).alternative_names == ()
