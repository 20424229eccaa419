"""Whether and when certificates renew: tables that do not hold, and what they come to. Pure.

`threshold` says when to begin, `retry` how long to wait after a failure; `moments.py` knows the words.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from nestor.device.config import DEVICE_ID, EDGE_CA_ID, DeviceConfig, Issuance
from nestor.device.findings import problem, warning
from nestor.device.moments import USUAL, WHOLE, better, moment_of, parse_moment, why_refused
from nestor.device.part import Part
from nestor.document import show_duration
from nestor.finding import Finding

_KEYS = ("rotate_key", *USUAL)
_OFTEN = timedelta(days=7)


def check_renewal(config: DeviceConfig) -> Iterator[Finding]:
    """What is wrong with the renewal of each certificate from an EST server, and what will not be renewed."""
    est = config.est.part("identity_auto_renew")
    if est is not None:
        yield from _check_table(est)
    for issuance in config.enrolled:
        part = issuance.part.part("auto_renew")
        if part is not None:
            yield from _check_table(part)
        yield from _check_effect(config, issuance, part)


def check_lifetime(issuance: Issuance, begin: datetime, end: datetime) -> Iterator[Finding]:
    """What the renewal comes to with the lifetime that a server gives."""
    part = issuance.part.part("auto_renew")
    threshold = moment_of(part, "threshold")
    if threshold is None or (part is None and issuance.id == DEVICE_ID):
        return
    at = issuance.part.path("auto_renew")
    life, renewal = end - begin, threshold.within(begin, end)
    if renewal <= begin:
        yield problem(
            at,
            f"the threshold is as long as the certificate lives here ({_days(life)}), so it would renew without end.",
            'Write a percentage: threshold = "80%".',
        )
    elif issuance.id == EDGE_CA_ID and renewal - begin < _OFTEN:
        yield warning(
            at,
            f"this server's Edge CA lives {_days(life)}, so every module restarts every {_days(renewal - begin)}.",
            "Have the operator give profiles.edgeCa a longer lifetime.",
        )


def _check_effect(config: DeviceConfig, issuance: Issuance, part: Part | None) -> Iterator[Finding]:
    at = issuance.part.path("auto_renew")
    if issuance.id == EDGE_CA_ID and part is None:
        yield warning(
            at,
            "it is not there, so the Edge CA renews at 80% of its life, and every renewal restarts all modules.",
            'Say when: auto_renew = { rotate_key = true, threshold = "80%", retry = "4%" }.',
        )
    if issuance.id != DEVICE_ID:
        return
    if not config.uses_dps:
        yield warning(
            issuance.part.at,
            "a device that is provisioned by hand never renews its identity, and IoT Hub knows it by its thumbprint.",
            "Use DPS; under a parent, a symmetric key (nestor device config --identity key) and EST for the Edge CA.",
        )
    elif part is None:
        yield warning(
            at,
            "it is not there, so the device identity is never renewed.",
            'Write auto_renew = { rotate_key = true, threshold = "80%", retry = "4%" }.',
        )


def _check_table(part: Part) -> Iterator[Finding]:
    missing = [key for key in _KEYS if key not in part]
    if missing:
        yield problem(
            part.at,
            f"it lacks {' and '.join(missing)}; once the table is there, all three keys are needed.",
            f"Add {', '.join(missing)}, or remove the table.",
        )
    for key in USUAL:
        word = part.text(key)
        if word is not None and parse_moment(word) is None:
            yield problem(part.path(key), f"{word!r} {why_refused(word)}.", f'Write "{better(word, key)}".')
    yield from _check_second_try(part)


def _check_second_try(part: Part) -> Iterator[Finding]:
    """After a failure there should be time for another try."""
    threshold, retry = moment_of(part, "threshold"), moment_of(part, "retry")
    if threshold is None or retry is None:
        return
    by_percent = threshold.percent and retry.percent and threshold.percent + retry.percent >= WHOLE
    by_time = threshold.before and retry.before and retry.before >= threshold.before
    if by_percent or by_time:
        yield warning(
            part.path("retry"), "a failed renewal is not tried again before the certificate ends.", "Make it shorter."
        )


def _days(length: timedelta) -> str:
    """A length of time in its largest unit that is fair to it."""
    unit = timedelta(days=1) if length >= timedelta(days=2) else timedelta(hours=1)
    return show_duration(max(unit, round(length / unit) * unit))
