"""An event loop in a thread of its own, for callers that have none."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

PATIENCE = 20.0
"""Seconds after which what was asked of the loop is given up."""

_Result = TypeVar("_Result")


class LoopThread:
    """Runs coroutines, and plain functions, between `start` and `stop`; whoever asks waits for the result."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Cancel what is left, and end."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    def call(self, work: Coroutine[Any, Any, _Result], seconds: float = PATIENCE) -> _Result:
        """The result of a coroutine."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def do(self, work: Callable[[], _Result]) -> _Result:
        """The result of a function that must run where the loop's objects live."""

        async def run() -> _Result:
            return work()

        return self.call(run())

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
