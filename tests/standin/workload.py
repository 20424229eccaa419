"""The workload API of the IoT Edge runtime on a unix socket, for one module. It lives in one event loop.

Paths, statuses and bodies are those of edgelet-http-workload; errors are JSON with one message.
"""

import asyncio
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from standin.faults import Faults
from standin.identity import ModuleIdentity
from standin.pki import EdgePKI, ServerCertificate

AT_ONCE = 10
"""Requests that one socket takes at a time; the next one is hung up on."""

VERSIONS = ("2018-06-28", "2019-01-30", "2019-10-22", "2019-11-05", "2020-07-07", "2021-12-07", "2022-08-03")

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MODULE = "/modules/{module}/genid/{generation}"


class WorkloadAPI:
    """What aziot-edged does for the modules; `issue` signs a server certificate for a common name and another name.

    `changed` is called whenever a call has come.
    """

    def __init__(
        self,
        identity: ModuleIdentity,
        pki: EdgePKI,
        faults: Faults,
        issue: Callable[[str, str], ServerCertificate],
        changed: Callable[[], None],
    ) -> None:
        self.identity = identity
        self.pki = pki
        self.faults = faults
        self.sealing_key = AESGCM.generate_key(256)
        self.calls: list[str] = []
        self.most_at_once = 0
        self._issue = issue
        self._changed = changed
        self._now_served = 0
        self._runner: web.AppRunner | None = None

    async def open(self, socket: Path) -> None:
        """Listen."""
        application = web.Application(middlewares=[self._door])
        application.add_routes(
            [
                web.get("/trust-bundle", self._trust_bundle),
                web.get("/manifest-trust-bundle", self._manifest_trust_bundle),
                web.get("/modules", self._modules),
                web.post(f"{_MODULE}/sign", self._sign),
                web.post(f"{_MODULE}/certificate/server", self._server),
                web.post(f"{_MODULE}/encrypt", self._encrypt),
                web.post(f"{_MODULE}/decrypt", self._decrypt),
            ]
        )
        self._runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0, access_log=None)
        await self._runner.setup()
        await web.UnixSite(self._runner, os.fspath(socket)).start()

    async def close(self) -> None:
        """Go away; the socket goes too."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _door(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """What holds for every call: at most ten at a time, a version, the caller's own module, the faults in force."""
        word = request.path.rsplit("/", 1)[-1]
        self.calls.append(word)
        if self._now_served >= AT_ONCE:
            return _hang_up(request)
        self._now_served += 1
        self.most_at_once = max(self.most_at_once, self._now_served)
        self._changed()
        try:
            if self.faults.workload_hangs:
                await asyncio.Event().wait()
            await asyncio.sleep(self.faults.workload_delay)
            return self._refusal(request, word) or await handler(request)
        except (ValueError, KeyError, TypeError) as reason:
            return _error(400, f"the request body is malformed: {reason}")
        except web.HTTPException as reason:
            return _error(reason.status, reason.reason)
        finally:
            self._now_served -= 1

    def _refusal(self, request: web.Request, word: str) -> web.Response | None:
        version = request.query.get("api-version")
        if version not in VERSIONS:
            return _error(400, f"invalid api-version {version}" if version else "api-version not specified")
        if request.match_info.get("module", self.identity.module) != self.identity.module:
            return _error(403, "Module not found for caller")
        if word in self.faults.workload_failing:
            return _error(500, f"{word} failed, as it was told to")
        return None

    async def _trust_bundle(self, _request: web.Request) -> web.Response:
        return web.json_response({"certificate": self.faults.workload_trust or self.pki.trust_bundle})

    async def _manifest_trust_bundle(self, _request: web.Request) -> web.Response:
        return web.json_response({"certificate": ""})

    async def _modules(self, _request: web.Request) -> web.Response:
        names = ("edgeAgent", "edgeHub", self.identity.module)
        return web.json_response({"modules": [_module(name) for name in names]})

    async def _sign(self, request: web.Request) -> web.Response:
        digest = self.identity.sign(_bytes(await _body(request), "data"))
        return web.json_response({"digest": b64encode(digest).decode()})

    async def _server(self, request: web.Request) -> web.Response:
        common_name = (await _body(request))["commonName"]
        issued = await asyncio.to_thread(self._issue, common_name, self.identity.module.lstrip("$"))
        answer = {
            "privateKey": {"type": "key", "bytes": issued.key},
            "certificate": issued.chain,
            "expiration": issued.expiration.isoformat(),
        }
        return web.json_response(answer, status=201)

    async def _encrypt(self, request: web.Request) -> web.Response:
        body = await _body(request)
        vector, plaintext = _bytes(body, "initializationVector"), _bytes(body, "plaintext")
        sealed = AESGCM(self.sealing_key).encrypt(vector, plaintext, self._bound(request))
        return web.json_response({"ciphertext": b64encode(sealed).decode()})

    async def _decrypt(self, request: web.Request) -> web.Response:
        body = await _body(request)
        vector, sealed = _bytes(body, "initializationVector"), _bytes(body, "ciphertext")
        try:
            plaintext = AESGCM(self.sealing_key).decrypt(vector, sealed, self._bound(request))
        except InvalidTag:
            return _error(500, "failed to decrypt: internal error")
        return web.json_response({"plaintext": b64encode(plaintext).decode()})

    def _bound(self, request: web.Request) -> bytes:
        """What a sealed secret is bound to: it opens for the same module of the same generation alone."""
        return (request.match_info["module"] + request.match_info["generation"]).encode()


async def _body(request: web.Request) -> Mapping[str, Any]:
    body = await request.read()
    if not body:
        raise ValueError("missing request body")
    told = json.loads(body)
    if not isinstance(told, dict):
        raise TypeError("it is no object")
    return told


def _bytes(body: Mapping[str, Any], name: str) -> bytes:
    return b64decode(body[name], validate=True)


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # goes nowhere


def _module(name: str) -> Mapping[str, Any]:
    runtime = {"runtimeStatus": {"status": "running", "description": None}, "exitStatus": None}
    return {
        "id": name,
        "name": name,
        "type": "docker",
        "config": {"settings": {}, "env": []},
        "status": {"startTime": None, **runtime},
    }
