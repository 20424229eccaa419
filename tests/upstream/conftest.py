"""A CA, and somebody else's EST server with a certificate of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nestor.upstream.trust import Trust
from support import pki
from support.stub import Stub, certs_only, issuing


@pytest.fixture
def ca() -> pki.CA:
    return pki.authority("Other Root")


@pytest.fixture
def trust(ca: pki.CA) -> Trust:
    return Trust((ca.certificate,))


@pytest.fixture
def stub(ca: pki.CA, tmp_path: Path) -> Iterator[Stub]:
    with Stub(tmp_path, ca.issue("other", alternative_names=["localhost"], server=True)) as server:
        server.answers["cacerts"] = certs_only(ca.certificate)
        server.answers["simpleenroll"] = server.answers["simplereenroll"] = issuing(ca)
        yield server
