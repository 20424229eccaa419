"""Takes a call of a direct method, judges its payload, lets it work, answers. Raises nothing, and ends in time.

What a call began is never cut off in the middle: one that takes too long is answered, and goes on.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from pydantic import ValidationError

from nestor.app.answer import Answer
from nestor.app.methods.faults import answer_of
from nestor.app.methods.form import Method, Office
from nestor.app.methods.table import METHODS
from nestor.app.server import Server
from nestor.app.status import Status
from nestor.cloud import MethodAnswer
from nestor.document import Document
from nestor.errors import Malformed, NestorError, OurFault, TooLarge, TooOften, TooSlow, UnknownPath
from nestor.events import Note, Trouble
from nestor.settings import sentences
from nestor.twin.legal import size

DEADLINE = 20.0
"""Seconds until an answer; whoever calls waits 30 unless told."""

LARGEST = 128 * 1024 - 1
"""Bytes of an answer that IoT Hub takes."""

_LARGEST_PAYLOAD = 8 * 1024
"""Bytes of JSON; no method takes a tenth of it, and each key that is wrong takes time to be told."""

_AT_A_TIME = 8
_HINT = "docs/reference/methods.md tells every key."


class Methods:
    """The direct methods of a server; `read_status` gives what `getStatus` answers."""

    def __init__(
        self, server: Server, read_status: Callable[[], Awaitable[Status]], deadline: float = DEADLINE
    ) -> None:
        self._server = server
        self._office = Office(server, read_status)
        self._deadline = deadline
        self._working: set[asyncio.Future[Any]] = set()

    async def invoke(self, name: str, payload: object) -> MethodAnswer:
        """Answer a call."""
        method = METHODS.get(name)
        try:
            answer = await self._answer(_known(name, method), payload)
        except NestorError as fault:
            answer = answer_of(fault)
        except Exception as error:  # noqa: BLE001 -- a handler without an answer would leave the caller waiting
            self._server.ground.tell(Trouble("bug", f"The direct method {name} failed.", error))
            answer = answer_of(OurFault("Nestor failed by a fault of its own.", "Its log tells more."))
        if method is not None and method.changes:
            self._server.ground.tell(Note("direct method", f"{name} was answered with status {answer.status}."))
        return answer

    async def _answer(self, method: Method, payload: object) -> MethodAnswer:
        wish = judge_payload(method.payload, payload)
        if len(self._working) >= _AT_A_TIME:
            raise TooOften("Too many direct methods at a time.", "Ask again in a while.", retry_after=10)
        document = dict((await self._in_time(method.handle(self._office, wish))).document())
        if size(document) > LARGEST:
            raise TooLarge("The answer is larger than IoT Hub takes.", "Ask for less at a time.")
        return MethodAnswer(200, document)

    async def _in_time(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        done, _ = await asyncio.wait([task], timeout=self._deadline)
        if not done:
            task.add_done_callback(self._tell_late)
            raise TooSlow("It took too long, and goes on.", "Look later what became of it.")
        return task.result()

    def _tell_late(self, task: asyncio.Future[Any]) -> None:
        """Tell what became of a call whose caller did not wait for it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._server.ground.tell(Trouble("direct method", "One that took too long has failed.", error))


def judge_payload(kind: type[Document], payload: object) -> Document:
    """The payload as the method takes it; null stands for an empty one. Raises Malformed with a path for each fault."""
    try:
        text = json.dumps({} if payload is None else payload)
    except RecursionError:
        raise Malformed("The payload is nested too deep.", _HINT) from None
    if len(text) > _LARGEST_PAYLOAD:
        raise Malformed(f"The payload is larger than {_LARGEST_PAYLOAD} bytes.", _HINT)
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        told = " ".join(sentences(error, kind, "the payload"))
        raise Malformed(told, _HINT) from None


def _known(name: str, method: Method | None) -> Method:
    if method is None:
        raise UnknownPath(f"There is no direct method {name[:100]}.", f"Known are {', '.join(METHODS)}.")
    return method
