"""The whole stand-in, for synchronous callers: it runs in a thread with an event loop of its own.

Everything here may be called from any thread, and everything that waits has a deadline.
"""

import secrets
import shutil
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from standin import address
from standin.broker import PORT
from standin.changes import Changes
from standin.cloud import Cloud
from standin.faults import Faults
from standin.hub import EdgeHub
from standin.identity import ModuleIdentity
from standin.loop import LoopThread
from standin.pki import ServerCertificate, make_pki, server_context
from standin.twin import Document
from standin.web import Request
from standin.workload import WorkloadAPI

API_VERSION = "2022-08-03"


class Edge(Cloud):
    """A device with IoT Edge on it, as one module sees it: edgeHub, the workload API, and the cloud behind them.

    `hub_present` False starts without an edgeHub; `hub_returns` brings it. `web` opens port 443 as well.
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
        web: bool = False,
    ) -> None:
        self.faults = Faults()
        self.parent = parent
        self._hub_present = hub_present
        self._web = web
        self._claim = address.claim(PORT)
        self._place = Path(tempfile.mkdtemp(prefix="nestor-edge-"))
        self._identity = ModuleIdentity(hub, device, module, _generation(), secrets.token_bytes(32))
        self._pki = make_pki(device, _now())
        self._context = server_context(self._issue(self.address, "edgeHub"))
        changes = Changes()
        super().__init__(EdgeHub(self._identity, self.faults, changes.notify), LoopThread("stand-in"), changes)
        self._hub.twin = replace(self._hub.twin, desired=dict(desired or {}))
        self._workload = WorkloadAPI(self._identity, self._pki, self.faults, self._issue, changes.notify)

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
        try:
            self._loop.call(self._close())
        finally:
            self._end()

    def drop(self) -> None:
        """Break the connection off."""
        self._loop.do(self._hub.drop)

    def forget_session(self) -> None:
        """Break the connection off, and forget what the module subscribed to."""
        self._loop.do(self._hub.forget)

    def lose_subscriptions(self) -> None:
        """Forget what the module subscribed to, and let the connection be."""
        self._loop.do(self._hub.unsubscribe)

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

    def server_certificate(self, name: str) -> ServerCertificate:
        """A certificate below the Edge CA, for another server of this device."""
        return self._issue(name, name)

    @property
    def web_requests(self) -> tuple[Request, ...]:
        """What came to port 443."""
        return tuple(self._hub.web_requests)

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

    async def _open(self) -> None:
        await self._workload.open(self.socket)
        if self._hub_present:
            await self._hub.open(self.address, self._context)
        if self._web:
            await self._hub.open_web(self.address, self._context)

    async def _close(self) -> None:
        self._hub.close()
        await self._workload.close()

    def _adopt_identity(self) -> None:
        self._hub.identity = self._workload.identity = self._identity
        self._hub.twin = type(self._hub.twin)()
        self._hub.forget()

    def _issue(self, common_name: str, name: str) -> ServerCertificate:
        return self._pki.server(common_name, (name,), _now())

    def _end(self) -> None:
        self._loop.stop()
        self._claim.release()
        shutil.rmtree(self._place, ignore_errors=True)


def _generation() -> str:
    return str(time.time_ns())


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 -- TLS lives now
