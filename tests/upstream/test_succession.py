"""Another root above is taken only where the old one, or the operator, vouches for it."""

import pytest
from cryptography.hazmat.primitives.hashes import SHA256

from nestor.upstream.succession import OtherParent, check_succession
from support.signing import root

OLD, NEW = root("Plant Root"), root("Plant Root 2")
LINK = OLD.sign("Plant Root 2", key=NEW.key, ca=True)
CERTIFICATES = OLD.certificate, NEW.certificate


@pytest.mark.conformance("CL-7")
def test_the_same_root_and_one_that_the_old_one_signed_are_taken() -> None:
    check_succession(OLD.certificate, OLD.certificate, (), None)
    check_succession(*CERTIFICATES, (LINK.certificate,), None)


def test_another_root_is_refused_with_its_fingerprint_and_taken_on_the_operators_word() -> None:
    with pytest.raises(OtherParent, match=NEW.certificate.fingerprint(SHA256()).hex()) as refusal:
        check_succession(*CERTIFICATES, CERTIFICATES, None)
    assert "upstream.root" in refusal.value.hint
    check_succession(*CERTIFICATES, (), NEW.certificate.fingerprint(SHA256()))


def test_a_link_for_another_key_or_by_another_root_counts_for_nothing() -> None:
    other_key = OLD.sign("Plant Root 2", ca=True)
    other_root = root("Plant Root").sign("Plant Root 2", key=NEW.key, ca=True)
    with pytest.raises(OtherParent):
        check_succession(*CERTIFICATES, (other_key.certificate, other_root.certificate), None)


def test_a_device_of_the_old_root_with_the_name_of_the_new_one_links_nothing() -> None:
    device = OLD.sign("Plant Root 2", key=NEW.key)
    with pytest.raises(OtherParent):
        check_succession(*CERTIFICATES, (device.certificate,), None)
