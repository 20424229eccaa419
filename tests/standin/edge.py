"""The whole stand-in, for synchronous callers: it runs in a thread with an event loop of its own.

Everything here may be called from any thread, and everything that waits has a deadline.
"""

import json
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from standin import address
from standin.errors import StandInError
from standin.faults import Faults
from standin.hub import PORT, EdgeHub, Message, Report
from standin.identity import ModuleIdentity
from standin.loop import PATIENCE, LoopThread
from standin.pki import ServerCertificate, make_pki, server_context
from standin.twin import Document, difference, merged
from standin.workload import WorkloadAPI

API_VERSION = "2022-08-03"
_NOW_AND_THEN = 0.1


class Edge:
    """A device with IoT Edge on it, as one module sees it: edgeHub, the workload API, and the cloud behind them.

    `hub_present` False starts without an edgeHub; `hub_returns` brings it.
    """

    def __init__(
        self,
        desired: Document | None = None,
        *,
        hub: str = "plant.azure-devices.net",
        device: str = "gateway-1",
        module: str = "nestor",
        parent: str = "",
        hub_present: bool = True,
    ) -> None:
        self.faults = Faults()
        self.parent = parent
        self._hub_present = hub_present
        self._changed = threading.Condition()
        self._changes = 0
        self._claim = address.claim(PORT)
        self._place = Path(tempfile.mkdtemp(prefix="nestor-edge-"))
        self._identity = ModuleIdentity(hub, device, module, _generation(), secrets.token_bytes(32))
        self._pki = make_pki(device, _now())
        self._context = server_context(self._issue(self.address, "edgeHub"))
        self._hub = EdgeHub(self._identity, self.faults, self._notify)
        self._hub.twin = replace(self._hub.twin, desired=dict(desired or {}))
        self._workload = WorkloadAPI(self._identity, self._pki, self.faults, self._issue, self._notify)
        self._loop = LoopThread("stand-in")

    @property
    def address(self) -> str:
        """The host name of the device: an address of this machine's loopback network."""
        return self._claim.address

    @property
    def socket(self) -> Path:
        """The socket of the workload API."""
        return self._place / "workload.sock"

    @property
    def identity(self) -> ModuleIdentity:
        """Who the module is."""
        return self._identity

    def environment(self) -> dict[str, str]:
        """The variables that the runtime gives to the module."""
        told = {
            "IOTEDGE_WORKLOADURI": f"unix://{self.socket}",
            "IOTEDGE_AUTHSCHEME": "sasToken",
            "IOTEDGE_MODULEGENERATIONID": self._identity.generation,
            "IOTEDGE_IOTHUBHOSTNAME": self._identity.hub,
            "IOTEDGE_GATEWAYHOSTNAME": self.address,
            "IOTEDGE_DEVICEID": self._identity.device,
            "IOTEDGE_MODULEID": self._identity.module,
            "IOTEDGE_APIVERSION": API_VERSION,
        }
        return told | ({"IOTEDGE_PARENTHOSTNAME": self.parent} if self.parent else {})

    def __enter__(self) -> Self:
        self._loop.start()
        try:
            self._loop.call(self._open())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_reason: object) -> None:
        self._loop.call(self._close())
        self._end()

    # The twin, as the cloud sees it.

    @property
    def desired(self) -> Document:
        """The desired properties, without their version."""
        return deepcopy(dict(self._hub.twin.desired))

    @property
    def desired_version(self) -> int:
        """The version of the desired properties."""
        return self._hub.twin.desired_version

    @property
    def reported(self) -> Document:
        """The reported properties, without their version."""
        return deepcopy(dict(self._hub.twin.reported))

    @property
    def reports(self) -> tuple[Report, ...]:
        """Every patch of reported properties that arrived, in order."""
        return tuple(self._hub.reports)

    @property
    def broken_rules(self) -> tuple[str, ...]:
        """Why edgeHub refused what the module sent, a sentence for each."""
        return tuple(self._hub.broken_rules)

    def patch_desired(self, patch: Document) -> int:
        """Merge a patch into the desired properties, null deletes; tells the new version."""
        return self._loop.do(lambda: self._want(merged(self._hub.twin.desired, patch), patch))

    def replace_desired(self, desired: Document) -> int:
        """Replace all desired properties; tells the new version."""
        return self._loop.do(lambda: self._want(desired, difference(self._hub.twin.desired, desired)))

    def reset_versions(self, version: int = 1) -> None:
        """Let the version of the desired properties start anew, as after the module was made anew in the cloud."""
        self._loop.do(lambda: setattr(self._hub, "twin", replace(self._hub.twin, desired_version=version)))

    def release_patches(self, *, reverse: bool = False) -> None:
        """Send the changes that `Delivery.HELD` kept."""
        self._loop.do(lambda: self._hub.release(reverse=reverse))

    def wait_for_reported(self, holds: Callable[[Document], bool], seconds: float = 10) -> Document:
        """The reported properties as soon as something holds of them. Raises StandInError when the time is over."""
        self.wait_until(lambda: holds(self.reported), seconds, lambda: f"reported: {_pretty(self.reported)}")
        return self.reported

    # Methods and messages.

    def invoke(self, method: str, payload: Any = None, seconds: float = 10) -> tuple[int, Any]:
        """Call a direct method: its status and its answer. Raises StandInError when there is none."""
        return self._loop.call(self._hub.invoke(method, payload, seconds), seconds + PATIENCE)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Every message that the module sent, in order."""
        return tuple(self._hub.messages)

    def wait_for_messages(self, count: int, seconds: float = 10) -> tuple[Message, ...]:
        """All messages, as soon as there are so many."""
        self.wait_until(lambda: len(self.messages) >= count, seconds, lambda: f"messages: {self.messages}")
        return self.messages

    # The connection.

    @property
    def hub_present(self) -> bool:
        """Whether edgeHub is there."""
        return self._hub.listening

    @property
    def connected(self) -> bool:
        """Whether the module is connected."""
        return self._hub.connected

    @property
    def connections(self) -> int:
        """How many times the module has connected."""
        return len(self._hub.visitors)

    @property
    def refusals(self) -> int:
        """How many times somebody was turned away."""
        return self._hub.refused

    @property
    def user_name(self) -> str:
        """The user name of the last CONNECT: api-version, product, model id."""
        return self._hub.visitors[-1].user_name if self._hub.visitors else ""

    @property
    def subscriptions(self) -> frozenset[str]:
        """The topics that the module subscribed to."""
        return self._hub.subscriptions

    @property
    def twin_reads(self) -> int:
        """How many times the module has asked for its twin."""
        return self._hub.twin_reads

    def wait_connected(self, seconds: float = 10) -> None:
        """Wait until the module is connected."""
        self.wait_until(lambda: self.connected, seconds, lambda: "nobody is connected")

    def wait_until(
        self, holds: Callable[[], bool], seconds: float, told: Callable[[], str] = lambda: "nothing more is known"
    ) -> None:
        """Wait until something holds, asked at every change here and now and then. Raises StandInError in the end."""
        end = time.monotonic() + seconds
        while True:
            with self._changed:
                seen = self._changes
            if holds():
                return
            with self._changed:
                left = end - time.monotonic()
                if left <= 0:
                    raise StandInError(f"Waited {seconds:g} s in vain; {told()}.")
                if self._changes == seen:
                    self._changed.wait(min(left, _NOW_AND_THEN))

    # What happens to a device.

    def drop(self) -> None:
        """Break the connection off."""
        self._loop.do(self._hub.drop)

    def forget_session(self) -> None:
        """Break the connection off, and forget what the module subscribed to."""
        self._loop.do(self._hub.forget)

    def hub_leaves(self) -> None:
        """edgeHub stops: no port, no connection."""
        self._loop.do(self._hub.close)

    def hub_returns(self) -> None:
        """edgeHub starts again."""
        self._loop.call(self._hub.open(self.address, self._context))

    def workload_leaves(self) -> None:
        """The workload API stops; its socket is gone."""
        self._loop.call(self._workload.close())
        self.socket.unlink()

    def workload_returns(self) -> None:
        """The workload API starts again."""
        self._loop.call(self._workload.open(self.socket))

    @property
    def workload_calls(self) -> tuple[str, ...]:
        """The calls of the workload API so far, by the last word of their path."""
        return tuple(self._workload.calls)

    @property
    def workload_most_at_once(self) -> int:
        """How many calls of the workload API were under way at one moment, at most."""
        return self._workload.most_at_once

    @property
    def trust_bundle(self) -> str:
        """What the device trusts."""
        return self._pki.trust_bundle

    def renew_edge_ca(self, *, root: bool = False) -> None:
        """A new Edge CA, under a new root if told so; edgeHub starts anew with a certificate of it."""
        self._pki = self._pki.renewed(self._identity.device, _now(), root=root)
        self._workload.pki = self._pki
        self._context = server_context(self._issue(self.address, "edgeHub"))
        self.hub_leaves()
        self.hub_returns()

    def recreate_module(self) -> None:
        """Delete the module in the cloud and make it anew: new generation, new key, an empty twin."""
        self._identity = replace(self._identity, generation=_generation(), key=secrets.token_bytes(32))
        self._loop.do(self._adopt_identity)

    def lose_sealing_key(self) -> None:
        """Lose the key behind encrypt and decrypt, as a device whose aziot-keyd was cleaned."""
        self._workload.sealing_key = AESGCM.generate_key(256)

    # How it runs.

    async def _open(self) -> None:
        await self._workload.open(self.socket)
        if self._hub_present:
            await self._hub.open(self.address, self._context)

    async def _close(self) -> None:
        self._hub.close()
        await self._workload.close()

    def _want(self, desired: Document, patch: Document) -> int:
        self._hub.want(desired, patch)
        self._notify()
        return self._hub.twin.desired_version

    def _adopt_identity(self) -> None:
        self._hub.identity = self._workload.identity = self._identity
        self._hub.twin = type(self._hub.twin)()
        self._hub.forget()

    def _issue(self, common_name: str, name: str) -> ServerCertificate:
        return self._pki.server(common_name, (name,), _now())

    def _notify(self) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def _end(self) -> None:
        self._loop.stop()
        self._claim.release()
        shutil.rmtree(self._place, ignore_errors=True)


def _generation() -> str:
    return str(time.time_ns())


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 -- TLS lives now


def _pretty(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1)
