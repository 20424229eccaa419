"""The last words: what was not looked at, and what all findings come to."""

from collections.abc import Sequence

from nestor.doctor.words import Topic, counted, fine, listed, problem, warning
from nestor.finding import Finding, Gravity

_LATER = {
    Topic.TLS: "TLS",
    Topic.CERTIFICATE: "the server's certificate",
    Topic.CACERTS: "/cacerts",
    Topic.AUTHENTICATION: "authentication",
    Topic.ENROLLMENT: "enrollment",
}


def left_out(since: Topic, why: str) -> Finding:
    """What was not looked at, from a topic on."""
    topics = list(Topic)
    missed = [name for topic, name in _LATER.items() if topics.index(topic) >= topics.index(since)]
    return warning(since, f"Not looked at, {why}: {listed(missed)}.", "")


def not_enrolled() -> Finding:
    """Enrolling is the only way to see what is issued, and leaves traces."""
    return fine(
        Topic.ENROLLMENT,
        "Enrolling was not tried, for it leaves certificates behind.",
        "Try it: --enroll --name DEVICE-ID, with --edge-ca for a gateway.",
    )


def not_tried(what: list[str]) -> list[Finding]:
    """What a device would not come to any more."""
    return [warning(Topic.ENROLLMENT, f"Not tried any more: {listed(what)}.", "")] if what else []


def judge_all(findings: Sequence[Finding], *, enrolled: bool) -> Finding:
    """The verdict in a sentence."""
    problems = sum(finding.gravity is Gravity.PROBLEM for finding in findings)
    warnings = sum(finding.gravity is Gravity.WARNING for finding in findings)
    if problems:
        return problem(
            Topic.VERDICT, f"This server is not fit for aziot-certd as it stands: {counted(problems, 'problem')}.", ""
        )
    scope = "" if enrolled else ", as far as can be told without enrolling"
    if warnings:
        sentence = f"aziot-certd gets along with this server{scope}; mind the {counted(warnings, 'warning')}."
        return warning(Topic.VERDICT, sentence, "")
    return fine(Topic.VERDICT, f"aziot-certd gets along with this server{scope}.")
