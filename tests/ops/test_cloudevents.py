"""CloudEvents of what happened: the attributes that the specification asks for, by documented types, no secrets."""

import dataclasses
import json
from datetime import UTC, datetime

from nestor.approval import ApprovalState
from nestor.events import ApprovalAsked, ApprovalDecided, Enrolled, Note, Refused, Revoked
from nestor.model import State
from nestor.ops.cloudevents import batch, cloud_event, dropped_event, encoded
from support.awaiting import an_approval
from support.entries import NOON, a_refusal, an_entry

SOURCE = "/devices/gw3/modules/nestor"


def test_an_issued_certificate_is_an_event_with_all_that_the_specification_asks_for() -> None:
    entry = an_entry("pump-1")
    assert cloud_event(Enrolled(entry, replayed=False), SOURCE) == {
        "specversion": "1.0",
        "id": f"issued-{entry.serial:x}",
        "source": SOURCE,
        "type": "nestor.certificate.issued",
        "subject": "pump-1",
        "time": "2026-05-04T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "device": "pump-1",
            "profile": "deviceIdentity",
            "subject": "CN=pump-1",
            "serial": f"{entry.serial:x}",
            "fingerprint": entry.sha256.hex(),
            "expires": "2026-06-03T12:00:00Z",
            "askedBy": "line1",
            "method": "password",
            "label": "default",
        },
    }


def test_the_same_certificate_handed_out_again_is_no_event() -> None:
    assert cloud_event(Enrolled(an_entry(), replayed=True), SOURCE) is None


def test_a_refusal_says_who_asked_for_what_and_why_not() -> None:
    refusal = a_refusal()
    told = cloud_event(Refused(refusal), SOURCE)
    assert told
    assert (told["type"], told["id"]) == ("nestor.certificate.refused", f"refused-{refusal.request_id}")
    assert told["data"]["sentence"] == refusal.sentence


def test_a_revocation_says_why_and_on_what_way() -> None:
    entry = dataclasses.replace(an_entry(), state=State.REVOKED, revoked_at=NOON, revocation_reason="stolen")
    told = cloud_event(Revoked(entry, "direct method"), SOURCE)
    assert told
    assert told["type"] == "nestor.certificate.revoked"
    assert (told["data"]["reason"], told["data"]["revokedBy"]) == ("stolen", "direct method")


def test_who_asks_for_approval_is_told_and_what_was_said_of_it_by_whom() -> None:
    asked = an_approval(takes_over_from="bootstrap")
    told = cloud_event(ApprovalAsked(asked), SOURCE)
    assert told
    assert (told["type"], told["id"], told["subject"]) == ("nestor.approval.asked", f"asked-{asked.id}", "pump-1")
    assert (told["data"]["key"], told["data"]["takesOverFrom"]) == (asked.spki_sha256.hex(), "bootstrap")
    assert "password:line1" not in json.dumps(told)
    ids = set()
    for state, kind in ((ApprovalState.APPROVED, "approved"), (ApprovalState.USED, "approved"), ("denied", "denied")):
        said = dataclasses.replace(asked, state=ApprovalState(state), decided_at=NOON, decided_by="Maria")
        told = cloud_event(ApprovalDecided(said), SOURCE)
        assert told
        assert (told["type"], told["data"]["decidedBy"]) == (f"nestor.approval.{kind}", "Maria")
        ids.add(told["id"])
    assert len(ids) == 2


def test_what_is_not_about_a_certificate_is_no_event() -> None:
    assert cloud_event(Note("stopping", "Finishing what is being served."), SOURCE) is None


def test_a_batch_is_an_array() -> None:
    one = dropped_event(3, SOURCE, datetime(2026, 5, 4, tzinfo=UTC))
    assert json.loads(batch([encoded(one), encoded(one)])) == [one, one]
