"""Clients that lose patience: nothing is issued to nobody, however much of the request had arrived."""

import signal
import time
from pathlib import Path

import pytest

from support.device import PKCS10, basic_header, wrapped
from support.plants import USER, Plant, plant
from support.shapes import est_identity


@pytest.mark.parametrize("early", ["nothing", "the head", "half of the body"])
def test_a_client_that_has_gone_gets_no_certificate(tmp_path: Path, early: str) -> None:
    """All that it sent and its end are there before the server looks at either."""
    served = plant(tmp_path)
    with served.server:
        _ask_and_go(served, early)
        served.line.enrolled(est_identity("who-stays"))  # whatever the server began before has been done by then
        listed = served.server.command("cert", "list", "--json").stdout
        assert "who-stays" in listed
        assert "who-goes" not in listed


def _ask_and_go(served: Plant, early: str) -> None:
    body = wrapped(est_identity("who-goes").der)
    lines = ("POST /.well-known/est/simpleenroll HTTP/1.1", "Host: localhost", f"Authorization: {basic_header(*USER)}")
    head = "\r\n".join([*lines, f"Content-Type: {PKCS10}", f"Content-Length: {len(body)}", "", ""]).encode()
    request = head + body
    cut = {"nothing": 0, "the head": len(head), "half of the body": len(head) + len(body) // 2}[early]
    connection = served.line.connect()
    connection.connect()
    connection.send(request[:cut])
    time.sleep(0.3)  # the server reads what there is
    served.server.signal(signal.SIGSTOP)
    connection.send(request[cut:])
    connection.close()
    served.server.signal(signal.SIGCONT)
