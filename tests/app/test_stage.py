"""The stage: everything real but the key, and nothing remembered outside."""

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from nestor.app.authority import Source, make_ca
from nestor.app.clock import SystemClock
from nestor.app.stage import open_stage
from nestor.ca.issuer import Issuer
from nestor.errors import Forbidden, MaterialError
from nestor.est.transfer import Dialect, encode
from nestor.ledger.opening import open_ledger
from nestor.model import Credentials, Operation
from nestor.registrar.desk import Ask
from nestor.settings import judge
from support.asking import cheap_hash
from support.shapes import Request, device_identity, edge_ca, p256

WHO = Credentials("127.0.0.1", user="gw3", password="0815")


@pytest.fixture
def made(tmp_path: Path) -> tuple[Source, Issuer]:
    (tmp_path / "gw3.hash").write_text(cheap_hash("0815"))
    document = {"access": {"users": {"gw3": {"passwordHash": "file:gw3.hash"}}, "gateways": "gw9"}}
    source = Source(judge(document), tmp_path, SystemClock(), lambda _: None)
    return source, make_ca(source)


def _ask(request: Request) -> Ask:
    return Ask(Operation.SIMPLE_ENROLL, None, encode(request.der, Dialect.WRAPPED), WHO, "")


async def test_a_stage_issues_under_the_name_of_the_ca_and_not_with_its_key(made: tuple[Source, Issuer]) -> None:
    source, real = made
    async with open_stage(source) as stage:
        issued = await stage.registrar.enroll(_ask(device_identity("gw3", p256())))
    assert issued.issuer == real.certificate.subject
    with pytest.raises(InvalidSignature):
        issued.verify_directly_issued_by(real.certificate)


async def test_a_stage_refuses_as_the_server_does(made: tuple[Source, Issuer]) -> None:
    async with open_stage(made[0]) as stage:
        with pytest.raises(Forbidden, match="not a gateway"):
            await stage.registrar.enroll(_ask(edge_ca("gw3", p256())))


async def test_nothing_is_left_of_a_stage(made: tuple[Source, Issuer]) -> None:
    source, _ = made
    await open_ledger(source.settings.ledger, source.data, create=False, clock=source.clock).close()  # the first time
    before = {path: path.read_bytes() for path in source.data.rglob("*") if path.is_file()}
    async with open_stage(source) as stage:
        await stage.registrar.enroll(_ask(device_identity("gw3", p256())))
    assert {path: path.read_bytes() for path in source.data.rglob("*") if path.is_file()} == before


async def test_the_ca_key_is_not_needed(made: tuple[Source, Issuer]) -> None:
    source, _ = made
    (source.data / "ca/key.pem").unlink()
    async with open_stage(source) as stage:
        await stage.registrar.enroll(_ask(device_identity("gw3", p256())))


async def test_a_stage_needs_a_ca(tmp_path: Path) -> None:
    source = Source(judge({}), tmp_path, SystemClock(), lambda _: None)
    with pytest.raises(MaterialError, match="no CA"):
        async with open_stage(source):
            pass
