"""Judgement on how long a server takes; those who ask aziot-certd wait 30 s, and a bootstrap takes two answers."""

from datetime import timedelta

from nestor.doctor.endings import PATIENCE
from nestor.doctor.words import Topic, lasting, problem, warning
from nestor.finding import Finding

QUICK = timedelta(seconds=12)
"""Within this, two answers fit into the patience of a caller."""

_REMEDY = "Look for slow authorities, databases, name lookups or forwarders behind the server."


def judge_pace(topic: Topic, what: str, seconds: float) -> list[Finding]:
    """Whether an answer came in time; nothing is said of one that did."""
    took = timedelta(seconds=seconds)
    if took > PATIENCE:
        sentence = f"{what} took {seconds:.0f} s; those who ask aziot-certd wait {lasting(PATIENCE)}."
        return [problem(topic, sentence, _REMEDY)]
    if took > QUICK:
        sentence = f"{what} took {seconds:.0f} s; a first enrollment makes two within {lasting(PATIENCE)}."
        return [warning(topic, sentence, _REMEDY)]
    return []
