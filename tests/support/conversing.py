"""One question of our client's TLS to a stub: what it answers, or the sentence in which our side tells what failed."""

import pytest

from nestor.errors import NestorError
from nestor.upstream.trust import ClientCertificate, Trust, verifying_context
from nestor.upstream.wire import Answer, Wire
from support.device import BASE
from support.stub import Stub


async def ask(
    stub: Stub, trust: Trust, credential: ClientCertificate | None = None, *, linkable: bool = False
) -> Answer:
    """What the stub says on /cacerts."""
    async with Wire("stub", verifying_context(trust, credential, linkable=linkable)) as wire:
        return await wire.ask("GET", f"{stub.url}{BASE}/cacerts", {})


async def refusal(stub: Stub, trust: Trust, credential: ClientCertificate | None = None) -> str:
    """The sentence and hint, where asking has to fail."""
    with pytest.raises(NestorError) as failed:
        await ask(stub, trust, credential)
    return failed.value.text
