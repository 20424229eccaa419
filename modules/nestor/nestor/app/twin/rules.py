"""The table: every key of the settings, and whether a wish of the module twin may widen power by it. Pure.

A rule compares what the host alone has with what is wished. A key without a rule is one that nobody thought of, and a
wish that changes it is refused; a test finds such a key. docs/reference/twin.md is written from this table.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nestor.app.twin.changes import OF_A_CA, OF_A_FORWARDER, Change
from nestor.app.twin.comparing import (
    changed,
    less,
    less_approval,
    less_approved,
    longer,
    more,
    more_keys,
    more_words,
    names_beyond,
    names_of_maker,
    own_names_lost,
    pinned_anew,
    silent,
    switched_off,
    switched_on,
    taken_away,
    weaker,
    wider_pattern,
    wider_patterns,
)
from nestor.twin.settings import Power

HOST_ONLY = "twin"
"""The section that a wish may not have at all."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a change of a key may widen: which power, when, and what it would let happen.

    `names` answers the device ids, as patterns, that somebody would have beyond what the host gives. A rule that widens
    nothing says why. Without a power only names count; `twin.names` holds what the host gives of them.
    """

    lets: str
    power: Power | None = None
    widens: Callable[[Change], bool] = lambda _: False
    names: Callable[[Change], Sequence[str]] = lambda _: ()


def find_rule(path: str) -> Rule:
    """The rule of a key; sections that are closed as a whole have one for all their keys."""
    section = path.partition(".")[0]
    return RULES.get(path) or RULES.get(f"{section}.*") or _UNKNOWN


def _free(why: str, *paths: str) -> Iterator[tuple[str, Rule]]:
    for path in paths:
        yield path, Rule(why)


def _every(power: Power, widens: Callable[[Change], bool], lets: str, *paths: str) -> Iterator[tuple[str, Rule]]:
    for path in paths:
        yield path, Rule(lets, power, widens)


_WAITING = ("waitsFor", "perCredential", "inAll")

_UNKNOWN = Rule("nobody has said yet what this key may widen", Power.CA, changed)

RULES: Mapping[str, Rule] = dict(
    [
        # The CA, its key, and the record of what it did.
        *_every(
            Power.CA,
            changed,
            "another CA or another key would sign",
            "ca.source",
            "ca.certificate",
            "ca.chain",
            "ca.key",
        ),
        *_every(Power.CA, changed, "private keys would be kept in another way", "keys.*"),
        *_every(Power.CA, changed, "other records would be kept", "ledger.*"),
        *_every(Power.LIFETIMES, more, "the root would live longer", "ca.lifetime"),
        *_every(
            Power.CA, changed, "the CA of this layer would be another one, or have another place", "ca.parentLabel"
        ),
        *_every(Power.CA, more, "more CAs might follow below this one", "ca.pathLength"),
        *_free("it counts when the root is made, once", "ca.subject", "ca.keyType", "ca.rsaBits"),
        # What answers, and the server above.
        *_every(Power.CA, changed, "another CA would answer on this path", "authority.kind", "labels.NAME.authority"),
        *_every(Power.ANCHORS, changed, "another server would be believed and asked", "upstream.*"),
        # Who is believed.
        *_every(
            Power.ANCHORS,
            changed,
            "other factory certificates would be believed",
            "access.bootstrap.NAME.anchors",
            "access.bootstrap.NAME.identity",
        ),
        *_every(
            Power.ANCHORS, taken_away, "revoked factory certificates might be believed", "access.bootstrap.NAME.crls"
        ),
        *_every(
            Power.ANCHORS,
            switched_off,
            "revoked factory certificates might be believed",
            "access.bootstrap.NAME.requireCrl",
        ),
        *_every(
            Power.ANCHORS,
            switched_on,
            "factory certificates that do not say what they are for would be believed",
            "access.bootstrap.NAME.allowWithoutEku",
        ),
        *_every(
            Power.ANCHORS,
            more_words,
            "factory certificates would be good for more profiles",
            "access.bootstrap.NAME.profiles",
        ),
        *_every(
            Power.ANCHORS,
            changed,
            "another server would be believed about who asks",
            "access.forwarders.NAME.subject",
            "access.forwarders.NAME.anchors",
        ),
        *_every(
            Power.ANCHORS,
            more_words,
            "a forwarder's word would be good for more",
            "access.forwarders.NAME.profiles",
            "access.forwarders.NAME.issuers",
        ),
        *_every(Power.ANCHORS, wider_patterns, "a forwarder would serve more labels", "access.forwarders.NAME.labels"),
        *_every(
            Power.ANCHORS,
            switched_on,
            "a forwarder's word would do for a password",
            "access.forwarders.NAME.statements",
        ),
        *_every(
            Power.ANCHORS,
            more_words,
            "others might have the certificate of a forwarder",
            f"access.users.NAME.profiles{OF_A_FORWARDER}",
            f"profiles.NAME.mayRequest{OF_A_FORWARDER}",
        ),
        *_every(
            Power.ANCHORS,
            changed,
            "this path would issue certificates of forwarders",
            f"labels.NAME.profile{OF_A_FORWARDER}",
        ),
        *_every(Power.FILES, changed, "other users would be known", "access.usersFile"),
        # Who may have which names.
        ("access.users.NAME.names", Rule("this user might enroll other devices", names=names_beyond)),
        *_free("the names of its user decide", "access.users.NAME.passwordHash", "access.users.NAME.profiles"),
        ("access.bootstrap.NAME.names", Rule("this maker's devices might enroll others", names=names_of_maker)),
        ("access.forwarders.NAME.names", Rule("this forwarder might speak for other devices", names=names_beyond)),
        # Who may have a CA certificate.
        ("access.gateways", Rule("more devices might have CA certificates", Power.GATEWAYS, names=names_beyond)),
        *_every(
            Power.GATEWAYS, changed, "other layers might have CAs, or for other names", "access.layers.NAME.hostnames"
        ),
        *_every(Power.GATEWAYS, switched_on, "CA certificates would be issued by this profile", "profiles.NAME.ca"),
        *_every(Power.GATEWAYS, more, "CAs below a gateway might be made", "profiles.NAME.pathLength"),
        *_every(
            Power.GATEWAYS, switched_off, "gateways might pass for this server", "profiles.NAME.excludeServerNames"
        ),
        *_every(
            Power.GATEWAYS,
            more_words,
            "certificates of this profile would be good for CA certificates",
            f"profiles.NAME.mayRequest{OF_A_CA}",
        ),
        *_every(Power.GATEWAYS, changed, "this path would issue CA certificates", f"labels.NAME.profile{OF_A_CA}"),
        # How long.
        *_every(Power.LIFETIMES, longer, "certificates would live longer", "profiles.NAME.lifetime"),
        *_every(
            Power.LIFETIMES,
            longer,
            "the server's certificate would live longer",
            "listener.serverCertificate.lifetime",
        ),
        # How strictly, on a path.
        *_every(Power.FLOORS, weaker, "weaker credentials would do", "labels.NAME.authentication"),
        *_every(Power.FLOORS, switched_off, "requests would need no binding to their session", "labels.NAME.linking"),
        *_every(Power.FLOORS, switched_off, "requests might ignore /csrattrs", "labels.NAME.enforceCsrAttributes"),
        *_every(
            Power.FLOORS,
            switched_on,
            "private keys would be made here and sent",
            "labels.NAME.serverKeyGeneration.enabled",
        ),
        *_every(
            Power.FLOORS, pinned_anew, "a path that was for one profile would issue another", "labels.NAME.profile"
        ),
        *_every(Power.FLOORS, less_approval, "fewer requests would need approval", "labels.NAME.approval"),
        *_every(Power.FLOORS, less_approved, "fewer requests would need approval", "labels.NAME.approvalFor"),
        *_every(
            Power.FLOORS, switched_on, "another kind of credential might have live names", "labels.NAME.reonboarding"
        ),
        *_every(Power.FLOORS, more, "approvals would be good for longer", "approval.goodFor"),
        *_every(Power.FLOORS, more, "more might wait, and for longer", *(f"approval.{key}" for key in _WAITING)),
        *_free("what it takes is the same request in another wrapping", "labels.NAME.lenientBody"),
        *_free("a password in another place; users and their names stay", "labels.NAME.challengePassword"),
        *_free(
            "a device gets it only if it asks by this identifier, and knows the key",
            "labels.NAME.serverKeyGeneration.keyEncryptionKeys",
        ),
        # How strictly, in a certificate.
        *_every(Power.FLOORS, more_keys, "other kinds of keys would be certified", "profiles.NAME.keys"),
        *_every(Power.FLOORS, less, "shorter keys would be certified", "profiles.NAME.rsaMinimum"),
        *_every(
            Power.FLOORS,
            more_words,
            "certificates would be good for more purposes",
            "profiles.NAME.keyUsage",
            "profiles.NAME.extendedKeyUsage",
        ),
        *_every(
            Power.FLOORS,
            switched_on,
            "certificates of this profile would open more here",
            "profiles.NAME.authenticates",
            "profiles.NAME.renewable",
        ),
        *_every(
            Power.FLOORS,
            more_words,
            "certificates of this profile would be good for more profiles",
            "profiles.NAME.mayRequest",
        ),
        *_every(Power.FLOORS, switched_on, "keys might be certified again", "profiles.NAME.keyReuse"),
        *_every(Power.FLOORS, more_words, "requests might fill more of the subject", "profiles.NAME.subject.take"),
        *_every(
            Power.FLOORS, changed, "certificates would say other things of their owner", "profiles.NAME.subject.add"
        ),
        *_every(
            Power.FLOORS, wider_pattern, "other common names would be certified", "profiles.NAME.subject.commonName"
        ),
        *_every(
            Power.FLOORS,
            switched_off,
            "names that are no registration ids would be certified",
            "profiles.NAME.subject.registrationId",
        ),
        *_every(
            Power.FLOORS,
            wider_patterns,
            "other alternative names would be certified",
            "profiles.NAME.alternativeNames.dns",
            "profiles.NAME.alternativeNames.ip",
            "profiles.NAME.alternativeNames.uri",
            "profiles.NAME.alternativeNames.email",
        ),
        *_free("the name is granted as the common name", "profiles.NAME.alternativeNames.dnsFromCommonName"),
        *_free("certificates only end earlier by it", "profiles.NAME.jitter"),
        *_free("certificates are refused by it, not granted", "profiles.NAME.minimumLifetime"),
        *_free("a longer key is no weaker", "profiles.NAME.rsaMaximum"),
        *_free("it is one of the profile's own kinds of keys", "profiles.NAME.serverKey"),
        # How often, how many, how long one waits.
        *_every(
            Power.FLOORS,
            more,
            "more might be tried, and for longer",
            "access.limits.failedPasswords",
            "access.limits.enrollmentBurst",
            "access.limits.verifiedFor",
        ),
        *_every(Power.FLOORS, less, "more might be tried", "access.limits.enrollmentPause"),
        *_every(
            Power.FLOORS,
            more,
            "one client might take more of this server",
            *(
                f"listener.limits.{key}"
                for key in (
                    "connections",
                    "connectionsPerAddress",
                    "requestsPerConnection",
                    "wait",
                    "handshake",
                    "head",
                    "body",
                    "request",
                    "answer",
                    "idle",
                    "lifetime",
                )
            ),
        ),
        # Where.
        *_every(
            Power.FLOORS, more_words, "it would be open to more networks", "listener.addresses", "operations.addresses"
        ),
        *_every(Power.FLOORS, own_names_lost, "others might serve under the host's names", "listener.hostnames"),
        *_every(Power.FLOORS, taken_away, "others might serve under the name of the device above", "proxy.parent"),
        *_every(
            Power.FILES,
            changed,
            "the server would show another certificate",
            "listener.serverCertificate.certificate",
            "listener.serverCertificate.key",
        ),
        *_free("the host decides which ports lead here", "listener.port", "operations.port"),
        *_free("each source has files or a CA that the host decides on", "listener.serverCertificate.source"),
        *_free("the same certificates in another order", "listener.cacertsOrder"),
        # What is carried, and where.
        *_every(
            Power.TOKEN,
            switched_on,
            "requests would be carried to edgeHub under this module's own token",
            "routes.NAME.identity",
        ),
        *_every(Power.TOKEN, changed, "routes under this module's own token might come with it", "proxy.preset"),
        *_every(
            Power.ANCHORS,
            changed,
            "another server might pass for the one that a route leads to",
            "routes.NAME.anchors",
            "routes.NAME.serverName",
        ),
        *_every(
            Power.FILES,
            changed,
            "another client certificate would be shown, or another secret told",
            "routes.NAME.certificate",
            "routes.NAME.key",
            "proxy.throughCredentials",
        ),
        *_every(Power.FLOORS, changed, "everything would be carried by another machine", "proxy.through"),
        *_every(
            Power.FLOORS,
            more,
            "what is carried might take more of this server",
            *(
                f"proxy.limits.{key}"
                for key in (
                    "requests",
                    "requestsPerRoute",
                    "requestsPerAddress",
                    "connect",
                    "answer",
                    "idle",
                    "webSocket",
                )
            ),
        ),
        *_every(
            Power.FLOORS,
            changed,
            "who asks for certificates there would be led to another server",
            "proxy.passthrough.port",
            "proxy.passthrough.to",
        ),
        *_every(
            Power.FLOORS,
            more,
            "what passes might take more of this server",
            *(f"proxy.passthrough.{key}" for key in ("connections", "connectionsPerAddress", "connect", "idle")),
        ),
        *_free(
            "what is carried holds no word of this server's, but where `identity` says so",
            *(f"routes.NAME.{key}" for key in ("path", "header", "headerValue", "methods", "to", "keepHost")),
        ),
        *_free("the host decides which ports lead here", "proxy.port"),
        # What is told.
        *_every(Power.FLOORS, silent, "refusals would not be logged", "log.level"),
        *_free("it grants nothing", "log.format", "reporting.interval", "reporting.telemetry"),
    ]
)
