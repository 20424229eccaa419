"""`nestor doctor`: asks a running EST server as aziot-certd would, and explains what it finds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.cli.est_files import read_file
from nestor.cli.est_peer import KeyOption, LabelOption, PasswordFileOption, UserOption, find_password
from nestor.cli.exits import Misuse, told_as_misuse
from nestor.cli.output import show_findings
from nestor.cli.places import DEFAULT_DATA, TUTORIAL_DATA, JsonOption, load_settings
from nestor.errors import MaterialError
from nestor.est.menu import BASE
from nestor.naming import common_name_of

if TYPE_CHECKING:
    from nestor.doctor.itself import Here
    from nestor.doctor.seen import Identity, Place


def doctor(
    url: Annotated[
        str | None,
        typer.Argument(metavar="URL", help="The base, as in config.toml. By default that of this machine's Nestor."),
    ] = None,
    cacert: Annotated[
        Path | None,
        typer.Option("--cacert", help="What the device trusts: its trusted_certs, PEM. Else this machine's store."),
    ] = None,
    label: LabelOption = None,
    user: UserOption = None,
    password_file: PasswordFileOption = None,
    cert: Annotated[
        Path | None,
        typer.Option("--cert", help="A bootstrap certificate or EST identity, its chain behind it; PEM."),
    ] = None,
    key: KeyOption = None,
    enroll: Annotated[
        bool, typer.Option("--enroll", help="Enroll in earnest, as a device does; leaves certificates behind.")
    ] = False,
    name: Annotated[
        str | None, typer.Option("--name", help="With --enroll: the device id. By default that of --cert.")
    ] = None,
    edge_ca: Annotated[bool, typer.Option("--edge-ca", help="The device is a gateway, with an Edge CA.")] = False,
    patience: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="Seconds to wait for each answer.")
    ] = 30.0,
    data: Annotated[
        Path,
        typer.Option("--data", envvar="NESTOR_DATA", help="Without URL: where this machine's Nestor has its CA."),
    ] = DEFAULT_DATA,
    config: Annotated[
        Path | None, typer.Option("--config", envvar="NESTOR_CONFIG", help="Without URL: its configuration.")
    ] = None,
    json: JsonOption = False,
) -> int:
    """Ask a running EST server, ours or any other, as aziot-certd would, and explain what is found.

    Without --enroll nothing is issued. No password is sent to a server whose certificate does not verify.
    """
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now
    from nestor.doctor.address import read_address  # noqa: PLC0415 -- only now
    from nestor.doctor.plan import Plan  # noqa: PLC0415 -- cryptography
    from nestor.doctor.seen import Credential, Login  # noqa: PLC0415 -- cryptography
    from nestor.doctor.visit import examine  # noqa: PLC0415 -- OpenSSL
    from nestor.upstream.trust import read_anchors  # noqa: PLC0415 -- cryptography

    operations = None
    if url is None:
        url, cacert = _own_server(cacert, data, config)
        operations = _operations(data)
    identity = _read_identity(cert, key)
    with told_as_misuse():
        address = read_address(url, label)
        device = _device_to_enroll(name, identity, enroll=enroll)
    anchors = read_anchors(cacert).anchors if cacert else None
    password = find_password(user, password_file)
    login = None if user is None else Login(user, password or "")
    plan = Plan(address, anchors, Credential(login, identity), device, edge_ca, patience, operations, _here())
    return show_findings(examine(plan, SystemClock()), as_json=json)


def _own_server(cacert: Path | None, data: Path, config: Path | None) -> tuple[str, Path | None]:
    """Where this machine's Nestor is reached by its settings, and the CA that devices of it trust."""
    from nestor.ca.home import CAHome  # noqa: PLC0415 -- cryptography

    listener = load_settings(config, data).listener
    host = next(iter(listener.hostnames), "localhost")
    url = f"https://{f'[{host}]' if ':' in host else host}:{listener.port}{BASE}"
    homes = [CAHome(data), *([CAHome(TUTORIAL_DATA)] if data == DEFAULT_DATA else [])]
    return url, cacert or next((home.certificates_path for home in homes if home.certificates_path.exists()), None)


def _operations(data: Path) -> "Place | None":
    """The operations port of this machine's Nestor, as it left word; None where it has none here."""
    import socket  # noqa: PLC0415 -- only now
    from urllib.parse import urlsplit  # noqa: PLC0415 -- only now

    from nestor.cli.probe import word_of  # noqa: PLC0415 -- only now
    from nestor.doctor.seen import Place  # noqa: PLC0415 -- cryptography
    from nestor.web.probes import WORD  # noqa: PLC0415 -- only now

    parts = urlsplit(word_of(data) if (data / WORD).exists() else "")
    if parts.scheme != "http" or parts.hostname is None or parts.port is None:
        return None
    family = socket.AF_INET6 if ":" in parts.hostname else socket.AF_INET
    return Place(family, parts.hostname, parts.port)


def _here() -> "Here":
    """Where this runs: the runtime tells its modules, and a device has users that nothing else has."""
    from nestor.device.files import find_users  # noqa: PLC0415 -- only now
    from nestor.doctor.itself import Here  # noqa: PLC0415 -- only now
    from nestor.edge.identity import read_identity  # noqa: PLC0415 -- only now

    module = read_identity()
    return Here(module.device if module else "", device=bool(find_users(Path("/"))))


def _read_identity(cert: Path | None, key: Path | None) -> "Identity | None":
    """The certificate to be shown, with its key and chain. Raises MaterialError."""
    from cryptography import x509  # noqa: PLC0415 -- only now

    from nestor.doctor.seen import Identity, TLSKey  # noqa: PLC0415 -- cryptography
    from nestor.keys.file import load_key  # noqa: PLC0415 -- cryptography

    if cert is None:
        if key is not None:
            raise Misuse("--key is there without --cert.", "Name the certificate that it belongs to.")
        return None
    try:
        leaf, *chain = x509.load_pem_x509_certificates(read_file(cert, "certificate"))
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise MaterialError(f"{cert} holds no readable certificate.", "Give certificate and chain as PEM.") from error
    private = load_key(key or cert).key
    if not isinstance(private, TLSKey):
        raise MaterialError(f"{key or cert} holds a key that TLS does not take here.", "Use an EC, RSA or Ed25519 key.")
    if private.public_key() != leaf.public_key():
        raise MaterialError(f"{key or cert} is not the key of {cert}.", "The device's own certificate comes first.")
    return Identity(leaf, private, tuple(chain))


def _device_to_enroll(name: str | None, identity: "Identity | None", *, enroll: bool) -> str | None:
    """The device id to ask certificates for; None where none are asked for. Raises Misuse."""
    from nestor.doctor.requests import check_device  # noqa: PLC0415 -- cryptography

    if not enroll:
        if name is not None:
            raise Misuse("--name is there without --enroll.", "Certificates are asked for with --enroll only.")
        return None
    device = name or (common_name_of(identity.certificate.subject) if identity else "")
    if not device:
        raise Misuse("Nothing says for which device to enroll.", "Give --name DEVICE-ID.")
    check_device(device)
    return device
