"""Devices that enroll as fast as they are answered, from threads, and keep what they received for the checker."""

import hashlib
import http.client
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.serialization import Encoding

from support.answers import Answer
from support.device import PKCS10, Device, ask, wrapped
from support.shapes import client_auth, p256, request
from support.survival import Received

_PAUSE = 0.02
_BROKEN = (OSError, http.client.HTTPException)


@dataclass
class Load:
    """Some workers; each has a connection of its own, which it opens anew when it breaks, and asks again.

    Every third request is sent a second time after it was answered, as clients do whose answer got lost.
    """

    device: Device
    workers: int = 4
    requests_per_connection: int = 50
    received: list[Received] = field(default_factory=list)
    refused: list[Answer] = field(default_factory=list)
    broken: list[BaseException] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(self.workers)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Let every worker finish."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, more: int, seconds: float = 30.0) -> None:
        """Wait until so many more answers have come than there are now. Raises TimeoutError."""
        wanted, deadline = len(self.received) + more, time.monotonic() + seconds
        while len(self.received) < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no answers; {self.refused[-1:]} {self.broken[-1:]}")
            time.sleep(0.002)

    def _work(self, number: int) -> None:
        chance, key = random.Random(number), p256()
        der = b""
        while not self._stop.is_set():
            connection = self.device.connect()
            try:
                for turn in range(self.requests_per_connection):
                    if self._stop.is_set():
                        break
                    der = der or request(f"load-{number}-{chance.randrange(1 << 30)}", key, [client_auth()]).der
                    for _ in range(2 if turn % 3 == 2 else 1):
                        self._enroll(connection, der)
                    der = b""
            except _BROKEN as error:
                self.broken.append(error)
                self._stop.wait(_PAUSE)
            finally:
                connection.close()

    def _enroll(self, connection: http.client.HTTPSConnection, der: bytes) -> None:
        headers = self.device._headers({"Content-Type": PKCS10})
        answer = ask(connection, "POST", self.device.path("simpleenroll"), wrapped(der), headers)
        if answer.status != http.HTTPStatus.OK:
            self.refused.append(answer)
            self._stop.wait(_PAUSE)
            return
        certificate = answer.certificate
        sha256 = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
        name = hashlib.sha256(der).hexdigest()
        self.received.append(Received(name, certificate.serial_number, sha256))
