"""The CA by direct methods: all that DPS and IoT Hub want, and nothing of the key."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from nestor.app.closed import ClosedAuthority
from nestor.ca.issuer import fingerprint_of
from nestor.errors import MaterialError
from nestor.ledger.sqlite import SQLiteLedger
from support.companions import Module, module

CODE = "106A5SD242AF512B3498BD6098C4941E66R34H268DDB3288"


@pytest.fixture
async def beside(tmp_path: Path) -> AsyncIterator[Module]:
    async with module(tmp_path / "data") as beside:
        await beside.hub.connect(beside)
        yield beside


async def test_the_certificates_are_handed_out_with_what_portals_show(beside: Module) -> None:
    answer = await beside.hub.invoke("getCaCertificates")
    (root,) = beside.server.house.authority.ca_certificates()
    assert answer.status == 200
    (shown,) = answer.payload["certificates"]
    assert x509.load_pem_x509_certificate(shown["pem"].encode()) == root
    assert (shown["fingerprint"], shown["root"]) == (fingerprint_of(root), True)
    assert x509.load_pem_x509_certificates(str(answer.payload["chain"]).encode()) == [root]
    assert "PRIVATE" not in str(answer.payload)


async def test_possession_is_proven_by_a_certificate_of_that_name_that_the_ledger_has(beside: Module) -> None:
    answer = await beside.hub.invoke("proveCa", {"code": CODE})
    assert answer.status == 200
    proof = x509.load_pem_x509_certificate(str(answer.payload["pem"]).encode())
    (root,) = beside.server.house.authority.ca_certificates()
    proof.verify_directly_issued_by(root)
    assert proof.subject.rfc4514_string() == f"CN={CODE}"
    ledger = beside.server.ground.ledger
    assert isinstance(ledger, SQLiteLedger)
    (entry,) = await ledger.certificates_of_serial(proof.serial_number)
    assert entry.profile == "proofOfPossession"
    assert f"{entry.serial:x}" == answer.payload["serial"]


async def test_a_lost_ca_shows_what_it_last_had_and_proves_nothing(beside: Module) -> None:
    house = beside.server.house
    lost = ClosedAuthority(MaterialError("The CA's key is gone.", "Restore it."), house.authority.ca_certificates())
    beside.server._house = replace(house, authority=lost)
    assert (await beside.hub.invoke("getCaCertificates")).status == 200
    answer = await beside.hub.invoke("proveCa", {"code": CODE})
    assert (answer.status, answer.payload["error"]) == (503, "The CA's key is gone. Restore it.")


async def test_without_any_ca_it_is_said_why(beside: Module) -> None:
    waiting = ClosedAuthority(MaterialError("It waits for settings."), ())
    beside.server._house = replace(beside.server.house, authority=waiting)
    answer = await beside.hub.invoke("getCaCertificates")
    assert (answer.status, answer.payload["error"]) == (503, "It waits for settings.")
