"""One wish for every rule that may widen: what the host says, what is wished, the key that is named for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from nestor.app.twin.changes import NAME
from nestor.document import Document
from nestor.settings import Settings

USER = {"passwordHash": "file:line.hash"}
FORWARDER = {"subject": "CN=nestor-line1", "names": "line1-*"}
MAKER = {"anchors": "file:maker.pem"}


@dataclass(frozen=True, slots=True)
class Case:
    """A wish that widens by one rule; `path` is the key that is named."""

    rule: str
    path: str
    wished: Mapping[str, Any]
    said: Mapping[str, Any] = field(default_factory=dict)


def _at(path: str, value: Any) -> dict[str, Any]:
    """A document with one key."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value  # type: ignore[no-any-return]


def _case(rule: str, value: Any, said: Any = None, name: str = "deviceIdentity") -> Case:
    path = rule.replace(NAME, name).partition(" (")[0]
    return Case(rule, path, _at(path, value), {} if said is None else _at(path, said))


def _maker(key: str, value: Any, said: Mapping[str, Any]) -> Case:
    maker = {**MAKER, **said}
    path = f"access.bootstrap.factory.{key}"
    return Case(
        f"access.bootstrap.NAME.{key}",
        path,
        {"access": {"bootstrap": {"factory": {**maker, key: value}}}},
        {"access": {"bootstrap": {"factory": maker}}},
    )


def _forwarder(key: str, value: Any, said: Mapping[str, Any]) -> Case:
    forwarder = {**FORWARDER, **said}
    path = f"access.forwarders.line.{key}"
    return Case(
        f"access.forwarders.NAME.{key}",
        path,
        {"access": {"forwarders": {"line": {**forwarder, key: value}}}},
        {"access": {"forwarders": {"line": forwarder}}},
    )


_ABOVE = {"upstream": {"url": "https://elsewhere:8085/.well-known/est", "fingerprint": "ab" * 32}}

CASES: Sequence[Case] = (
    Case("ca.source", "ca.source", {"ca": {"source": "file", "certificate": "file:ca.pem", "key": "file:ca.key"}}),
    Case("ca.key", "ca.key", {"ca": {"key": "file:ca.key"}}),
    Case("ca.certificate", "ca.certificate", {"ca": {"certificate": "file:ca.pem"}}),
    Case("ca.chain", "ca.chain", {"ca": {"chain": "file:ca.pem"}}),
    _case("ca.parentLabel", "other"),
    _case("ca.pathLength", 2),
    _case("ca.lifetime", "21y"),
    Case("authority.kind", "authority.kind", {"authority": {"kind": "upstream"}, **_ABOVE}),
    Case("labels.NAME.authority", "labels.line.authority", {"labels": {"line": {"authority": "upstream"}}, **_ABOVE}),
    Case("upstream.*", "upstream.url", _ABOVE),
    Case("keys.*", "keys.passphrase", {"keys": {"passphrase": "env:NESTOR_SECRET_CA"}}),
    Case("ledger.*", "ledger.keptRefusals", {"ledger": {"keptRefusals": 1}}),
    Case("access.bootstrap.NAME.anchors", "access.bootstrap.new.anchors", {"access": {"bootstrap": {"new": MAKER}}}),
    _maker("anchors", "file:other.pem", {}),
    _maker("identity", "serialNumber", {}),
    _maker("names", "plc-*", {}),
    _maker("names", "plc-*, gw", {"names": "plc-1*, gw"}),
    _maker("names", "", {"names": "plc-*"}),
    _maker("profiles", "*", {"profiles": "estIdentity"}),
    _maker("crls", None, {"crls": "file:maker.crl"}),
    _maker("requireCrl", False, {"requireCrl": True}),
    _maker("allowWithoutEku", True, {"allowWithoutEku": False}),
    Case(
        "access.forwarders.NAME.subject",
        "access.forwarders.new.subject",
        {"access": {"forwarders": {"new": FORWARDER}}},
    ),
    _forwarder("subject", "CN=nestor-line2", {}),
    _forwarder("anchors", "file:layer.pem", {}),
    _forwarder("names", "*", {}),
    _forwarder("labels", "*", {"labels": "device"}),
    _forwarder("profiles", "server", {}),
    _forwarder("issuers", "*", {}),
    _forwarder("statements", value=True, said={}),
    _case("access.usersFile", "file:old-users.json"),
    Case("access.users.NAME.names", "access.users.u.names", {"access": {"users": {"u": {**USER, "names": "line1-*"}}}}),
    Case(  # the host's user with another password
        "access.users.NAME.names",
        "access.users.u.names",
        {"access": {"users": {"u": {"passwordHash": "file:mine.hash"}}}},
        {"access": {"users": {"u": {**USER, "names": "line1-*"}}}},
    ),
    Case(  # the host's user with more profiles
        "access.users.NAME.names",
        "access.users.U.names",
        {"access": {"users": {"U": {**USER, "names": "line1-7*", "profiles": "server"}, "u": None}}},
        {"access": {"users": {"u": {**USER, "names": "line1-*", "profiles": "estIdentity"}}}},
    ),
    _case("access.gateways", "gw*"),
    _case("access.gateways", "gw*", "gw1*"),
    Case(
        "access.layers.NAME.hostnames",
        "access.layers.layer2.hostnames",
        {"access": {"layers": {"layer2": {}}}},
    ),
    Case(
        "profiles.NAME.ca",
        "profiles.mine.ca",
        {"profiles": {"mine": {"ca": True, "keyUsage": "keyCertSign", "extendedKeyUsage": ""}}},
        {"profiles": {"edgeCa": {"ca": False, "keyUsage": "digitalSignature", "extendedKeyUsage": "clientAuth"}}},
    ),
    _case("profiles.NAME.pathLength", 1, name="edgeCa"),
    _case("profiles.NAME.excludeServerNames", value=False, name="edgeCa"),
    _case("profiles.NAME.mayRequest (of a CA)", "edgeCa"),
    _case("labels.NAME.profile (of a CA)", "edgeCa", name="gateways"),
    Case(
        "access.users.NAME.profiles (of a forwarder)",
        "access.users.u.profiles",
        {"access": {"users": {"u": {"profiles": "estIdentity, forwarder"}}}},
        {"access": {"users": {"u": {**USER, "names": "line1-*"}}}},
    ),
    Case(  # a new user, be it of a name that the host lets its twin give
        "access.users.NAME.profiles (of a forwarder)",
        "access.users.new.profiles",
        {"access": {"users": {"new": {**USER, "names": "line1-7", "profiles": "forwarder"}}}},
    ),
    Case(  # the host's user with another password
        "access.users.NAME.profiles (of a forwarder)",
        "access.users.u.profiles",
        {"access": {"users": {"u": {"passwordHash": "file:mine.hash"}}}},
        {"access": {"users": {"u": {**USER, "profiles": "forwarder"}}}},
    ),
    Case(  # no word for every profile covers it
        "access.users.NAME.profiles (of a forwarder)",
        "access.users.u.profiles",
        {"access": {"users": {"u": {"profiles": "forwarder"}}}},
        {"access": {"users": {"u": {**USER, "profiles": "*"}}}},
    ),
    _case("profiles.NAME.mayRequest (of a forwarder)", "forwarder"),
    _case("labels.NAME.profile (of a forwarder)", "forwarder", name="new"),
    _case("labels.NAME.profile (of a forwarder)", "forwarder", "server", name="servers"),
    _case("profiles.NAME.lifetime", "366d"),
    _case("profiles.NAME.lifetime", "31d", "30d"),
    Case(  # a new profile does not live longer than the host lets any live
        "profiles.NAME.lifetime",
        "profiles.mine.lifetime",
        {"profiles": {"mine": {"lifetime": "31d"}}},
        {"profiles": {name: {"lifetime": "30d"} for name in ("deviceIdentity", "estIdentity", "server", "bootstrap")}},
    ),
    Case(  # what the host says of a built-in profile cannot be taken away
        "profiles.NAME.lifetime",
        "profiles.deviceIdentity.lifetime",
        {"profiles": {"deviceIdentity": None}},
        {"profiles": {"deviceIdentity": {"lifetime": "7d"}}},
    ),
    _case("listener.serverCertificate.lifetime", "2y"),
    _case("labels.NAME.authentication", "certificateOrPassword", "certificate", name="default"),
    _case("labels.NAME.authentication", "password", "certificate", name="default"),
    Case(
        "labels.NAME.authentication",
        "labels.other.authentication",
        {"labels": {"other": {}}},
        {"labels": {"default": {"authentication": "certificateAndPassword"}}},
    ),
    Case(
        "labels.NAME.authentication",
        "labels.default.authentication",
        {"labels": {"default": None}},
        {"labels": {"default": {"authentication": "certificate"}}},
    ),
    Case(  # a second way to a profile is no easier than the first
        "labels.NAME.linking",
        "labels.other.linking",
        {"labels": {"other": {"profile": "server"}}},
        {"labels": {"servers": {"profile": "server", "linking": True}}},
    ),
    _case("labels.NAME.approval", "none", "retry", name="default"),
    _case("labels.NAME.approval", "retry", "accepted", name="default"),
    _case("labels.NAME.approvalFor", "newDevices", "everything", name="default"),
    Case(
        "labels.NAME.reonboarding",
        "labels.default.reonboarding",
        {"labels": {"default": {"approval": "retry", "reonboarding": True}}},
        {"labels": {"default": {"approval": "retry"}}},
    ),
    _case("approval.waitsFor", "2h"),
    _case("approval.goodFor", "2d"),
    _case("approval.perCredential", 101),
    _case("approval.inAll", 1001),
    _case("labels.NAME.linking", value=False, said=True, name="default"),
    _case("labels.NAME.enforceCsrAttributes", value=False, said=True, name="default"),
    _case("labels.NAME.serverKeyGeneration.enabled", value=True, name="default"),
    _case("labels.NAME.profile", "estIdentity", "server", name="servers"),
    _case("labels.NAME.profile", None, "server", name="servers"),
    _case("profiles.NAME.keys", "ec-p256, rsa", "ec-p384"),
    _case("profiles.NAME.rsaMinimum", 2048, 3072),
    _case("profiles.NAME.keyUsage", "digitalSignature, dataEncipherment"),
    _case("profiles.NAME.extendedKeyUsage", "clientAuth, serverAuth"),
    Case(
        "profiles.NAME.extendedKeyUsage",
        "profiles.mine.extendedKeyUsage",
        {"profiles": {"mine": {"extendedKeyUsage": "1.3.6.1.5.5.7.3.3"}}},
    ),
    _case("profiles.NAME.authenticates", value=True, name="server"),
    _case("profiles.NAME.renewable", value=True, name="bootstrap"),
    _case("profiles.NAME.mayRequest", "server"),
    _case("profiles.NAME.keyReuse", value=True, said=False),
    _case("profiles.NAME.subject.take", "CN, O", "CN"),
    _case("profiles.NAME.subject.add", {"O": "Contoso"}),
    _case("profiles.NAME.subject.commonName", "*", "gw*"),
    _case("profiles.NAME.subject.registrationId", value=False),
    _case("profiles.NAME.alternativeNames.dns", "*", "*.plant.example"),
    _case("profiles.NAME.alternativeNames.ip", "10.*", "10.3.*"),
    _case("profiles.NAME.alternativeNames.uri", "urn:*"),
    _case("profiles.NAME.alternativeNames.email", "*@plant.example"),
    _case("access.limits.failedPasswords", 21),
    _case("access.limits.enrollmentBurst", 61),
    _case("access.limits.verifiedFor", "11min"),
    _case("access.limits.enrollmentPause", "1s", "2s"),
    *(_case(f"listener.limits.{key}", 1_000_000) for key in ("connections", "connectionsPerAddress")),
    _case("listener.limits.requestsPerConnection", 1_000_000),
    *(
        _case(f"listener.limits.{key}", "1d")
        for key in ("wait", "handshake", "head", "body", "request", "answer", "idle", "lifetime")
    ),
    _case("listener.addresses", "*", "10.3.0.7"),
    _case("operations.addresses", "*", "10.3.0.7"),
    _case("listener.hostnames", "other.example", "gw3.example"),
    Case(
        "listener.serverCertificate.certificate",
        "listener.serverCertificate.certificate",
        _at("listener.serverCertificate.certificate", "file:server.pem"),
    ),
    Case(
        "listener.serverCertificate.key",
        "listener.serverCertificate.key",
        _at("listener.serverCertificate.key", "file:server.key"),
    ),
    Case(
        "routes.NAME.identity",
        "routes.devices.identity",
        {"routes": {"devices": {"path": "/devices/", "to": "edgeHub", "identity": True}}},
    ),
    _case("proxy.preset", "iotedge"),
    _case("proxy.parent", "other.example", "gw1.example"),
    _case("proxy.parent", "", "gw1.example"),
    _case("routes.NAME.anchors", "file:other.pem", name="registry"),
    _case("routes.NAME.serverName", "other.example", name="registry"),
    Case(
        "routes.NAME.certificate",
        "routes.registry.certificate",
        {"routes": {"registry": {"certificate": "file:me.pem", "key": "file:me.key"}}},
    ),
    Case(
        "routes.NAME.key",
        "routes.registry.key",
        {"routes": {"registry": {"certificate": "file:me.pem", "key": "file:me.key"}}},
    ),
    _case("proxy.throughCredentials", "env:NESTOR_SECRET_PROXY"),
    _case("proxy.through", "http://proxy.example:3128"),
    *(_case(f"proxy.limits.{key}", 1_000_000) for key in ("requests", "requestsPerRoute", "requestsPerAddress")),
    *(_case(f"proxy.limits.{key}", "1d") for key in ("connect", "answer", "idle", "webSocket")),
    *(
        Case(
            f"proxy.passthrough.{key}",
            f"proxy.passthrough.{key}",
            {"proxy": {"passthrough": {"port": 9443, "to": "est.example:8085"}}},
        )
        for key in ("port", "to")
    ),
    *(_case(f"proxy.passthrough.{key}", 1_000_000) for key in ("connections", "connectionsPerAddress")),
    *(_case(f"proxy.passthrough.{key}", "1d") for key in ("connect", "idle")),
    _case("log.level", "error"),
)


def leaf_rules(kind: type[Document] = Settings, path: str = "") -> list[str]:
    """Every key of the settings as a rule writes it."""
    found: list[str] = []
    for name, about in kind.model_fields.items():
        place = f"{path}.{about.alias or name}".lstrip(".")
        inner = _document(about.annotation)
        if inner is None:
            found.append(place)
        else:
            is_map = get_origin(about.annotation) is dict
            found += leaf_rules(inner, f"{place}.{NAME}" if is_map else place)
    return found


def _document(annotation: Any) -> type[Document] | None:
    kind = get_args(annotation)[1] if get_origin(annotation) is dict else annotation
    return kind if isinstance(kind, type) and issubclass(kind, Document) else None
