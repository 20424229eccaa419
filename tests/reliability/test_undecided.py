"""A parent whose operator has to approve first, and a forwarder between: 202 for who knows it, 503 for IoT Edge."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.answers import Answer
from support.certd import Certd, EstFailed
from support.device import wrapped
from support.layers import PASSWORD, USER, Forwarder, Makers, nestor_upstream
from support.server import Server
from support.shapes import Request, est_identity
from support.shell import nestor

pytestmark = pytest.mark.xdist_group("hops")

_ABOVE = {"edge": {"approval": "retry"}, "patient": {"approval": "accepted"}}
_HERE = {"edge": {}, "plain": {}, "patient": {"approval": "accepted"}}
_MAP = {"edge": "edge", "plain": "patient", "patient": "patient"}


@dataclass(frozen=True)
class Pair:
    """The parent, and the forwarder below it."""

    top: Server
    middle: Forwarder

    def ask(self, label: str, request: Request) -> Answer:
        return self.middle.line(label=label).post("simpleenroll", wrapped(request.der))


def approve(server: Server, told: str) -> str:
    """Approve what a sentence names that was told to whoever waits; its id."""
    found = re.search(r"has to be approved by the operator of this server, as ([0-9a-f]{12})\.", told)
    assert found, told
    server.command("approval", "approve", found[1])
    return found[1]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    place = tmp_path_factory.mktemp("undecided")
    makers = Makers(place)
    with Server(place / "top", {**makers.listed("middle"), "labels": _ABOVE}) as top:
        upstream = nestor_upstream(top, top.ca_file, makers.certify("middle"), labels={"default": "default", **_MAP})
        with Forwarder(place / "middle", upstream, {"labels": _HERE}) as middle:
            yield Pair(top, middle.ready())


@pytest.mark.conformance("RA-14", "HTTP-10")
def test_202_goes_down_with_its_retry_after_on_a_path_that_answers_so(pair: Pair) -> None:
    request = est_identity("pump-1")
    first = pair.ask("patient", request)
    assert first.status == 202
    here = approve(pair.middle, first.text)
    answers = [pair.ask("patient", request) for _ in range(2)]
    assert [(answer.status, answer["Retry-After"]) for answer in answers] == [(202, "60")] * 2
    assert approve(pair.top, answers[0].text) != here
    assert answers[0].text.count("(request ") == 1
    issued = pair.ask("patient", request)
    assert issued.certificate.public_key() == request.key.public_key()


@pytest.mark.conformance("RA-14", "HTTP-10")
def test_202_becomes_503_with_its_retry_after_on_every_other_path_and_the_same_request_is_issued(pair: Pair) -> None:
    request = est_identity("pump-2")
    answer = pair.ask("plain", request)
    assert (answer.status, answer["Retry-After"]) == (503, "60")
    assert f"Its operator runs: nestor approval approve {approve(pair.top, answer.text)}." in answer.text
    assert pair.ask("plain", request).certificate.public_key() == request.key.public_key()


@pytest.mark.conformance("RA-14", "HTTP-1")
def test_certd_behind_a_forwarder_gets_its_certificate_with_another_key_where_the_parent_says_retry(pair: Pair) -> None:
    device = Certd(f"{pair.middle.url}/edge", pair.middle.ca_file, (USER, PASSWORD))
    with pytest.raises(
        EstFailed, match=r"503 b'localhost:\d+ refuses simpleenroll \(503\): pump-3 has to be approved"
    ) as told:
        device.create_cert(est_identity("pump-3").der)
    approve(pair.top, str(told.value))
    request = est_identity("pump-3")
    leaf, *_ = device.create_cert(request.der)
    assert leaf.public_key() == request.key.public_key()


def test_a_person_at_the_command_line_is_told_what_waits_and_how_to_wait_for_it(pair: Pair, tmp_path: Path) -> None:
    password, csr, out = tmp_path / "password", tmp_path / "pump-4.csr", tmp_path / "pump-4.pem"
    password.write_text(PASSWORD, "utf-8")
    csr.write_bytes(est_identity("pump-4").der)
    known = ("--cacert", str(pair.top.ca_file), "--user", "line", "--password-file", str(password))
    pair.top.add_user("line", PASSWORD, "*", profiles=("*",))
    words = ("est", "enroll", pair.top.url, *known, "--label", "patient", "--csr", str(csr), "--out", str(out))
    done = nestor(*words)
    assert done.returncode == 5
    error, hint = done.stderr.splitlines()
    assert "decides later (202): pump-4 has to be approved by the operator of this server" in error
    assert f"nestor approval approve {approve(pair.top, error)}" in error
    assert hint.startswith("hint: Run this again in 60 s., or ")
    assert nestor(*words).returncode == 0
    assert out.exists()
