"""`nestor ca`: make the certificate authority, show it, hand out its certificate."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nestor.cli.host import make_ready
from nestor.cli.output import show_fields
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption, JsonOption, read_duration, show_time
from nestor.errors import MaterialError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from nestor.app.authority import Source
    from nestor.ca.issuer import Issuer

_ISSUING, _ISSUING_LIFETIME = "CN=Nestor Issuing CA", "10y"

app = typer.Typer(
    help="The certificate authority: make it, show it, hand it out, prove that its key is here.", no_args_is_help=True
)


@app.command("init")
def init(
    subject: Annotated[str | None, typer.Option(help="The root's name: CN=Plant 3 Root CA,O=Contoso.")] = None,
    key_type: Annotated[
        Literal["ec-p256", "ec-p384", "rsa"] | None, typer.Option(help="The kind of its key; ec-p256 by default.")
    ] = None,
    lifetime: Annotated[str | None, typer.Option(help="How long the root lives: 20y.")] = None,
    offline_root: Annotated[
        Path | None,
        typer.Option(help="Make root and issuing CA in one go, and leave the root's key in this directory."),
    ] = None,
    issuing_subject: Annotated[
        str | None, typer.Option(help=f"With --offline-root: the issuing CA's name; {_ISSUING} by default.")
    ] = None,
    issuing_lifetime: Annotated[
        str | None, typer.Option(help=f"With --offline-root: how long it lives; {_ISSUING_LIFETIME} by default.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
) -> None:
    """Make the CA of a data directory. `nestor serve` does it by itself at its first start; this shows it first."""
    from nestor.app.founding import found_below, found_root  # noqa: PLC0415 -- every room
    from nestor.ca.hierarchy import read_subject, root_name  # noqa: PLC0415 -- cryptography
    from nestor.est.names import same_name  # noqa: PLC0415 -- cryptography

    if offline_root is None and (issuing_subject is not None or issuing_lifetime is not None):
        raise typer.BadParameter("--issuing-subject and --issuing-lifetime go with --offline-root.")
    if lifetime is not None:
        read_duration("--lifetime", lifetime)
    if subject is not None:
        _name_of("--subject", subject)
    said = {"subject": subject, "keyType": key_type, "lifetime": lifetime}
    source = _source(data, config, {key: value for key, value in said.items() if value is not None})
    if offline_root is None:
        _told(found_root(source))
        return
    issuing_subject = issuing_subject or _ISSUING
    root_subject = root_name(source.settings.ca.subject, source.settings.upstream.identity.name)
    if same_name(_name_of("--issuing-subject", issuing_subject), read_subject(root_subject)):
        raise typer.BadParameter(
            "root and issuing CA need names of their own, or nobody can tell them apart.",
            param_hint="--issuing-subject",
        )
    issuing_life = read_duration("--issuing-lifetime", issuing_lifetime or _ISSUING_LIFETIME)
    root, issuer = found_below(source, offline_root, issuing_subject, issuing_life)
    _told(issuer)
    typer.echo(
        f"The root {_name(root.certificate)} is in {offline_root}: carry its key away, and keep it safe.", err=True
    )


@app.command("show")
def show(data: DataOption = DEFAULT_DATA, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show the CA: names, fingerprints as the portal shows them, dates."""
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256  # noqa: PLC0415 -- only now

    from nestor.app.authority import existing_issuer  # noqa: PLC0415 -- every room
    from nestor.ca.settings import CASource  # noqa: PLC0415 -- cryptography
    from nestor.upstream.lifetimes import renewal_time  # noqa: PLC0415 -- cryptography

    source = _source(data, config)
    issuer = existing_issuer(source)
    certificate = issuer.certificate
    fields = {
        "subject": _name(certificate),
        "SHA-1": certificate.fingerprint(SHA1()).hex().upper(),  # noqa: S303 -- how the portal shows it
        "SHA-256": certificate.fingerprint(SHA256()).hex().upper(),
        "serial": f"{certificate.serial_number:x}",
        "valid from": show_time(certificate.not_valid_before_utc),
        "valid until": show_time(certificate.not_valid_after_utc),
        "signs with": issuer.algorithm.name,
        "below": ", ".join(_name(above) for above in issuer.chain) or "nothing: it is a root",
    }
    if source.settings.ca.source is CASource.PARENT:
        fields |= {
            "parent": source.settings.upstream.url or "",
            "renewed from": show_time(renewal_time(certificate)),
            "took the place of": ", ".join(_lasting(chain[0]) for chain in issuer.former) or "none that lasts",
        }
    show_fields(fields, as_json=json)


@app.command("export")
def export(
    root: Annotated[bool, typer.Option("--root", help="The root only: what devices are to trust.")] = False,
    issuer: Annotated[
        bool, typer.Option("--issuer", help="The CA that issues here only: what DPS is to know.")
    ] = False,
    der: Annotated[bool, typer.Option("--der", help="One certificate as DER instead of PEM; needs --out.")] = False,
    out: Annotated[Path | None, typer.Option(help="A file to write instead of standard output.")] = None,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
) -> None:
    """Print the CA certificate and those above it as PEM; never a key."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 -- only now

    certificates = _issuer(data, config).certificates
    chosen = certificates[-1:] if root else certificates[:1] if issuer else certificates
    if not der:
        _hand_out(chosen, out)
    elif out is None:
        raise typer.BadParameter("DER is not for terminals and pipes; name a file: --out ca.cer.", param_hint="--der")
    else:
        _write(out, chosen[0].public_bytes(Encoding.DER))


@app.command("accept")
def accept(data: DataOption = DEFAULT_DATA, config: ConfigOption = None) -> None:
    """Take the CA from files for the one of this data directory.

    Where ca.source is file and the files hold another CA than before, Nestor issues nothing until this is said.
    """
    from nestor.app.authority import accept_ca  # noqa: PLC0415 -- every room

    issuer = asyncio.run(accept_ca(_source(data, config)))
    typer.echo(f"The CA is {_name(issuer.certificate)}, SHA-256 {issuer.fingerprint.upper()}.", err=True)
    typer.echo("Restart the server. Certificates that another CA issued no longer authenticate.", err=True)


@app.command("prove")
def prove(
    code: Annotated[str, typer.Argument(help="The verification code that DPS or IoT Hub shows.")],
    offline_root: Annotated[
        Path | None, typer.Option(help="Prove it for the root whose key was left in this directory.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A file to write instead of standard output.")] = None,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
) -> None:
    """Prove possession of the CA's key.

    Prints the certificate, named by the code, that DPS and IoT Hub want to see before they trust a CA.
    """
    from nestor.app.possession import prove_possession  # noqa: PLC0415 -- every room

    _hand_out([asyncio.run(prove_possession(_source(data, config), code, offline_root))], out)


def _name_of(option: str, text: str) -> "x509.Name":
    """The name that an option gives. Raises BadParameter."""
    from nestor.ca.hierarchy import read_subject  # noqa: PLC0415 -- cryptography

    try:
        return read_subject(text)
    except SettingsError as error:
        told = f"{text!r} is no name of a CA. {error.hint}"
        raise typer.BadParameter(told, param_hint=option) from error


def _hand_out(certificates: "Sequence[x509.Certificate]", place: Path | None) -> None:
    """Write certificates as PEM, into a file or to standard output. Raises MaterialError."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 -- only now

    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
    if place is None:
        typer.echo(pem.decode(), nl=False)
    else:
        _write(place, pem)


def _source(data: Path, config: Path | None, said: dict[str, Any] | None = None) -> "Source":
    from nestor.app.authority import Source  # noqa: PLC0415 -- every room
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- every room
    from nestor.app.replacing import check_not_interrupted  # noqa: PLC0415 -- every room
    from nestor.document import merge  # noqa: PLC0415 -- every room
    from nestor.settings import judge, read_document  # noqa: PLC0415 -- every room

    check_not_interrupted(data)
    document = merge(read_document(config) if config else {}, {"ca": said or {}})
    return make_ready(Source(judge(document), data, SystemClock(), lambda _: None))


def _issuer(data: Path, config: Path | None) -> "Issuer":
    from nestor.app.authority import existing_issuer  # noqa: PLC0415 -- every room

    return existing_issuer(_source(data, config))


def _told(issuer: "Issuer") -> None:
    certificate = issuer.certificate
    typer.echo(f"Made {_name(certificate)}, valid until {show_time(certificate.not_valid_after_utc)}.", err=True)
    typer.echo(f"SHA-256 {issuer.fingerprint.upper()}", err=True)


def _write(place: Path, content: bytes) -> None:
    try:
        place.write_bytes(content)
    except OSError as error:
        raise MaterialError(f"{place} cannot be written: {error.strerror}.", "Check path and mode.") from error


def _lasting(certificate: "x509.Certificate") -> str:
    """A CA certificate that still counts, by its serial number and its end."""
    return f"{certificate.serial_number:x} until {show_time(certificate.not_valid_after_utc)}"


def _name(certificate: "x509.Certificate") -> str:
    return certificate.subject.rfc4514_string()
