"""Why a connection ended without an answer: in a sentence, with the remedy."""

from datetime import timedelta
from typing import NamedTuple

from nestor.doctor import alerts
from nestor.doctor.seen import Ending, Talk
from nestor.doctor.words import lasting, quoted

PATIENCE = timedelta(seconds=30)
"""How long those wait who ask aziot-certd for a certificate, for each try."""


class Told(NamedTuple):
    """What happened, as the rest of a sentence about the server; and what to do."""

    what: str
    remedy: str


_PATH = "Check the port, and proxies and firewalls between."

_ENDINGS = {
    Ending.UNREACHED: Told("can no longer be connected to", "Check that it still runs."),
    Ending.NO_TLS: Told("answers, but not in TLS", "Check the port; a server that speaks EST speaks HTTPS."),
    Ending.NO_HTTP: Told("answers in something that is not HTTP/1.1", "Check the port: is it an EST server?"),
    Ending.DISBELIEVED: Told(
        "shows another certificate than before, and was told nothing", "Ask again; several servers may answer there."
    ),
}


def explain(talk: Talk) -> Told:
    """Why there is no answer."""
    if talk.refusal is not None:
        meaning = alerts.meaning_of(talk.refusal)
        return Told(f"ends TLS with the alert {alerts.name_of(talk.refusal)}: {meaning.cause}", meaning.remedy)
    match talk.ending:
        case Ending.TLS_BROKEN:
            return _broken(talk)
        case Ending.CLOSED:
            when = "after the TLS handshake" if talk.session else "in the middle of the TLS handshake"
            return Told(f"closes the connection {when}, without a word", f"The log of the server says why. {_PATH}")
        case Ending.SILENT:
            waited = lasting(timedelta(seconds=talk.seconds))
            return Told(f"does not answer within {waited}", _SLOW if talk.session else _PATH)
        case _:
            return _ENDINGS.get(talk.ending, Told("does not answer", _PATH))


_SLOW = (
    f"It has to answer well within {lasting(PATIENCE)}: so long wait those who ask aziot-certd, and a first enrollment "
    "takes two answers."
)


def _broken(talk: Talk) -> Told:
    """What this side did not take, as aziot-certd would not have."""
    if any(alert.sent and alert.number == alerts.PROTOCOL_VERSION for alert in talk.alerts):
        return Told("speaks only versions of TLS before 1.2", "Let the server speak TLS 1.2 and 1.3.")
    return Told(f"speaks a TLS that breaks off here: {quoted(talk.words)}", "The log of the server says more.")
