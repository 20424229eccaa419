"""azure-iot-device, and nothing but that: one client, from its creation to its end. The only file that imports it.

Everything here blocks, and is called on threads of `crew.py`. It is the synchronous client, which brings no event loops
of its own. A client lives for one connection: the SDK's own reconnecting, and what it does after it, goes wrong in ways
that only a new client mends. So that no wait of the SDK lasts for ever, it is fitted once, when this file is imported:

threads     its pipeline and its callbacks run on daemon threads of ours, which can be given up
waits       a wait for an answer ends, also where the answer was lost
runtime     its calls to the workload API have a time limit
log         nothing: its lines hold whole twins, or say again what the link tells
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import requests
import requests_unixsocket
from azure.iot import device
from azure.iot.device.common.evented_callback import EventedCallback
from azure.iot.device.common.pipeline import pipeline_stages_mqtt, pipeline_thread
from azure.iot.device.common.pipeline.pipeline_exceptions import OperationTimeout
from azure.iot.device.iothub import edge_hsm, sync_clients
from azure.iot.device.iothub.pipeline import mqtt_pipeline

from nestor.cloud import Message, MethodAnswer
from nestor.edge.crew import Lane
from nestor.edge.told import Called, Declined, Lost, Missed, Parted, Patched, Told
from nestor.errors import Unavailable

_SDK: Any = device
"""Its types are half told."""

_LONGEST_WAIT = 40.0
"""Seconds until a wait that nobody waits for any more ends."""
_HANDSHAKE = 20
"""Seconds for TLS and for CONNACK each; also what MQTT calls keep-alive, because the SDK knows no other limit."""

_RUNTIME = 10.0

_HINT = "On the host, see `iotedge list` and `iotedge logs edgeHub`; Nestor tries again by itself."
_SENTENCES: Mapping[str, tuple[str, str]] = {
    "TlsExchangeAuthError": (
        "The TLS certificate of edgeHub is not accepted.",
        "Its name must be the `hostname` of config.toml, its root in the trust bundle of this device.",
    ),
    "CredentialError": ("edgeHub refused the credentials of this module.", _HINT),
    "UnauthorizedError": ("edgeHub refused the credentials of this module.", _HINT),
    "ConnectionFailedError": ("edgeHub cannot be reached.", _HINT),
    "ConnectionDroppedError": ("The connection to edgeHub was lost.", _HINT),
    "NoConnectionError": ("The connection to edgeHub was lost.", _HINT),
    "OperationCancelled": ("The connection to edgeHub was lost.", _HINT),
    "OperationTimeout": ("edgeHub did not answer in time.", _HINT),
    "SasTokenError": ("The IoT Edge runtime did not sign a token for edgeHub.", _HINT),
    "IoTEdgeError": ("The IoT Edge runtime did not give its trust bundle.", _HINT),
    "RequestException": ("The IoT Edge runtime does not answer at its workload socket.", _HINT),
    "Overdue": ("edgeHub did not answer in time.", _HINT),
}
_STATUS = re.compile(r"status (\d{3})")


class Client:
    """One connection to edgeHub. Methods raise Lost, and Declined where edgeHub answered no."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def create(cls, product: str, token_seconds: int) -> "Client":
        """A client that is not connected yet. `product` is the model id (`dtmi:...`) of this module, or its name."""
        make = partial(
            _SDK.IoTHubModuleClient.create_from_edge_environment,
            product_info=product,
            sastoken_ttl=token_seconds,
            keep_alive=_HANDSHAKE,
            auto_connect=False,
            connection_retry=False,
            ensure_desired_properties=False,
        )
        return cls(_asked(make))

    def connect(self) -> None:
        """Connect."""
        _asked(self._client.connect)

    def listen(self, hear: Callable[[Told], None]) -> None:
        """Subscribe to everything. `hear` is called on threads of the SDK, several at a time, in no order."""

        def state_changed() -> None:
            if not self._client.connected:
                hear(Parted(_lost("ConnectionDroppedError")))

        def failed(error: Exception) -> None:
            fault = _fault(error)
            hear(Parted(fault) if isinstance(fault, Lost) and _names(error) & _SENTENCES.keys() else Missed())

        def called(request: Any) -> None:
            hear(Called(request, request.name, request.payload))

        def subscribe() -> None:
            self._client.on_connection_state_change = state_changed
            self._client.on_background_exception = failed
            self._client.on_twin_desired_properties_patch_received = lambda patch: hear(Patched(patch))
            self._client.on_method_request_received = called
            if not self._client.connected:
                raise _lost("ConnectionDroppedError")  # before anybody heard of it

        _asked(subscribe)

    def twin(self) -> object:
        """The whole twin."""
        return _asked(self._client.get_twin)

    def report(self, patch: Mapping[str, Any]) -> None:
        """Merge a patch into the reported properties."""
        _asked(partial(self._client.patch_twin_reported_properties, dict(patch)))

    def send(self, message: Message) -> None:
        """Send a message from one of this module's outputs."""
        sent = _SDK.Message(message.body, content_encoding="utf-8", content_type=message.content_type)
        sent.custom_properties = dict(message.properties)
        _asked(partial(self._client.send_message_to_output, sent, message.output))

    def answer(self, call: Called, answer: MethodAnswer) -> None:
        """Answer a direct method."""
        response = _SDK.MethodResponse.create_from_method_request(call.request, answer.status, dict(answer.payload))
        _asked(partial(self._client.send_method_response, response))

    def close(self) -> None:
        """End it, connected or not."""
        for _ in range(2):  # the first may stumble over a connection that broke
            with suppress(Unavailable):
                _asked(self._client.shutdown)
                return


def abandon_threads() -> None:
    """Give up what the SDK does at this moment, and let what it does next happen on other threads."""
    for name in ("pipeline", "callback"):
        lane = pipeline_thread._executors.get(name)  # noqa: SLF001 -- the only door to them
        pipeline_thread._executors[name] = Lane(f"edge {name}")  # noqa: SLF001
        if isinstance(lane, Lane):
            lane.abandon()


class _Wait(EventedCallback):
    """The SDK's wait for an answer, which ends."""

    def wait_for_completion(self) -> Any:
        if not self.completion_event.wait(_LONGEST_WAIT):
            raise OperationTimeout
        return super().wait_for_completion()  # type: ignore[no-untyped-call]


def _fit() -> None:
    """Fit the SDK: see the head of this file."""
    for name in ("azure", "paho"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    abandon_threads()
    callers: tuple[Any, ...] = (sync_clients, mqtt_pipeline)
    for caller in callers:
        caller.EventedCallback = _Wait
    pipeline_stages_mqtt.WATCHDOG_INTERVAL = _HANDSHAKE
    runtime: Any = edge_hsm
    runtime.requests = SimpleNamespace(
        get=partial(_ask_runtime, "GET"), post=partial(_ask_runtime, "POST"), exceptions=requests.exceptions
    )


def _ask_runtime(method: str, url: str, **named: Any) -> Any:
    """Call the workload API for the SDK: within a time, and without leaving a socket behind."""
    with requests_unixsocket.Session() as session:  # type: ignore[no-untyped-call]
        return session.request(method, url, timeout=_RUNTIME, **named)


def _asked(ask: Callable[[], Any]) -> Any:
    """What the SDK answers. Raises Lost or Declined for whatever it raises."""
    try:
        return ask()
    except Unavailable:
        raise
    except Exception as error:
        raise _fault(error) from error


def _fault(error: BaseException) -> Unavailable:
    """What a failure of the SDK means."""
    for cause in _causes(error):
        if type(cause).__name__ == "ServiceError":
            status = int(told[1]) if (told := _STATUS.search(str(cause))) else 500
            return Declined(f"edgeHub answered with status {status}.", _HINT, status=status)
        for kind in type(cause).__mro__:
            if kind.__name__ in _SENTENCES:
                return _lost(kind.__name__)
    if any(isinstance(cause, ValueError | TypeError) for cause in _causes(error)):
        return Declined("This is nothing that the SDK of edgeHub can send or read.", status=400)
    return Lost(f"The SDK of edgeHub failed: {type(error).__name__}.", _HINT)


def _lost(name: str) -> Lost:
    return Lost(*_SENTENCES[name])


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for cause in _causes(error) for kind in type(cause).__mro__}


_fit()
