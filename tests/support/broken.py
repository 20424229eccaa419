"""A parent that can break in twelve ways and be whole again at once, always at the same port.

Some of it breaks below HTTP, where a switchboard takes the connections; the rest is said by a server that is sound
otherwise. Whatever it says, nobody may get a certificate of it that is not theirs.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from support import pki
from support.foreign import NAMES, Foreign
from support.server import free_port
from support.stub import Heard, Reply, certs_only

_ABORT = struct.pack("ii", 1, 0)
_HUGE = bytes(100 * 2**20)
_CERTS = {"Content-Type": "application/pkcs7-mime; smime-type=certs-only"}


class Switchboard:
    """A port whose connections go to another one, or come to an end as `mode` says: relay, reset or silent.

    While it is `losing`, what is asked on a connection arrives, and the answer is lost with the connection.
    """

    def __init__(self) -> None:
        self.losing = False
        self.port = free_port()
        self.target = 0
        self.mode = "relay"
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()

    def listen(self) -> None:
        """Take connections."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def hang_up(self) -> None:
        """Take none any more, and end those that are open."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """End the connections that are open."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        if self.mode == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            connection.close()
            return
        self._open.add(connection)
        if self.mode == "relay":
            onward = socket.create_connection(("127.0.0.1", self.target))
            self._open.add(onward)
            for way in ((connection, onward, True), (onward, connection, False)):
                threading.Thread(target=self._pump, args=way, daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, up: bool) -> None:
        with suppress(OSError):
            while (content := one.recv(65_536)) and (up or not self.losing):
                other.sendall(content)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR if up else socket.SHUT_RDWR)


@contextmanager
def silence() -> Iterator[int]:
    """A port where no packet is answered, as on a line that was cut: its queue is full, and nobody takes from it."""
    with socket.socket() as listener, ExitStack() as queue:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        yield listener.getsockname()[1]


class BreakableParent:
    """Somebody else's server behind a switchboard."""

    def __init__(self, place: Path) -> None:
        self.root = pki.authority("Foreign Root")
        (place / "sound").mkdir(parents=True)
        (place / "expired").mkdir()
        self.sound = Foreign(place / "sound", self.root)
        expired = self.root.expired("est", alternative_names=NAMES, server=True)
        self.expired = Foreign(place / "expired", self.root, shown=expired)
        self.board = Switchboard()
        self.base = f"https://localhost:{self.board.port}/.well-known/est"
        self._whole = dict(self.sound.answers)
        self._mended = threading.Event()

    @contextmanager
    def open(self) -> Iterator["BreakableParent"]:
        """Serve."""
        with self.sound, self.expired:
            self.board.target = self.sound.port
            self.board.listen()
            try:
                yield self
            finally:
                self.mend()
                self.board.hang_up()

    def break_down(self, how: str) -> None:
        """Break in one of WAYS."""
        self._mended.clear()
        WAYS[how](self)
        if self.board.mode != "relay" or self.board.target != self.sound.port:
            self.board.cut()

    def mend(self) -> None:
        """Be whole."""
        self._mended.set()
        self.sound.answers.update(self._whole)
        self.board.mode, self.board.target = "relay", self.sound.port
        self.board.cut()
        if self.board._listener is None:
            self.board.listen()

    def says(self, answer: Reply | Callable[[Heard], Reply]) -> None:
        """Say one thing to everything."""
        self.sound.answers.update(dict.fromkeys(self._whole, answer))

    def waits(self, heard: Heard) -> Reply:
        """Say nothing until it is mended."""
        self._mended.wait(60)
        return Reply(500, close=True)

    def certifies_another_key(self, heard: Heard) -> Reply:
        """Answer everything with a certificate for somebody's name and another key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return certs_only(self.sound.certify(heard.csr, key=key.public_key()))


def _mode(mode: str) -> Callable[[BreakableParent], None]:
    def change(parent: BreakableParent) -> None:
        parent.board.mode = mode

    return change


def _says(answer: Reply) -> Callable[[BreakableParent], None]:
    return lambda parent: parent.says(answer)


def _expires(parent: BreakableParent) -> None:
    parent.board.target = parent.expired.port


def _other_key(parent: BreakableParent) -> None:
    parent.sound.answers["simpleenroll"] = parent.certifies_another_key


WAYS: Mapping[str, Callable[[BreakableParent], None]] = {
    "dead": lambda parent: parent.board.hang_up(),
    "reset": _mode("reset"),
    "silent": _mode("silent"),
    "half-open": lambda parent: parent.says(parent.waits),
    "dripping": _says(Reply(200, b"MIIB" * 20, _CERTS, pause=1)),
    "garbage": _says(Reply(200, b"AAECAwQFBgcICQ==", _CERTS)),
    "another key": _other_key,
    "100 MB": _says(Reply(200, _HUGE, _CERTS, close=True)),
    "redirect": _says(Reply(302, b"", {"Location": "https://localhost:1/"})),
    "expired": _expires,
    "a huge Retry-After": _says(Reply(503, b"Later.", {"Retry-After": "1000000000", "Content-Type": "text/plain"})),
    "202 for ever": _says(Reply(202, b"Later.", {"Retry-After": "1", "Content-Type": "text/plain"})),
}
"""How a parent can be broken."""
