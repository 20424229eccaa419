"""Whether a server is a Nestor, and what it says of itself: its /readyz tells what keeps it from issuing."""

import json
from http import HTTPStatus

from nestor.doctor.seen import Answer, Talk
from nestor.doctor.words import Topic, fine, problem, quoted, warning
from nestor.finding import Finding

PATH = "/readyz"
_UPSTREAM = "upstream"
"""What a server that forwards says of the one above it."""


def is_nestor(answer: Answer) -> bool:
    """Whether an answer comes from a Nestor."""
    return answer.header("server") == "Nestor"


def judge_readiness(talk: Talk) -> list[Finding]:
    """What a Nestor says of itself."""
    problems = _problems(talk.answer) if talk.answer else {}
    if not problems and talk.status != HTTPStatus.OK:
        sentence = "The server is a Nestor, and does not say on /readyz whether it is ready to issue."
        return [warning(Topic.SERVER, sentence, "Its log says more. A proxy before it may hide /readyz.")]
    if not problems:
        return [fine(Topic.SERVER, "The server is a Nestor, and says that it is ready to issue.")]
    return [_not_issuing(about, f": {quoted(sentence)}" if sentence else ".") for about, sentence in problems.items()]


def _not_issuing(about: str, why: str) -> Finding:
    if about == _UPSTREAM:
        sentence = f"The server is a Nestor that forwards, and has nothing from the server above it at this time{why}"
        return problem(Topic.SERVER, sentence, "What is said of its layers names the hop; its log says more.")
    return problem(
        Topic.SERVER,
        f"The server is a Nestor that does not issue ({quoted(about)}){why}",
        "Mend that on the server; its documentation has a table of what to do (docs/operate.md, 6).",
    )


def _problems(answer: Answer) -> dict[str, str]:
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {}
    problems = said.get("problems") if isinstance(said, dict) else None
    if isinstance(problems, list):  # whoever asks from another machine hears names only
        return {str(about): "" for about in problems}
    return {str(about): str(sentence) for about, sentence in problems.items()} if isinstance(problems, dict) else {}
