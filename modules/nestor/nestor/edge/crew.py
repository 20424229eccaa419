"""Threads for calls that may never return: daemons, each with a deadline, and a bound on those given up.

At its end the interpreter waits for the threads of `concurrent.futures` and for all that are no daemons; one hung call
would keep the process until it is killed. So everything that blocks runs here.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from nestor.errors import Unavailable

_Result = TypeVar("_Result")


class Overdue(Unavailable):
    """A call did not return in its time; its thread may hang for good."""


class Crew:
    """Runs blocking calls beside the event loop; no more than `most` may hang."""

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self._overdue: set[threading.Thread] = set()

    @property
    def overdue(self) -> int:
        """How many threads were given up and have not ended since."""
        self._overdue = {thread for thread in self._overdue if thread.is_alive()}
        return len(self._overdue)

    async def call(
        self,
        seconds: float,
        function: Callable[..., _Result],
        *arguments: Any,
        late: Callable[[_Result], object] = lambda _: None,
    ) -> _Result:
        """Call off the loop. Raises Overdue when the time is over; what comes later is given to `late`, in its thread.

        Raises Unavailable where too many calls hang already.
        """
        if self.overdue >= self._most:
            raise Unavailable(
                f"{self._most} calls to edgeHub or the runtime hang; no more are made.", "Restart the module."
            )
        answer: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        work = partial(_work, answer, partial(function, *arguments), late)
        thread = threading.Thread(target=work, name="edge call", daemon=True)
        thread.start()
        try:
            await asyncio.wait([answer], timeout=seconds)
        finally:
            if not answer.done():
                answer.cancel()
                self._overdue.add(thread)
        if answer.cancelled():
            raise Overdue(f"It did not answer within {seconds:g} s.")
        return answer.result()


def _work(answer: asyncio.Future[_Result], function: Callable[[], _Result], late: Callable[[_Result], object]) -> None:
    """Call, and tell the loop; where nobody waits any more, the result is for `late`."""
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 -- raised again where it is waited for
        _in_loop(answer, partial(_fail, answer, error))
        return

    def accept() -> None:
        if answer.done():
            threading.Thread(target=late, args=[result], name="edge late", daemon=True).start()
        else:
            answer.set_result(result)

    _in_loop(answer, accept)


def _fail(answer: asyncio.Future[Any], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)


def _in_loop(answer: asyncio.Future[Any], settle: Callable[[], object]) -> None:
    # A loop that has ended waits for nothing any more.
    with suppress(RuntimeError):
        answer.get_loop().call_soon_threadsafe(settle)


class Lane(Executor):
    """Runs what is submitted one after the other, on one daemon thread; can be given up with all that waits in it."""

    def __init__(self, name: str) -> None:
        self._lock = threading.Lock()
        self._waiting: set[Future[Any]] = set()
        self._queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, function: Callable[..., _Result], /, *arguments: Any, **named: Any) -> Future[_Result]:
        """Have something run when its turn comes."""
        future: Future[_Result] = Future()
        with self._lock:
            self._waiting.add(future)
        self._queue.put((future, partial(function, *arguments, **named)))
        return future

    def abandon(self) -> None:
        """Give up what runs and what waits: whoever waits for it is told, and the thread ends when it can."""
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            future.set_exception(Overdue("It was given up."))
        self._queue.put(None)

    def _work(self) -> None:
        while (taken := self._queue.get()) is not None:
            future, function = taken
            with self._lock:
                wanted = future in self._waiting
            if wanted:
                self._run(future, function)

    def _run(self, future: Future[Any], function: Callable[[], Any]) -> None:
        try:
            settle = partial(future.set_result, function())
        except BaseException as error:  # noqa: BLE001 -- raised again where it is waited for
            settle = partial(future.set_exception, error)
        with self._lock:
            wanted = future in self._waiting
            self._waiting.discard(future)
        if wanted:
            settle()
