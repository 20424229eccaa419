"""What stands above a Nestor, hop by hop: which server asks which, and where it fails. Judges only.

Below a server that issues by its own CA, nobody notices at once that something fails above: that is a warning.
"""

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from nestor.conveyance import MOST_HOPS, Hop
from nestor.doctor.seen import Talk
from nestor.doctor.words import Topic, fine, listed, problem, quoted, warning
from nestor.errors import Malformed
from nestor.est import layers
from nestor.finding import Finding

_KNOWN = "Give what this server knows somebody by: --user or --cert; or run nestor doctor without URL beside it."
_UPSTREAM = "upstream"
"""The check by which a server that only forwards says that its parent is away: told of the hop already."""


def judge_layers(talk: Talk, server: str) -> Iterator[Finding]:
    """The servers from the one that was asked, by this name, to the top."""
    if talk.answer is not None and talk.status == HTTPStatus.OK:
        try:
            yield from _judge(layers.read(talk.answer.body), server)
        except Malformed as fault:
            yield warning(Topic.LAYERS, f"{fault.sentence}", "Are both of the same version?")
    elif talk.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        yield fine(Topic.LAYERS, "What stands above it, this server tells only somebody whom it knows.", _KNOWN)
    else:
        yield warning(Topic.LAYERS, "This server does not tell what stands above it.", "Its log may say why.")


def _judge(hops: Sequence[Hop], server: str) -> Iterator[Finding]:
    names = [server, *(quoted(hop.parent) for hop in hops)]
    seen: set[str] = set()
    forwards = True
    for number, (hop, name, parent) in enumerate(zip(hops, names, names[1:], strict=False)):
        if hop.server in seen:
            yield problem(
                Topic.LAYERS,
                f"The servers go in a ring: {name} has been passed before.",
                "Check upstream.url on each of them: the top has none.",
            )
            return
        seen.add(hop.server)
        if number and (found := _judge_issuing(hop, name, forwards=forwards)):
            yield found
        forwards = forwards and hop.forwards
        yield _judge_hop(hop, name, parent, last=number + 1 == len(hops), forwards=forwards)


def _judge_issuing(hop: Hop, name: str, *, forwards: bool) -> Finding | None:
    """What an upper server says that keeps it from issuing; what is above it, its hop says."""
    wrong = [quoted(one) for one in hop.problems if one != _UPSTREAM]
    if not wrong:
        return None
    grave = problem if forwards else warning
    return grave(
        Topic.LAYERS, f"{name} does not issue ({listed(wrong)}).", f"Mend that on {name}: nestor health --ready."
    )


def _judge_hop(hop: Hop, name: str, parent: str, *, last: bool, forwards: bool) -> Finding:
    if not hop.parent:
        return fine(Topic.LAYERS, f"{name} asks nobody above it: it is the top.")
    if hop.fault:
        since = f" since {hop.since:%Y-%m-%d %H:%M:%S} UTC" if hop.since and not hop.reached else ""
        sentence = f"The hop from {name} to {parent} fails{since}: {quoted(hop.fault)}"
        if forwards:
            return problem(Topic.LAYERS, sentence, _remedy(hop, name, parent))
        return warning(
            Topic.LAYERS, f"{sentence} Until it is mended, CAs below are not renewed.", _remedy(hop, name, parent)
        )
    if hop.reached is None:
        return problem(
            Topic.LAYERS,
            f"Above {name} there are more servers than {MOST_HOPS}; no request passes so many.",
            "Check upstream.url on each of them.",
        )
    since = f", since {hop.since:%Y-%m-%d %H:%M:%S} UTC" if hop.since else ""
    took = f" in {hop.latency * 1000:.0f} ms" if hop.latency is not None else ""
    end = "; what stands above that, it does not tell" if last else ""
    return fine(Topic.LAYERS, f"{name} is answered by {parent}{took}{since}{end}.")


def _remedy(hop: Hop, name: str, parent: str) -> str:
    if hop.reached:
        return f"Both are there: compare upstream at {name} with access at {parent}, whose log says more."
    return f"Look from {name} at the way to {parent}: that it runs, its name, firewalls between."
