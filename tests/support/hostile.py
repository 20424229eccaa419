"""Three hundred desired documents that no module may put into force, each with the path that has to be named.

They are made from the settings themselves, so that new keys get their share: every key with a value of another kind,
every table with a key that there is not, every rule of widening; and by hand what else people and attackers write.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from nestor.document import Document
from nestor.settings import Settings
from support.widening import CASES, MAKER

_ENTRIES = {
    "profiles": "mine",
    "access.users": "line1",
    "access.bootstrap": "factory",
    "access.forwarders": "line1",
    "access.layers": "layer2",
    "labels": "line1",
    "routes": "registry",
}
_SHARED_KEY = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
_PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBkg4LVWM9nuwNSk3yByxZpYRTBnVJk5oC1QWo6IbUGwoAoGCCqGSM49\n-----END EC"
_QUICK_HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2E$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"


_CANNOT_BE: Sequence[tuple[str, Any]] = (
    ("listener.hostnames", ""),
    ("listener.hostnames", "*.plant.example"),
    ("listener.hostnames", "not a name"),
    ("listener.hostnames", "999.1.1.1"),
    ("listener.port", -1),
    ("listener.port", 65_536),
    ("listener.port", 80.5),
    ("listener.limits.connections", 0),
    ("listener.limits.handshake", "0s"),
    ("listener.limits.handshake", "5"),
    ("listener.serverCertificate.lifetime", "60m"),
    ("ca.subject", "Plant"),
    ("ca.keyType", "dsa"),
    ("ca.rsaBits", 1024),
    ("ca.lifetime", "101y"),
    ("profiles.deviceIdentity.lifetime", "-1d"),
    ("profiles.deviceIdentity.lifetime", "1s"),
    ("profiles.deviceIdentity.jitter", "51%"),
    ("profiles.deviceIdentity.keys", "dsa"),
    ("profiles.deviceIdentity.keys", ""),
    ("profiles.deviceIdentity.rsaMinimum", 1024),
    ("profiles.deviceIdentity.extendedKeyUsage", "anyExtendedKeyUsage"),
    ("profiles.deviceIdentity.extendedKeyUsage", "1.3.6.1.5.5.7.3.28"),
    ("profiles.deviceIdentity.keyUsage", "keyCertSign"),
    ("profiles.deviceIdentity.subject", {"take": "CN, favoriteColor"}),
    ("profiles.deviceIdentity.subject.add", {"C": "Germany"}),
    ("profiles.deviceIdentity.mayRequest", "nothing"),
    ("profiles.nestorServer.lifetime", "0d"),
    ("access.users.a:b", {"passwordHash": "file:u.hash"}),
    ("access.bootstrap.factory", {"anchors": "file:maker.pem", "profiles": "edgeCA"}),
    ("access.users.line1", {"passwordHash": "file:not-there.hash"}),
    ("access.users.line1", {}),
    ("access.users.line1", {"passwordHash": "env:NESTOR_SECRET_NOT_THERE"}),
    ("access.limits.failedPasswords", 0),
    ("labels.simpleenroll", {}),
    ("labels.a/b", {}),
    ("labels.line1.profile", "nothing"),
    ("labels.line1.authentication", "none"),
    ("labels.line1", {"challengePassword": "oneTimeCode", "linking": True}),
    ("labels.line1", {"challengePassword": "oneTimeCode", "authentication": "certificate"}),
    ("log.level", "loud"),
    ("log.format", "xml"),
    ("reporting.interval", "soon"),
    ("reporting.telemetry", "yes"),
    ("ledger.keptRefusals", -1),
)


@dataclass(frozen=True, slots=True)
class Hostile:
    """A document, what is wrong with it, and the path that the refusal has to name."""

    name: str
    document: Mapping[str, Any]
    path: str

    @property
    def travels(self) -> bool:
        """Whether a hub could send it: whether it is JSON at all."""
        try:
            json.dumps(self.document, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            return False
        return True


def corpus() -> list[Hostile]:
    """All of them; always the same ones, in the same order."""
    families = (_other_kinds, _no_such_keys, _of_no_twin, _secrets, _wider, _of_the_host, _places, _senseless)
    return [one for family in families for one in family()]


def at(path: str, value: Any) -> dict[str, Any]:
    """A document with one key."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return dict(value)


def _keys(kind: type[Document] = Settings, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key with its annotation, within an entry of each map; and every table, with its class."""
    yield path, kind
    for name, field in kind.model_fields.items():
        place = f"{path}.{field.alias or name}".lstrip(".")
        annotation: Any = field.annotation
        is_map = get_origin(annotation) is dict
        inner = get_args(annotation)[1] if is_map else annotation
        if isinstance(inner, type) and issubclass(inner, Document):
            yield from _keys(inner, f"{place}.{_ENTRIES[place]}" if is_map else place)
        else:
            yield place, annotation


def _other_kinds() -> Iterator[Hostile]:
    """Every key with a value of two other kinds, every table with a text."""
    for path, kind in _keys():
        if path.startswith("twin"):
            continue
        if isinstance(kind, type) and issubclass(kind, Document):
            if path:
                yield Hostile(f"{path} is a text", at(path, "x"), path)
            continue
        yield Hostile(f"{path} is a table", at(path, {"x": {"y": 1}}), path)
        yield Hostile(f"{path} is a list", at(path, ["x"]), path)


def _no_such_keys() -> Iterator[Hostile]:
    """A key that there is not in every table."""
    for path, kind in _keys():
        if isinstance(kind, type) and issubclass(kind, Document) and not path.startswith("twin"):
            wrong = f"{path}.__proto__".lstrip(".")
            yield Hostile(f"{wrong} is no key", at(wrong, {"isAdmin": True}), wrong)
    for key in (
        "Listener",
        "LISTENER",
        "l\u0456stener",
        "listener ",
        "constructor",
        "properties",
        "desired",
        "a/b",
        "🔑",
    ):
        yield Hostile(f"{key!r} is no key", {key: {"port": 8085}}, key.rstrip())


def _of_no_twin() -> Iterator[Hostile]:
    """What no hub would hold."""
    for levels in (11, 12, 50, 1000, 20_000):
        yield Hostile(f"{levels} levels", {"labels": _deep(levels)}, "labels.a.a")
    for size in (33, 64, 1024):
        texts = {f"k{number}": "x" * 1024 for number in range(size)}
        yield Hostile(f"{size} KB", {"labels": texts}, "32,768 bytes")
    yield Hostile("many keys", {"labels": {f"k{number}": {} for number in range(20_000)}}, "32,768 bytes")
    yield Hostile("many properties", {f"k{number}": 1 for number in range(20_000)}, "32,768 bytes")
    for value in (2**52, -(2**63), 10**400, float("nan"), float("inf"), b"x", object()):
        yield Hostile(f"the number {str(value)[:12]}", at("listener.port", value), "listener.port")
    for text in ("x" * 4097, "ü" * 2049, "\ud800"):
        yield Hostile(f"the text {ascii(text)[:12]}", at("ca.subject", text), "ca.subject")
    for key in ("", "x" * 1025, "a\u202eb", "a\nb", "\u200b"):
        yield Hostile(f"the key {ascii(key)[:12]}", {"labels": {key: {}}}, "labels")


def _deep(levels: int) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for _ in range(levels):
        table = {"a": table}
    return table


def _secrets() -> Iterator[Hostile]:
    """Secrets, where people put them."""
    for path, value in (
        ("ca.key", _PEM),
        ("ca.certificate", _PEM),
        ("ca.subject", f"CN=x,SharedAccessKey={_SHARED_KEY}"),
        ("ca.key", "correct-horse"),
        ("keys.passphrase", "correct-horse"),
        ("keys.passphrase", _SHARED_KEY),
        ("keys.secret", "correct-horse"),
        ("access.users.line1.password", "correct-horse"),
        ("access.users.line1.passwordHash", _QUICK_HASH),
        ("access.users.line1.passwordHash", "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"),
        ("access.users.line1.passwordHash", "correct-horse"),
        ("access.bootstrap.factory.key", _PEM),
        ("listener.serverCertificate.key", _PEM),
        ("listener.hostnames", "https://estuser:correct-horse@gw3"),
        ("reporting.connectionString", "HostName=h;DeviceId=d;SharedAccessKey=correct-horse"),
        ("labels.line1.serverKeyGeneration.keyEncryptionKeys.kek", _SHARED_KEY),
        ("log.token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJuZXN0b3IifQ.c2lnbmF0dXJl"),
    ):
        yield Hostile(f"a secret of {len(value)} letters at {path}", at(path, value), path)
    yield Hostile("a secret as a key", {"access": {"users": {_PEM: {}}}}, "access.users")


def _wider() -> Iterator[Hostile]:
    """Every rule of widening that needs no word of the host."""
    for number, case in enumerate(CASES):
        if not case.said:
            yield Hostile(f"{case.path} is wider, as in case {number}", case.wished, case.path)


def _of_the_host() -> Iterator[Hostile]:
    """What the twin would like to be allowed."""
    for wish in ({}, {"may": "all"}, {"names": "*"}, {"directories": "/"}, {"may": "all", "names": "*"}, None, "all"):
        yield Hostile(f"twin is {wish}", {"twin": wish, "access": {"gateways": "*"}}, "twin: the twin cannot")


def _places() -> Iterator[Hostile]:
    """Files and variables that are not the twin's to name."""
    for place in (
        "file:/etc/passwd",
        "file:/proc/self/environ",
        "file:/proc/self/fd/3",
        "file:../outside",
        "file:below/../../outside",
        "file:ca/key.pem",
        "file:/dev/zero",
        "env:PATH",
        "env:IOTEDGE_WORKLOADURI",
        "env:NESTOR_CA_PASSPHRASE",
        "file:a\0b",
        "file:" + "x" * 4000,
        "FILE:x",
        "http://plant.example/x",
        "file:",
    ):
        for path in ("access.users.line1.passwordHash", "access.bootstrap.factory.anchors"):
            if not (place.startswith("env:") and path.endswith("anchors")):
                yield Hostile(f"{path} is {place[:30]}", at(path, place), path)


def _senseless() -> Iterator[Hostile]:
    """Documents of the right form that cannot be."""
    for path, value in _CANNOT_BE:
        yield Hostile(f"{path} is {value!r}"[:70], at(path, value), path)
    twice = {"Line1": {"passwordHash": "file:a.hash"}, "line1": {"passwordHash": "file:b.hash"}}
    yield Hostile("a user twice", {"access": {"users": twice}}, "access.users.line1")
    yield Hostile("a maker without anchors", {"access": {"bootstrap": {"f": {"names": "*"}}}}, "access.bootstrap.f")
    yield Hostile("a maker without a file", {"access": {"bootstrap": {"f": MAKER}}}, "access.bootstrap.f.anchors")
