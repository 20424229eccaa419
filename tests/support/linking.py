"""A process that does nothing but keep a link to edgeHub, until SIGTERM: `python -m support.linking`."""

import asyncio
import signal
from contextlib import suppress

from nestor.app.clock import SystemClock
from nestor.edge.identity import read_identity
from nestor.edge.link import Link
from support.linked import SHORT, Writer


async def main() -> None:
    """Keep a link until told to stop, as the server does."""
    identity = read_identity()
    assert identity is not None
    link = Link(identity, product="nestor/test", clock=SystemClock(), tell=print, patience=SHORT)
    running = asyncio.ensure_future(link.run(Writer()))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    asyncio.run(main())
