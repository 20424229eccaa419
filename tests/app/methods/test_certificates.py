"""The ledger by direct methods: pages without a gap, one certificate, a revocation that counts at once."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from typing import Any

import pytest

from nestor.app.methods.desk import LARGEST
from nestor.events import Revoked
from nestor.ledger.revocations import FILE, read_revocations
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Entry, State
from support.companions import Module, module
from support.entries import an_entry

DAY = timedelta(days=1)


@pytest.fixture
async def beside(tmp_path: Path) -> AsyncIterator[Module]:
    async with module(tmp_path / "data") as beside:
        await beside.hub.connect(beside)
        yield beside


def ledger_of(beside: Module) -> SQLiteLedger:
    ledger = beside.server.ground.ledger
    assert isinstance(ledger, SQLiteLedger)
    return ledger


async def record(beside: Module, device: str = "pump-1", **changes: Any) -> Entry:
    now = beside.stage.clock.now()
    lived = {"not_before": now - DAY, "not_after": now + 30 * DAY, "issued_at": now} | changes
    return await ledger_of(beside).record(an_entry(device, **lived), replay=None, one_time=None)


async def listed(beside: Module, **wish: Any) -> list[dict[str, Any]]:
    """Everything that fits, over all pages."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = await beside.hub.invoke("listCertificates", wish | cursor)
        assert answer.status == 200, answer
        assert len(json.dumps(dict(answer.payload))) <= LARGEST
        found += answer.payload["certificates"]
        if "cursor" not in answer.payload:
            return found
        cursor = {"cursor": answer.payload["cursor"]}


async def test_two_thousand_certificates_are_listed_page_by_page_each_once_while_more_are_issued(
    beside: Module,
) -> None:
    before = [record(beside, f"pump-{number}") for number in range(2000)]
    serials = [f"{entry.serial:x}" for entry in await asyncio.gather(*before)]
    first = await beside.hub.invoke("listCertificates", {"device": "pump-*"})
    await record(beside, "pump-new")
    rest = await listed(beside, device="pump-*", cursor=first.payload["cursor"], limit=500)
    found = [one["serial"] for one in (*first.payload["certificates"], *rest)]
    assert found == serials[::-1]


async def test_long_names_make_short_pages_that_still_go_on(beside: Module) -> None:
    for number in range(40):
        await record(beside, f"{number}-" + "\U0001f600" * 800, subject="\x01" * 3000)
    found = await listed(beside, limit=500, profile="deviceIdentity")
    assert len({one["serial"] for one in found}) == 40


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ({}, ["edge", "revoked", "new", "old"]),
        ({"device": "re*"}, ["new", "old"]),
        ({"state": "active"}, ["edge", "new"]),
        ({"state": "superseded"}, ["old"]),
        ({"state": "revoked"}, ["revoked"]),
        ({"state": "expired"}, ["ended"]),
        ({"all": True}, ["edge", "revoked", "ended", "new", "old"]),
        ({"profile": "edgeCa"}, ["edge"]),
        ({"expiringIn": "3d"}, ["edge"]),
        ({"askedBy": "line2"}, ["edge"]),
    ],
)
async def test_a_list_is_filtered_as_the_command_does(beside: Module, wish: dict[str, Any], found: list[str]) -> None:
    now = beside.stage.clock.now()
    await record(beside, "renewed", label="old")
    await record(beside, "renewed", label="new")
    await record(beside, "ended", label="ended", not_after=now - timedelta(minutes=1))
    stolen = await record(beside, "stolen", label="revoked")
    await ledger_of(beside).revoke(stolen.sha256, "stolen", now)
    await record(beside, "gw3", label="edge", profile="edgeCa", requester="line2", not_after=now + 2 * DAY)
    told = [one["label"] for one in await listed(beside, **wish)]
    assert [label for label in told if label] == found  # the server's own certificate has none


async def test_a_certificate_is_found_by_serial_and_by_both_thumbprints(beside: Module) -> None:
    der = b"\x30\x82" + bytes(600)
    entry = await record(beside, der=der, sha256=hashlib.sha256(der).digest())
    sha1 = hashlib.sha1(der).hexdigest().upper()
    for wish in ({"serial": f"{entry.serial:x}"}, {"thumbprint": sha1}, {"thumbprint": entry.sha256.hex()}):
        answer = await beside.hub.invoke("getCertificate", wish)
        assert answer.status == 200
        assert answer.payload["serial"] == f"{entry.serial:x}"
        assert PEM_cert_to_DER_cert(str(answer.payload["pem"])) == der


async def test_a_certificate_that_is_not_there_is_not_found(beside: Module) -> None:
    for method in ("getCertificate", "revokeCertificate"):
        answer = await beside.hub.invoke(method, {"serial": "abcdef"})
        assert (answer.status, answer.payload["error"]) == (404, "The ledger has no certificate abcdef.")


async def test_a_serial_number_of_several_issuers_names_none_of_them(beside: Module) -> None:
    for issuer in ("one", "other"):
        await record(beside, f"pump-{issuer}", serial=0x17, issuer=issuer.encode())
    for method in ("getCertificate", "revokeCertificate"):
        answer = await beside.hub.invoke(method, {"serial": "17"})
        assert answer.status == 400
        assert str(answer.payload["error"]).startswith("serial: 2 certificates of several issuers")


async def test_a_revocation_counts_at_once_and_is_recorded_with_the_way_it_came(beside: Module) -> None:
    entry = await record(beside)
    answer = await beside.hub.invoke("revokeCertificate", {"serial": f"{entry.serial:x}", "reason": "stolen"})
    assert answer.status == 200
    assert (answer.payload["state"], answer.payload["reason"]) == ("revoked", "stolen")
    assert answer.payload["alreadyRevoked"] is False
    found = await ledger_of(beside).find(entry.sha256)
    assert found
    assert found.state is State.REVOKED
    assert [line.sha256 for line in read_revocations(beside.stage.data / FILE)] == [entry.sha256]
    (event,) = [told for told in beside.stage.told if isinstance(told, Revoked)]
    assert (event.entry.serial, event.by) == (entry.serial, "direct method")


async def test_a_second_revocation_changes_nothing_and_says_so(beside: Module) -> None:
    entry = await record(beside)
    wish = {"serial": f"{entry.serial:x}"}
    await beside.hub.invoke("revokeCertificate", wish | {"reason": "stolen"})
    answer = await beside.hub.invoke("revokeCertificate", wish | {"reason": "lost"})
    assert (answer.payload["alreadyRevoked"], answer.payload["reason"]) == (True, "stolen")
    assert len([told for told in beside.stage.told if isinstance(told, Revoked)]) == 1


async def test_many_revocations_at_one_time_are_each_told_once(beside: Module) -> None:
    entries = [await record(beside, f"pump-{number}") for number in range(8)]
    calls = [beside.hub.invoke("revokeCertificate", {"serial": f"{entry.serial:x}"}) for entry in entries]
    assert [answer.status for answer in await asyncio.gather(*calls)] == [200] * 8
    told = [event for event in beside.stage.told if isinstance(event, Revoked)]
    assert sorted(event.entry.serial for event in told) == sorted(entry.serial for entry in entries)
    assert {event.by for event in told} == {"direct method"}
