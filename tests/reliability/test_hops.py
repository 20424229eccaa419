"""Several hops, and what goes wrong between them: a ring, an answer that is lost, a forwarder that dies meanwhile."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from nestor.est.endings import parted
from support.broken import Switchboard, silence
from support.layers import PASSWORD, Above, Forwarder, Makers, nestor_upstream, until
from support.server import Server
from support.shapes import est_identity
from support.stub import Heard, Reply

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hops")]


def _issued(server: Server, device: str) -> int:
    """How many certificates of a device a server has recorded."""
    listed = json.loads(server.command("cert", "list", "--device", device, "--json").stdout)
    return len(listed["certificates"] if isinstance(listed, dict) else listed)


@pytest.fixture
def makers(tmp_path: Path) -> Makers:
    return Makers(tmp_path)


@pytest.mark.conformance("RA-15")
def test_a_loop_of_three_is_told_at_once(tmp_path: Path, makers: Makers) -> None:
    names = ("one", "two", "three")
    ring = [Forwarder(tmp_path / f"n{name}", {}, makers.listed(*names)) for name in names]
    credentials = [makers.certify(name) for name in names]
    for place, (forwarder, credential) in enumerate(zip(ring, credentials, strict=True)):
        parent = ring[(place + 1) % len(ring)]
        anchor = parent.data / "ca" / "certificates.pem"
        forwarder.point(nestor_upstream(parent, anchor, credential))
    for forwarder in ring:
        forwarder.command("ca", "init")
    with ExitStack() as stack:
        for forwarder in ring:
            stack.enter_context(forwarder)
        waited = []
        for _ in range(2):
            begun = time.monotonic()
            answer = ring[0].line().enroll(est_identity("pump-1"))
            waited.append(time.monotonic() - begun)
            assert answer.status == 508
            assert "passed this server before" in answer.text
            assert answer.text.count("Check who is whose parent.") == answer.text.count("(request ") == 1
            assert len(set(parted(answer.text.strip())[1])) == len(ring) + 1
    assert min(waited) < 3


def test_who_asks_first_after_the_line_fell_silent_is_told_within_two_seconds(tmp_path: Path, makers: Makers) -> None:
    with silence() as port:
        url = f"https://127.0.0.1:{port}/.well-known/est"
        upstream = {"url": url, "anchors": f"file:{makers.anchor}", **makers.certify("upper")}
        with Forwarder(tmp_path / "n1", upstream) as forwarder:
            assert forwarder.line(label="here").enroll(est_identity("pump-0")).status == 200  # it is warm
            begun = time.monotonic()
            answer = forwarder.line().enroll(est_identity("pump-1"))
            waited = time.monotonic() - begun
    assert (answer.status, answer["Retry-After"]) == (503, "5")
    assert f"127.0.0.1:{port} did not answer in time. Wait 5 s." in answer.text
    assert waited < 2


def test_a_press_below_three_layers_enrolls_although_all_cas_have_one_name(tmp_path: Path) -> None:
    """The name that every CA had by default, before those of layers had names of their own; they keep it."""
    called = {"ca": {"subject": "CN=Nestor Root CA"}}
    with ExitStack() as stack:
        top = stack.enter_context(Server(tmp_path / "layer3", _listing("layer2")))
        middle = stack.enter_context(_layer(tmp_path / "layer2", top, {**_listing("layer1"), **called}))
        bottom = stack.enter_context(_layer(tmp_path / "layer1", middle, called))
        for layer in (middle, bottom):
            until((layer.ready().data / "upstream-identity.pem").exists)
        press = bottom.line().enrolled(est_identity("press-7"))
        assert press.certificate.issuer == _ca_of(top).subject
        assert bottom.device(identity=press).reenroll(est_identity("press-7")).status == 200
        local = bottom.device(identity=press, label="here").enroll(est_identity("press-7"))
        assert (local.status, "comes from no CA that this server trusts" in local.text) == (401, True)
        assert bottom.line(identity=press, label="here").enroll(est_identity("press-7")).status == 200
    assert len({_ca_of(server).subject for server in (top, middle, bottom)}) == 1


def _ca_of(server: Server) -> x509.Certificate:
    return x509.load_pem_x509_certificate(server.ca_file.read_bytes())


def _listing(below: str) -> dict[str, Any]:
    """The settings of a parent that makes the certificate of its forwarder itself."""
    local = {"authority": "local"}
    scope = {"subject": f"CN={below}", "names": "*", "profiles": "estIdentity", "statements": True}
    return {
        "labels": {"here": local, "forwarder": {"profile": "forwarder", **local}},
        "access": {"forwarders": {below: scope}},
    }


def _layer(place: Path, parent: Server, document: dict[str, Any]) -> Forwarder:
    """A layer that gets its own certificate from its parent by a password."""
    name, password = place.name, place.with_suffix(".password")
    password.write_text(PASSWORD, "utf-8")
    parent.add_user(name, PASSWORD, name, profiles=("forwarder",))
    upstream = {"user": name, "password": f"file:{password}", "identity": {"name": name, "label": "forwarder"}}
    return Forwarder(place, nestor_upstream(parent, parent.ca_file, upstream), document)


@pytest.fixture
def board() -> Iterator[Switchboard]:
    board = Switchboard()
    board.listen()
    yield board
    board.hang_up()


def test_a_replay_of_the_same_csr_after_a_lost_answer_over_two_hops_gets_the_one_certificate(
    tmp_path: Path, makers: Makers, board: Switchboard
) -> None:
    with Server(tmp_path / "top", makers.listed("middle")) as top:
        board.target = top.port
        upstream = nestor_upstream(top, top.ca_file, makers.certify("middle"))
        upstream["url"] = f"https://localhost:{board.port}/.well-known/est"
        with Forwarder(tmp_path / "n1", upstream, makers.listed("lowest")) as middle:
            middle.ready()
            below = nestor_upstream(middle, middle.ca_file, makers.certify("lowest"))
            with Forwarder(tmp_path / "n2", below) as lowest:
                line = lowest.ready().line()
                assert line.enroll(est_identity("pump-0")).status == 200
                board.losing = True
                request = est_identity("pump-1")
                lost = line.enroll(request)
                board.losing = False
                found = until(lambda: line.enroll(request).status == 200)
                certificates = {line.enroll(request).certificate.serial_number for _ in range(2)}
        assert lost.status == 504
        assert found < 5
        assert len(certificates) == 1
        assert _issued(top, "pump-1") == 1


def test_a_retry_on_its_way_up_asks_for_the_same_certificate_and_waits_for_the_first(
    tmp_path: Path, makers: Makers
) -> None:
    with Above(tmp_path / "above", makers) as above:
        upstream = {"url": above.base, "anchors": f"file:{above.anchor}", **makers.certify("upper")}
        with Forwarder(tmp_path / "n1", upstream) as forwarder:
            line = forwarder.ready().line()
            usual, gate = above.answers["simpleenroll"], threading.Event()

            def slow(heard: Heard) -> Reply:
                gate.wait(10)
                assert callable(usual)
                return usual(heard)

            above.answers["simpleenroll"] = slow
            request, answers = est_identity("pump-1"), []
            askers = [threading.Thread(target=lambda: answers.append(line.enroll(request))) for _ in range(3)]
            for asker in askers:
                asker.start()
            until(lambda: len(above.asked) == 1)
            time.sleep(0.2)
            gate.set()
            for asker in askers:
                asker.join()
    assert len({answer.certificate.serial_number for answer in answers}) == 1
    assert len(above.asked) == 1


def test_a_forwarder_that_dies_in_the_middle_says_at_its_next_start_what_may_have_been_issued(
    tmp_path: Path, makers: Makers
) -> None:
    with Above(tmp_path / "above", makers) as above:
        upstream = {"url": above.base, "anchors": f"file:{above.anchor}", **makers.certify("upper")}
        forwarder = Forwarder(tmp_path / "n1", upstream)
        with forwarder:
            line = forwarder.ready().line()
            usual, gate = above.answers["simpleenroll"], threading.Event()

            def never(_: Heard) -> Reply:
                gate.wait(10)
                return Reply(500, close=True)

            above.answers["simpleenroll"] = never
            request = est_identity("pump-1")

            def ask() -> None:
                with suppress(OSError):
                    line.enroll(request)

            asker = threading.Thread(target=ask)
            asker.start()
            until(lambda: len(above.asked) == 1)
            forwarder.kill()
            gate.set()
            asker.join()
            above.answers["simpleenroll"] = usual
            forwarder.start()
            assert "a request of pump-1 for estIdentity was sent to the server above" in forwarder.log()
            assert forwarder.line().get("cacerts").status == 200  # from the disk, before anybody was asked
            assert forwarder.line().enroll(request).status == 200
            forwarder.stop()
            said = len(forwarder.log())
            forwarder.start()
            assert "was sent to the server above" not in forwarder.log()[said:]
        keys = {heard.headers["Idempotency-Key"] for heard in above.asked}
    assert len(keys) == 1
