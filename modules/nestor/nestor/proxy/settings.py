"""What the document says of the API proxy: routes by name, and what holds for all of them. No behavior."""

from datetime import timedelta
from enum import StrEnum

from nestor.document import Document, Duration, FileReference, SecretReference, Words, described


class Preset(StrEnum):
    """A set of routes that need not be written out."""

    NONE = "none"
    IOTEDGE = "iotedge"


class RouteSettings(Document):
    """What one route takes, and where it goes. A key that is left out keeps what the preset says of it."""

    path: str = described(
        "The requests that it takes: those whose path is this, or lies below it. / is every path.",
        "/",
        examples=["/v2/"],
    )
    header: str = described("Only requests with a header of this name.", "", examples=["x-ms-version"])
    header_value: str = described("Only where that header says exactly this.", "")
    methods: Words = described(
        "Only requests with one of these methods. Left out, every one.", (), examples=["GET, HEAD"]
    )
    to: str = described(
        "Where they go: https://HOST:PORT; $parent or $parent:PORT, the device above; edgeHub, that of this device. "
        "Left out, nowhere: the route is off.",
        "",
        examples=["https://registry:5000", "$parent:8000", "edgeHub"],
    )
    server_name: str = described(
        "The name that the target's certificate has to hold, where it is not its host name. Microsoft's API proxy has "
        "its module id in it.",
        "",
        examples=["IoTEdgeAPIProxy"],
    )
    anchors: FileReference | None = described(
        "The CA certificates that the target's is verified by, as PEM. Left out, the trust bundle of the IoT Edge "
        "runtime; elsewhere, the CAs of this machine.",
        None,
        examples=["file:registry-ca.pem"],
    )
    certificate: FileReference | None = described(
        "A client certificate to show to the target, with its chain, as PEM. Needs `key`.",
        None,
        examples=["file:child.pem"],
    )
    key: FileReference | None = described(
        "The private key of that certificate, as PEM.", None, examples=["file:child-key.pem"]
    )
    keep_host: bool = described("Hand on the Host that the client wrote, instead of the target's.", default=False)
    identity: bool = described(
        "Tell edgeHub whose verified client certificate came: by x-ms-edge-clientcert, under this module's own token. "
        "For edgeHub alone.",
        default=False,
    )


class ProxyLimits(Document):
    """How many requests are carried at a time, and how long each step of one may take."""

    requests: int = described("Requests carried at a time; more of them get 503.", 256, ge=1)
    requests_per_route: int = described("Of these, on one route.", 128, ge=1)
    requests_per_address: int = described(
        "Of these, for one address (for IPv6, its /64), and beyond for each device with a verified client certificate; "
        "a forwarder that access.forwarders lists has no such limit.",
        32,
        ge=1,
    )
    connect: Duration = described("Until the target is reached and its certificate verified.", timedelta(seconds=10))
    answer: Duration = described(
        "From the request, or the last of it, to the headers of the answer.", timedelta(minutes=2)
    )
    idle: Duration = described("While an answer comes: without a byte of it.", timedelta(minutes=1))
    web_socket: Duration = described("A WebSocket over which nobody says anything.", timedelta(minutes=20))


class PassthroughSettings(Document):
    """TLS that is handed on as it is, to one EST server."""

    port: int | None = described(
        "A TCP port, on the addresses of the listener, whose connections end at that server and not here. Left out, "
        "there is none.",
        None,
        ge=0,
        le=65_535,
        examples=[9443],
    )
    to: str = described(
        "The EST server that they lead to: HOST:PORT. What is said there, this server neither sees nor checks.",
        "",
        examples=["est.plant.example:8085", "[fd00::7]:8085"],
    )
    connections: int = described("Connections at a time; more of them are closed.", 128, ge=1)
    connections_per_address: int = described("Of these, from one address (for IPv6, its /64).", 64, ge=1)
    connect: Duration = described(
        "Until the client begins to speak TLS, and then until the server is reached.", timedelta(seconds=10)
    )
    idle: Duration = described("Without a byte, either way.", timedelta(minutes=1))


class ProxySettings(Document):
    """The API proxy as a whole."""

    preset: Preset = described(
        "iotedge: the routes of Microsoft's API proxy, by the names registry, acr, blob, devices, twins and websocket; "
        "`routes` may change them key by key. none: no route but those in `routes`.",
        Preset.NONE,
        strict=False,
    )
    parent: str = described(
        "The host name of the device above, for $parent. Left out, the one that the IoT Edge runtime tells. Nobody "
        "gets a server certificate for it here.",
        "",
    )
    port: int | None = described(
        "A TCP port of its own for the routes, on the addresses of the listener. Left out, they share the port of EST.",
        None,
        ge=0,
        le=65_535,
        examples=[8443],
    )
    through: str = described(
        "An HTTP proxy by which targets are reached (CONNECT), all but edgeHub. Left out, as HTTPS_PROXY and NO_PROXY "
        "of the environment say; direct: none.",
        "",
        examples=["http://proxy.plant.example:3128", "direct"],
    )
    through_credentials: SecretReference | None = described(
        "User and password for that proxy: USER:PASSWORD.", None, examples=["env:PROXY_CREDENTIALS"]
    )
    passthrough: PassthroughSettings = described(
        "TLS handed on as it is to one EST server, for sites that need proof of possession from end to end.",
        default_factory=lambda: PassthroughSettings.model_validate({}),
    )
    limits: ProxyLimits = described("How many, how long.", default_factory=lambda: ProxyLimits.model_validate({}))
