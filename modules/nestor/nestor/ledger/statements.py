"""Every fixed question and change that the ledger puts to its database, written in SQLAlchemy Core.

Compiled once, when imported, into text for the driver: building SQL for each request would cost more than running it.
"""

from typing import Any

from sqlalchemy import ClauseElement, Table, case, delete, exists, func, literal, literal_column, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert

from nestor.approval import ApprovalState
from nestor.ledger.schema import (
    adoptions,
    approvals,
    certificates,
    counters,
    encodings,
    facts,
    intents,
    one_time_uses,
    refusals,
    replays,
)
from nestor.ledger.statistics import OVERDUE
from nestor.model import State

DIALECT = sqlite.dialect(paramstyle="named")


def _sql(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


def _given(name: str) -> Any:
    """A value that comes with the question."""
    return literal_column(f":{name}")


def _row(table: Table, *, without: str = "") -> dict[str, Any]:
    return {column.name: _given(column.name) for column in table.columns if column.name != without}


_certificate = certificates.c
_unrevoked = _certificate.state != State.REVOKED.value
_live = (_certificate.device == _given("device")) & (_certificate.not_after > _given("now")) & _unrevoked

entries = select(certificates, encodings.c.der).join(encodings)
"""Whole entries, in the order of columns that `rows.read_entry` takes."""

BY_ID = _sql(entries.where(_certificate.id == _given("id")))
BY_SERIAL = _sql(entries.where(_certificate.serial == _given("serial")).order_by(_certificate.id))
BY_SHA256 = _sql(entries.where(_certificate.sha256 == _given("sha256")))
BY_KEY = _sql(entries.where(_certificate.spki_sha256 == _given("spki_sha256")).order_by(_certificate.id))
LIVE = _sql(entries.where(_live).order_by(_certificate.id))
NEWEST = _sql(entries.order_by(_certificate.id.desc()).limit(_given("limit")))

_OUT_OF_ORDER = 60
"""Seconds by which requests of one moment may be recorded in another order than they came."""

_replay = (
    select(replays.c.certificate_id)
    .join(certificates)
    .where(
        replays.c.key == _given("replay_key"),
        replays.c.until > _given("now"),
        # By a clock that was ahead: once that is put right, the window must not last until its time has come.
        _certificate.issued_at <= _given("now") + literal(_OUT_OF_ORDER),
        _unrevoked,
    )
)
_first_origin = select(_certificate.origin).where(_live).order_by(_certificate.id).limit(1)
_key_used = exists().where(_certificate.spki_sha256 == _given("spki_sha256"))
_spent_at = select(one_time_uses.c.used_at).where(
    one_time_uses.c.key == _given("one_time"),
    one_time_uses.c.device == _given("device"),
    one_time_uses.c.profile == _given("profile"),
)

LAST_SPENT = _sql(select(func.max(one_time_uses.c.used_at)).where(one_time_uses.c.key == _given("one_time")))

_held = exists().where(_live, _certificate.profile == _given("profile"))

REPLAY = _sql(_replay)
FIRST_ORIGIN = _sql(_first_origin)
KEY_USED = _sql(select(_key_used))
STANDING = _sql(
    select(_replay.scalar_subquery(), _first_origin.scalar_subquery(), _key_used, _spent_at.scalar_subquery(), _held)
)
"""What bears on one request, in one reading: replay id, origin, whether the key was used, when the password was,
whether the device has the profile."""

SUPERSEDE = _sql(
    update(certificates)
    .where(
        _certificate.device == _given("device"),
        _certificate.profile == _given("profile"),
        _certificate.not_after > _given("issued_at"),
        _certificate.state == State.ACTIVE.value,
    )
    .values(state=State.SUPERSEDED.value)
)
_sibling = (_certificate.device == _given("device")) & (_certificate.profile == _given("profile"))
SUPERSEDE_OLDER = _sql(
    update(certificates)
    .where(
        _sibling,
        _certificate.not_before <= _given("not_before"),
        _certificate.not_after > _given("not_before"),
        _certificate.state == State.ACTIVE.value,
    )
    .values(state=State.SUPERSEDED.value)
)
HAS_NEWER = _sql(
    select(
        exists().where(
            _sibling,
            _certificate.not_before > _given("not_before"),
            _certificate.not_before < _given("not_after"),
            _unrevoked,
        )
    )
)
ADD_CERTIFICATE = _sql(insert(certificates).values(_row(certificates, without="id")))
ADD_ENCODING = _sql(insert(encodings).values(_row(encodings)).inline())
SPEND = _sql(insert(one_time_uses).values(_row(one_time_uses)).on_conflict_do_nothing().inline())
REVOKE = _sql(
    update(certificates)
    .where(_certificate.sha256 == _given("sha256"), _unrevoked)
    .values(state=State.REVOKED.value, revoked_at=_given("revoked_at"), revocation_reason=_given("revocation_reason"))
)

ADD_ADOPTION = _sql(insert(adoptions).values(_row(adoptions, without="id")))
END_ADOPTIONS = _sql(
    update(adoptions)
    .where(adoptions.c.ended_at.is_(None), adoptions.c.ends_at > _given("now"))
    .values(ended_at=_given("now"))
)
ADOPTIONS = _sql(select(adoptions).order_by(adoptions.c.id))

_put_replay = insert(replays).values(_row(replays)).inline()
PUT_REPLAY = _sql(
    _put_replay.on_conflict_do_update(
        index_elements=[replays.c.key],
        set_={"certificate_id": _put_replay.excluded.certificate_id, "until": _put_replay.excluded.until},
    )
)
FORGET_REPLAYS = _sql(delete(replays).where(replays.c.until <= _given("now")))

_put_intent = insert(intents).values(_row(intents)).inline()
PUT_INTENT = _sql(
    _put_intent.on_conflict_do_update(index_elements=[intents.c.key], set_={"sent_at": _put_intent.excluded.sent_at})
)
DROP_INTENT = _sql(delete(intents).where(intents.c.key == _given("key")))
FORGET_INTENTS = _sql(delete(intents).where(intents.c.sent_at < _given("before")))
INTENTS = _sql(select(intents).order_by(intents.c.sent_at))

ADD_REFUSAL = _sql(insert(refusals).values(_row(refusals, without="id")))
DROP_REFUSALS = _sql(
    delete(refusals).where(refusals.c.id <= select(func.max(refusals.c.id)).scalar_subquery() - _given("kept"))
)
REFUSALS = _sql(select(refusals).order_by(refusals.c.id.desc()).limit(_given("limit")))

_approval = approvals.c
_in_force = (_approval.until > _given("now")) & (
    # By a clock that was ahead: once that is put right, nobody waits, and nothing is approved, until its time has come.
    func.coalesce(_approval.decided_at, _approval.last_asked_at) <= _given("now") + literal(_OUT_OF_ORDER)
)
_put_approval = insert(approvals).values(_row(approvals)).inline()
PUT_APPROVAL = _sql(
    _put_approval.on_conflict_do_update(
        index_elements=[_approval.key],
        set_={name: _put_approval.excluded[name] for name in _row(approvals, without="key")},
    )
)
APPROVAL = _sql(select(approvals).where(_approval.key == _given("key"), _in_force))
APPROVALS = _sql(select(approvals).where(_in_force).order_by(_approval.asked_at, _approval.id))
APPROVAL_BY_ID = _sql(select(approvals).where(_approval.id == _given("id"), _in_force))
APPROVALS_OF_DEVICE = _sql(select(approvals).where(_approval.device == _given("device"), _in_force))
DENIAL = _sql(
    select(approvals)
    .where(
        *(_approval[name] == _given(name) for name in ("device", "profile", "caller", "address")),
        _approval.state == ApprovalState.DENIED.value,
        _in_force,
    )
    .limit(1)
)
_waits = (
    (_approval.state == ApprovalState.PENDING.value)
    & (_approval.until > _given("now"))
    & (_approval.last_asked_at <= _given("now") + literal(_OUT_OF_ORDER))
)
PENDING = _sql(select(func.count()).where(_waits))
PENDING_OF_CALLER = _sql(select(func.count()).where(_waits, _approval.caller == _given("caller")))
USE_APPROVAL = _sql(
    update(approvals)
    .where(_approval.key == _given("key"), _approval.state == ApprovalState.APPROVED.value, _in_force)
    .values(state=ApprovalState.USED.value)
)
FORGET_APPROVALS = _sql(delete(approvals).where(~_in_force))

_count = insert(counters).values(_row(counters)).inline()
COUNT = _sql(
    _count.on_conflict_do_update(
        index_elements=[counters.c.kind, counters.c.name],
        set_={"value": counters.c.value + _count.excluded.value},
    )
)
COUNTERS = _sql(select(counters))

_unended = select(_certificate.id).where(_certificate.not_after > _given("now"))
"""Through the index `certificates_live` alone; only what it finds is looked up in the table."""


def _number(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))


TALLIES = _sql(
    select(
        _certificate.profile,
        func.count(),
        _number(_certificate.not_after <= _given("in_day")),
        _number(_certificate.not_after <= _given("in_week")),
        _number((_certificate.not_after - _given("now")) * OVERDUE < _certificate.not_after - _certificate.not_before),
    )
    .where(_certificate.id.in_(_unended), _certificate.state == State.ACTIVE.value)
    .group_by(_certificate.profile)
)
"""Active certificates by profile: how many, those that end within a day and a week, those late in their life."""

_issued = _certificate.adopted_at.is_(None)
_before = select(_certificate.id).where(_issued, _certificate.issued_at <= _given("day_ago"))
ISSUED_IN_DAY = _sql(
    # Entries are in the order of time, so that those of a day are the last ones.
    select(func.count()).where(
        _issued,
        _certificate.issued_at > _given("day_ago"),
        _certificate.id > func.coalesce(_before.order_by(_certificate.id.desc()).limit(1).scalar_subquery(), 0),
    )
)
LAST_ISSUED = _sql(
    select(_certificate.serial, _certificate.profile, _certificate.issued_at)
    .where(_issued)
    .order_by(_certificate.id.desc())
    .limit(1)
)

_put_fact = insert(facts).values(_row(facts)).inline()
FACT = _sql(select(facts.c.value).where(facts.c.name == _given("name")))
PUT_FACT = _sql(
    _put_fact.on_conflict_do_update(index_elements=[facts.c.name], set_={"value": _put_fact.excluded.value})
)
