"""The server above, as it is asked: the first contact holds nobody up for longer than they have."""

import asyncio
from pathlib import Path

from nestor.app.clock import SystemClock
from nestor.errors import ParentAway
from nestor.upstream.client import Sending
from nestor.upstream.parent import Parent, Terms

_CROWD = 4
_WITHIN = 0.3


async def test_whoever_waits_for_the_first_contact_waits_no_longer_than_they_have(tmp_path: Path) -> None:
    held: list[asyncio.StreamWriter] = []

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    async with await asyncio.start_server(silent, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        terms = Terms(f"https://127.0.0.1:{port}", trust=None, fingerprint="00" * 32)
        parent = Parent(terms, lambda: None, place=tmp_path / "kept", clock=SystemClock(), tell=lambda _: None)
        asked = [
            parent.ask("default", lambda client, how: client.cacerts(how), Sending(within=_WITHIN))
            for _ in range(_CROWD)
        ]
        async with asyncio.timeout(_WITHIN * _CROWD):
            answers = await asyncio.gather(*asked, return_exceptions=True)
        for writer in held:
            writer.close()
    assert [type(answer) for answer in answers] == [ParentAway] * _CROWD
