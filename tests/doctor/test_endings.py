"""Why there is no answer."""

import pytest

from nestor.doctor.endings import explain
from nestor.doctor.seen import Ending, Session, Talk, Version
from support.talks import refused

_SESSION = Session(Version.TLS_1_3, ())


@pytest.mark.parametrize(
    ("talk", "what"),
    [
        (refused(48), "ends TLS with the alert unknown_ca (48): it does not know the CA"),
        (refused(112), "ends TLS with the alert unrecognized_name (112)"),
        (refused(70, sent=True), "speaks only versions of TLS before 1.2"),
        (Talk(Ending.TLS_BROKEN, words="bad record\x1b[2J"), r"breaks off here: bad record\x1b[2J"),
        (Talk(Ending.CLOSED), "closes the connection in the middle of the TLS handshake"),
        (Talk(Ending.CLOSED, session=_SESSION), "closes the connection after the TLS handshake"),
        (Talk(Ending.SILENT, 30.0, _SESSION), "does not answer within 30 seconds"),
        (Talk(Ending.NO_TLS), "answers, but not in TLS"),
        (Talk(Ending.NO_HTTP, session=_SESSION), "is not HTTP/1.1"),
        (Talk(Ending.DISBELIEVED, session=_SESSION), "shows another certificate than before"),
        (Talk(Ending.UNREACHED), "can no longer be connected to"),
    ],
)
def test_each_ending_is_told_with_its_remedy(talk: Talk, what: str) -> None:
    told = explain(talk)
    assert what in told.what
    assert told.remedy.endswith((".", "?"))
