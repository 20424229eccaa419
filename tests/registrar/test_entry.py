"""The entry of a certificate says what the order and its requester were."""

import hashlib
from dataclasses import replace

from cryptography.hazmat.primitives.serialization import Encoding

from nestor.registrar.entry import entry_of
from support.asking import NOW, entry, password_requester
from support.issuing import asked_for, issue, order


def test_an_entry_tells_the_certificate_and_who_asked_for_it() -> None:
    certificate, wanted = issue("deviceIdentity"), order(asked_for("deviceIdentity"))
    presented = entry(b"presented", "dev1")
    requester = replace(password_requester(), entry=presented)
    made = entry_of(
        certificate, order=wanted, requester=requester, spki_sha256=b"k", now=NOW, address="a", request_id="r"
    )
    der = certificate.public_bytes(Encoding.DER)
    assert (made.der, made.sha256, made.serial) == (der, hashlib.sha256(der).digest(), certificate.serial_number)
    assert (made.device, made.profile, made.label) == ("dev1", "deviceIdentity", "default")
    assert (made.method, made.requester, made.via) == (requester.method, requester.name, presented.sha256)
    assert (made.address, made.request_id, made.spki_sha256, made.csr_sha256) == ("a", "r", b"k", wanted.csr.sha256)
