"""Judgements on one enrollment as aziot-certd makes it: both calls at once, and one certificate that fits its key."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509

from nestor.doctor.cacerts import ca_certificates
from nestor.doctor.certificate import SOON
from nestor.doctor.endings import PATIENCE, explain
from nestor.doctor.issued import Asked, has_key, judge_issued
from nestor.doctor.pace import judge_pace
from nestor.doctor.reading import Misread, read, read_leniently
from nestor.doctor.seen import Trial
from nestor.doctor.words import Topic, fine, lasting, listed, problem, warning
from nestor.finding import Finding, Gravity

_LONGER = "For tests that is normal; give certificates 30 days or more in a plant."
_ONE = "Answer simpleenroll with the issued certificate alone (RFC 7030, 4.2.3); its chain belongs into /cacerts."


def judge_trial(asked: Asked, trial: Trial, now: datetime) -> list[Finding]:
    """The answer as aziot-certd takes it, then the certificate, then the time it took."""
    what = f"Asked for {asked.what}, the server"
    if trial.enrolled.answer is None:
        why, remedy = explain(trial.enrolled)
        return [problem(Topic.ENROLLMENT, f"{what} {why}.", remedy)]
    found = read(trial.enrolled.answer)
    if isinstance(found, Misread):
        return [problem(Topic.ENROLLMENT, f"{what} {found.what}.", found.remedy)]
    return [
        *_judge_number(asked, found),
        *(judge_issued(asked, found[0], ca_certificates(trial.cacerts), now) if has_key(found[0], asked) else []),
        *_judge_other_call(trial),
        *judge_pace(Topic.ENROLLMENT, asked.what[:1].upper() + asked.what[1:], trial.seconds),
    ]


def certificate_of(asked: Asked, trial: Trial) -> x509.Certificate | None:
    """What aziot-certd would keep as its certificate, where that fits the key."""
    found = ca_certificates(trial.enrolled)
    return found[0] if found and has_key(found[0], asked) else None


def left_behind(asked: Asked, trial: Trial) -> x509.Certificate | None:
    """What the server issued, whether aziot-certd takes the answer or not."""
    if trial.enrolled.answer is None:
        return None
    found = read_leniently(trial.enrolled.answer)
    return next((one for one in found if has_key(one, asked)), found[0] if found else None)


def judge_bootstrap(first: Trial, second: Trial) -> list[Finding]:
    """A bootstrap makes two enrollments within the patience of one caller."""
    together = first.seconds + second.seconds
    if together <= PATIENCE.total_seconds() or max(first.seconds, second.seconds) > PATIENCE.total_seconds():
        return []
    sentence = f"EST identity and device identity took {together:.0f} s together, and have {lasting(PATIENCE)}."
    return [problem(Topic.ENROLLMENT, sentence, "Let the server answer within 12 s.")]


def judge_leftovers(certificates: Sequence[x509.Certificate]) -> list[Finding]:
    """What was issued in the course of this, how long it lives, and that it is good until somebody revokes it."""
    if not certificates:
        return []
    life = min(one.not_valid_after_utc - one.not_valid_before_utc for one in certificates)
    short = [warning(Topic.ENROLLMENT, _short(life), _LONGER)] if life <= SOON else []
    serials = listed([f"{one.serial_number:x}" for one in certificates])
    sentence = f"Left behind at the server: {serials}. Their keys are forgotten."
    left = fine(Topic.ENROLLMENT, sentence, "Revoke them there if they must not stay (nestor cert revoke SERIAL).")
    return [*short, left]


def failed(findings: Sequence[Finding]) -> bool:
    """Whether something was found that does not work."""
    return any(finding.gravity is Gravity.PROBLEM for finding in findings)


def _short(life: timedelta) -> str:
    return f"They live {lasting(life)}: a server that is down for as long loses its devices, and `iotedge check` warns."


def _judge_number(asked: Asked, found: Sequence[x509.Certificate]) -> list[Finding]:
    if len(found) == 1 and has_key(found[0], asked):
        return []
    if len(found) == 1:
        sentence = f"Asked for {asked.what}, the server answers with a certificate for another key."
        return [problem(Topic.ENROLLMENT, sentence, "Let the server certify the key that is in the request.")]
    many = f"Asked for {asked.what}, the server answers with {len(found)} certificates instead of one"
    if has_key(found[0], asked):
        sentence = f"{many}. aziot-certd takes the first one, which is right here; another order would break it."
        return [warning(Topic.ENROLLMENT, sentence, _ONE)]
    sentence = f"{many}, and aziot-certd takes the first one, which is not for the key of the request."
    return [problem(Topic.ENROLLMENT, sentence, _ONE)]


def _judge_other_call(trial: Trial) -> list[Finding]:
    """One call's failure costs the other's success."""
    if ca_certificates(trial.cacerts):
        return []
    if trial.cacerts.answer is None:
        what, remedy = explain(trial.cacerts)
    else:
        found = read(trial.cacerts.answer)
        what, remedy = found if isinstance(found, Misread) else ("shows nothing", "")
    sentence = f"While it issued, on /cacerts the server {what}; aziot-certd then throws away what was issued."
    return [problem(Topic.ENROLLMENT, sentence, remedy)]
