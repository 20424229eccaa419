"""What a person can do with the stand-in, a command each: a line of text in, a text out."""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standin.deployment import read_object
from standin.edge import Edge
from standin.errors import StandInError
from standin.module import Module
from standin.twin import Document

_PATIENCE = 10.0
_CONNECTING = 60.0
"""Modules do not come back in step: the pauses between their tries grow, and are drawn at random."""

_LINES = 20
_IN_FORCE = 200


class Desk:
    """An edge, and the module on it."""

    def __init__(self, edge: Edge, module: Module) -> None:
        self.edge = edge
        self.module = module
        self.finished = False

    def do(self, line: str) -> str:
        """Carry a line out. Raises StandInError when it cannot be."""
        word, _, rest = line.strip().partition(" ")
        if not word:
            return ""
        if word not in COMMANDS:
            raise StandInError(f"There is no command {word}; help shows them all.")
        return COMMANDS[word].run(self, rest.strip())

    def quit(self, _rest: str) -> str:
        """End."""
        self.finished = True
        return "Goodbye."

    def help(self, _rest: str) -> str:
        """The table of commands."""
        return help_table()

    def status(self, _rest: str) -> str:
        """How everything is."""
        ended = self.module.ended
        told = {
            "module": "running" if ended is None else f"ended with exit code {ended}; log tells why",
            "connection": f"{'connected' if self.edge.connected else 'not connected'}, {self.edge.connections} so far",
            "EST": self.module.url,
            "metrics": self.module.metrics,
            "desired": f"version {self.edge.desired_version}",
            "messages": str(len(self.edge.messages)),
            "data": str(self.module.data),
        }
        return _columns(list(told.items()))

    def desired(self, _rest: str) -> str:
        """The desired properties."""
        return _pretty({**self.edge.desired, "$version": self.edge.desired_version})

    def reported(self, rest: str) -> str:
        """The reported properties, or one of them."""
        reported = self.edge.reported
        if rest and rest not in reported:
            raise StandInError(f"{rest} is not among the reported properties: {', '.join(reported) or 'none'}.")
        if not reported:
            return "Nothing is reported yet."
        return _pretty(reported[rest] if rest else reported)

    def patch(self, rest: str) -> str:
        """Merge into the desired properties."""
        patch = _document(rest)
        return self._await(patch, self.edge.patch_desired(patch))

    def replace(self, rest: str) -> str:
        """Replace the desired properties."""
        desired = _document(rest)
        return self._await(desired, self.edge.replace_desired(desired))

    def method(self, rest: str) -> str:
        """Call a direct method."""
        name, _, payload = rest.partition(" ")
        if not name:
            raise StandInError("Which method? For example: method getStatus {}")
        status, answer = self.edge.invoke(name, _document(payload) if payload.strip() else {})
        return f"status {status}\n{_pretty(answer)}"

    def messages(self, rest: str) -> str:
        """The messages of the module."""
        told = [f"{one.output}: {_body(one.body)}" for one in self.edge.messages[-_count(rest) :]]
        return "\n".join(told) or "No message yet."

    def enroll(self, rest: str) -> str:
        """Let a device in, and get it a certificate."""
        if not rest or " " in rest:
            raise StandInError("Which device? For example: enroll gateway-7")
        place, password = self.module.data.parent, secrets.token_urlsafe()
        certificate, key, anchor = (place / f"{name}.pem" for name in (f"{rest}.cert", f"{rest}.key", "ca"))
        host = ("--data", str(self.module.data))
        self.module.nestor("user", "add", rest, *host, stdin=password)
        own = self.module.nestor("ca", "export", *host)
        anchor.write_text(f"{own}\n{self.edge.trust_bundle}", "utf-8")  # the runtime may have made its certificate
        wish = ("--common-name", rest, "--user", rest, "--cacert", str(anchor), "--force")
        files = ("--out", str(certificate), "--key-out", str(key))
        variables = {"NESTOR_EST_PASSWORD": password}
        return self.module.nestor("est", "enroll", self.module.url, *wish, *files, variables=variables)

    def offline(self, _rest: str) -> str:
        """edgeHub goes away."""
        if not self.edge.hub_present:
            raise StandInError("edgeHub is gone already.")
        self.edge.hub_leaves()
        return "edgeHub is gone."

    def online(self, _rest: str) -> str:
        """edgeHub comes back."""
        if self.edge.hub_present:
            raise StandInError("edgeHub is there already.")
        before = self.edge.connections
        self.edge.hub_returns()
        return self._await_connection("edgeHub is back", before)

    def restart(self, _rest: str) -> str:
        """Stop the module, and start it again."""
        before, code = self.edge.connections, self.module.stop()
        self.module.start()
        return self._await_connection(f"Stopped with exit code {code}, and started again", before)

    def log(self, rest: str) -> str:
        """The end of the module's log."""
        return "\n".join(self.module.last_lines(_count(rest)))

    def _await_connection(self, told: str, before: int) -> str:
        """Wait until the module has connected more often than before, and tell."""
        if not self.edge.hub_present:
            return f"{told}."
        start = time.monotonic()
        try:
            self.edge.wait_until(lambda: self.edge.connections > before, _CONNECTING)
        except StandInError:
            return f"{told}; not connected within {_CONNECTING:g} s, log may tell why."
        return f"{told}; connected after {time.monotonic() - start:.1f} s."

    def _await(self, document: Document, version: int) -> str:
        """Wait until the module acknowledged a version, and tell how: what was changed, and what is refused beside."""
        told = f"Desired properties, version {version}."
        if not self.edge.connected:
            return f"{told} The module is not connected; it hears of them when it is back."
        there = list(self.edge.desired)
        try:
            reported = self.edge.wait_for_reported(lambda now: _acknowledged(now, there, version), _PATIENCE)
        except StandInError:
            return f"{told} Not acknowledged within {_PATIENCE:g} s; log may tell why."
        shown = [name for name in there if name in document or not _is_in_force(reported[name])]
        rows = [(f"  {name}", _verdict(reported[name])) for name in shown]
        return "\n".join([told, _columns(rows)]).strip()


@dataclass(frozen=True, slots=True)
class Command:
    """How a command is written, what it does, and who does it."""

    usage: str
    meaning: str
    run: Callable[[Desk, str], str]


COMMANDS: Mapping[str, Command] = {
    "status": Command("status", "how module and connection are", Desk.status),
    "desired": Command("desired", "show the desired properties", Desk.desired),
    "patch": Command("patch JSON", "merge into the desired properties; null deletes", Desk.patch),
    "replace": Command("replace JSON", "replace all desired properties", Desk.replace),
    "reported": Command("reported [NAME]", "show the reported properties, or one of them", Desk.reported),
    "method": Command("method NAME [JSON]", "call a direct method", Desk.method),
    "enroll": Command("enroll DEVICE", "let a device in, and get it a certificate by EST", Desk.enroll),
    "messages": Command("messages [COUNT]", "show the last messages of the module", Desk.messages),
    "offline": Command("offline", "let edgeHub go away", Desk.offline),
    "online": Command("online", "let edgeHub come back", Desk.online),
    "restart": Command("restart", "stop the module with SIGTERM, and start it again", Desk.restart),
    "log": Command("log [COUNT]", "show the end of the module's log", Desk.log),
    "help": Command("help", "show this table", Desk.help),
    "quit": Command("quit", "stop everything", Desk.quit),
}


def help_table() -> str:
    """Every command, and what it does. JSON may also be @FILE."""
    rows = [(f"  {command.usage}", command.meaning) for command in COMMANDS.values()]
    return f"{_columns(rows)}\nJSON is written as it is, or in a file: @FILE."


def _document(text: str) -> dict[str, Any]:
    """A JSON object, as typed, in quotes as a shell wants it, or in a file."""
    typed = text.strip()
    if typed.startswith("@"):
        try:
            return read_object(Path(typed[1:]).read_text("utf-8"))
        except OSError as reason:
            raise StandInError(f"{typed[1:]} cannot be read: {reason.strerror}.") from reason
    return read_object(typed[1:-1] if typed[:1] == typed[-1:] == "'" else typed)


def _acknowledged(reported: Document, names: Sequence[str], version: int) -> bool:
    """Whether every name has an acknowledgment of IoT Plug and Play for this version or a later one."""
    told = [reported.get(name) for name in names]
    return all(isinstance(one, Mapping) and int(one.get("av", -1)) >= version for one in told)


def _is_in_force(acknowledgment: Mapping[str, Any]) -> bool:
    return acknowledgment.get("ac") == _IN_FORCE


def _body(body: bytes) -> str:
    try:
        return _pretty(json.loads(body))
    except ValueError:
        return body.decode(errors="replace")


def _verdict(acknowledgment: Mapping[str, Any]) -> str:
    """What a module says of a property: a status, and a sentence unless all is well."""
    return f"{acknowledgment['ac']}  {acknowledgment.get('ad') or 'in force'}"


def _count(text: str) -> int:
    if not text:
        return _LINES
    if not text.isascii() or not text.isdigit() or not int(text):
        raise StandInError(f"{text} is no number of lines.")
    return int(text)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _columns(rows: Sequence[tuple[str, str]]) -> str:
    width = max((len(left) for left, _ in rows), default=0)
    return "\n".join(f"{left:<{width}}  {right}".rstrip() for left, right in rows)
