"""`nestor ca`: make the certificate authority, show it, hand out its certificate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nestor.cli.output import show_fields
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption, JsonOption, read_duration, show_time
from nestor.errors import MaterialError

if TYPE_CHECKING:
    from cryptography import x509

    from nestor.app.authority import Source
    from nestor.ca.issuer import Issuer

app = typer.Typer(help="The certificate authority: init, show, export, backup, restore, import.", no_args_is_help=True)


@app.command("init")
def init(
    subject: Annotated[str | None, typer.Option(help="The root's name: CN=Plant 3 Root CA,O=Contoso.")] = None,
    key_type: Annotated[str | None, typer.Option(help="ec-p256, ec-p384 or rsa.")] = None,
    lifetime: Annotated[str | None, typer.Option(help="How long the root lives: 20y.")] = None,
    offline_root: Annotated[
        Path | None,
        typer.Option(help="Make root and issuing CA in one go, and leave the root's key in this directory."),
    ] = None,
    issuing_subject: Annotated[
        str, typer.Option(help="With --offline-root: the issuing CA's name.")
    ] = "CN=Nestor Issuing CA",
    issuing_lifetime: Annotated[str, typer.Option(help="With --offline-root: how long it lives.")] = "10y",
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
) -> None:
    """Make the CA of a data directory. `nestor serve` does it by itself at its first start; this shows it first."""
    from nestor.app.authority import make_ca, make_ca_below  # noqa: PLC0415 -- every room

    said = {"subject": subject, "keyType": key_type, "lifetime": lifetime}
    source = _source(data, config, {key: value for key, value in said.items() if value is not None})
    if offline_root is None:
        _told(make_ca(source))
        return
    root, issuer = make_ca_below(
        source, offline_root, issuing_subject, read_duration("--issuing-lifetime", issuing_lifetime)
    )
    _told(issuer)
    typer.echo(
        f"The root {_name(root.certificate)} is in {offline_root}: carry its key away, and keep it safe.", err=True
    )


@app.command("show")
def show(data: DataOption = DEFAULT_DATA, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show the CA: names, fingerprints as the portal shows them, dates."""
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256  # noqa: PLC0415 -- only now

    issuer = _issuer(data, config)
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
    show_fields(fields, as_json=json)


@app.command("export")
def export(
    root: Annotated[bool, typer.Option("--root", help="The root only: what devices are to trust.")] = False,
    der: Annotated[bool, typer.Option("--der", help="One certificate as DER instead of PEM; needs --out.")] = False,
    out: Annotated[Path | None, typer.Option(help="A file to write instead of standard output.")] = None,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
) -> None:
    """Print the CA certificate and those above it as PEM; never a key."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 -- only now

    certificates = _issuer(data, config).certificates
    chosen = certificates[-1:] if root else certificates
    if der:
        if out is None:
            raise MaterialError("DER is not for terminals and pipes.", "Name a file: --out ca.cer.")
        _write(out, chosen[0].public_bytes(Encoding.DER))
        return
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chosen)
    if out is None:
        typer.echo(pem.decode(), nl=False)
    else:
        _write(out, pem)


def _source(data: Path, config: Path | None, said: dict[str, Any] | None = None) -> "Source":
    from nestor.app.authority import Source  # noqa: PLC0415 -- every room
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- every room
    from nestor.app.replacing import check_not_interrupted  # noqa: PLC0415 -- every room
    from nestor.settings import judge, merge, read_document  # noqa: PLC0415 -- every room

    check_not_interrupted(data)
    document = merge(read_document(config) if config else {}, {"ca": said or {}})
    return Source(judge(document), data, SystemClock(), lambda _: None)


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


def _name(certificate: "x509.Certificate") -> str:
    return certificate.subject.rfc4514_string()
