"""`nestor est`: a small EST client (RFC 7030) for any EST server; it touches no data directory."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from nestor.cli.est_files import check_free, pem_of, write_files
from nestor.cli.est_peer import (
    CACertOption,
    CertOption,
    FingerprintOption,
    KeyOption,
    LabelOption,
    PasswordFileOption,
    Peer,
    URLArgument,
    UserOption,
    find_password,
)
from nestor.cli.exits import Misuse, told_as_misuse
from nestor.cli.output import show_fields, show_rows
from nestor.cli.places import JsonOption
from nestor.errors import Pending
from nestor.model import KeyType
from nestor.naming import common_name_of

if TYPE_CHECKING:
    from cryptography import x509

    from nestor.cli.est_request import Composer
    from nestor.upstream.client import ESTClient
    from nestor.upstream.wish import Wish

app = typer.Typer(help="An EST client: cacerts, csrattrs, enroll, reenroll, serverkeygen.", no_args_is_help=True)

Got = TypeVar("Got")
CommonNameOption = Annotated[str | None, typer.Option("--common-name", help="The name: the device id, usually.")]
DNSOption = Annotated[
    list[str] | None, typer.Option("--dns", metavar="NAME", help="A DNS name as alternative name; repeat it.")
]
IPOption = Annotated[list[str] | None, typer.Option("--ip", metavar="ADDRESS", help="An IP address likewise.")]
KeyTypeOption = Annotated[KeyType | None, typer.Option("--key-type", help="By default as the server wants, or P-256.")]
EdgeCAOption = Annotated[bool, typer.Option("--edge-ca", help="Ask for the Edge CA of that device.")]
ESTIdentityOption = Annotated[bool, typer.Option("--est-identity", help="Ask for clientAuth: to authenticate with.")]
CSROption = Annotated[
    Path | None, typer.Option("--csr", help="Send this request, PEM or DER, as it is; certificate beside it.")
]
LinkOption = Annotated[bool, typer.Option("--link", help="Link the request to its TLS session, asked for or not.")]
WaitOption = Annotated[
    int, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for a server that decides later.")
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Where the certificate goes; NAME.cert.pem.")]
KeyOutOption = Annotated[Path | None, typer.Option("--key-out", help="Where its key goes, mode 0600; NAME.key.pem.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite files.")]


@app.command("cacerts")
def cacerts(
    url: URLArgument,
    cacert: CACertOption = None,
    fingerprint: FingerprintOption = None,
    label: LabelOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="A file for the CA certificates, PEM.")] = None,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Show the CA certificates of a server. With --out they become trust anchors (RFC 7030, 4.1)."""
    from nestor.cli.est_words import CA_COLUMNS, ca_rows  # noqa: PLC0415 -- cryptography

    check_free(out, force=force)
    found = asyncio.run(_ask(Peer(url, label, cacert, fingerprint), lambda client: client.cacerts()))
    show_rows(CA_COLUMNS, ca_rows(found), as_json=json)
    if out is not None:
        write_files({out: pem_of(found.trusted)})
        _say(f"{out} holds them: {len(found.trusted)}.")


@app.command("csrattrs")
def csrattrs(
    url: URLArgument,
    cacert: CACertOption = None,
    fingerprint: FingerprintOption = None,
    label: LabelOption = None,
    user: UserOption = None,
    password_file: PasswordFileOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Show what the server wants of a request (RFC 7030, 4.5)."""
    from nestor.cli.est_words import attribute_fields  # noqa: PLC0415 -- cryptography

    peer = Peer(url, label, cacert, fingerprint, user, find_password(user, password_file), cert, key)
    fields = attribute_fields(asyncio.run(_ask(peer, lambda client: client.csrattrs())))
    show_fields(fields, as_json=json)
    if not fields:
        _say("The server asks for nothing in particular.")


@app.command("enroll")
def enroll(
    url: URLArgument,
    common_name: CommonNameOption = None,
    dns: DNSOption = None,
    ip: IPOption = None,
    edge_ca: EdgeCAOption = False,
    est_identity: ESTIdentityOption = False,
    key_type: KeyTypeOption = None,
    csr: CSROption = None,
    cacert: CACertOption = None,
    fingerprint: FingerprintOption = None,
    label: LabelOption = None,
    user: UserOption = None,
    password_file: PasswordFileOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    link: LinkOption = False,
    wait: WaitOption = 0,
    out: OutOption = None,
    key_out: KeyOutOption = None,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Get a certificate. For a new key, or for a request that was made elsewhere (RFC 7030, 4.2)."""
    from nestor.cli.est_request import Composer, read_request, wish_of  # noqa: PLC0415 -- cryptography

    if csr is not None:
        if common_name or dns or ip or edge_ca or est_identity or key_type or key_out or link:
            raise Misuse("A request that is made already cannot be changed.", "Leave the other options out.")
        request = read_request(csr)
        out = out or csr.with_suffix(".cert.pem")
        check_free(out, force=force)
        peer = Peer(url, label, cacert, fingerprint, user, find_password(user, password_file), cert, key)
        issued = asyncio.run(_ask(peer, lambda client: client.enroll(request), wait))
        _keep(issued, {out: pem_of([issued])}, json=json)
        return
    wish = wish_of(common_name, dns, ip, for_edge_ca=edge_ca, for_est_identity=est_identity)
    out, key_out = _places(wish, out, key_out, force=force)
    composer = Composer(wish, key_type)
    peer = Peer(url, label, cacert, fingerprint, user, find_password(user, password_file), cert, key)
    issued = asyncio.run(_request(peer, composer, lambda client, der: client.enroll(der), link=link, wait=wait))
    _keep(issued, {key_out: composer.key_pem, out: pem_of([issued])}, key_out, json=json)


@app.command("reenroll")
def reenroll(
    url: URLArgument,
    cert: Annotated[Path, typer.Option("--cert", help="The certificate to renew, PEM; replaced without --out.")],
    key: Annotated[Path, typer.Option("--key", help="Its key, PEM; replaced without --key-out.")],
    same_key: Annotated[bool, typer.Option("--same-key", help="Keep the key.")] = False,
    est_identity: ESTIdentityOption = False,
    key_type: KeyTypeOption = None,
    cacert: CACertOption = None,
    fingerprint: FingerprintOption = None,
    label: LabelOption = None,
    user: UserOption = None,
    password_file: PasswordFileOption = None,
    link: LinkOption = False,
    wait: WaitOption = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Where the certificate goes, instead.")] = None,
    key_out: Annotated[Path | None, typer.Option("--key-out", help="Where its key goes, mode 0600, instead.")] = None,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Renew a certificate with itself. Same names, a new key (RFC 7030, 4.2.2).

    Both files are replaced, or stay as they are where --out and --key-out say where the new ones go.
    """
    from nestor.cli.est_request import Composer, read_certificate  # noqa: PLC0415 -- cryptography
    from nestor.keys.file import load_key  # noqa: PLC0415 -- cryptography
    from nestor.upstream.wish import est_identity as as_est_identity  # noqa: PLC0415 -- cryptography
    from nestor.upstream.wish import renewal  # noqa: PLC0415 -- cryptography

    if same_key and key_type:
        raise Misuse("A key that is kept cannot change its kind.", "Give --same-key or --key-type.")
    if same_key and key_out:
        raise Misuse("A key that is kept goes nowhere.", "Leave --key-out out.")
    if not same_key and (out is None) != (key_out is None):
        raise Misuse("A certificate and its new key go together.", "Give --out and --key-out, or neither.")
    check_free(out, key_out, force=force)
    wish = renewal(read_certificate(cert))
    kept = load_key(key).key if same_key else None
    composer = Composer(as_est_identity(wish) if est_identity else wish, key_type, kept, keep_names=True)
    peer = Peer(url, label, cacert, fingerprint, user, find_password(user, password_file), cert, key)
    issued = asyncio.run(_request(peer, composer, lambda client, der: client.reenroll(der), link=link, wait=wait))
    private = key_out or key
    renewed = {} if same_key else {private: composer.key_pem}
    _keep(issued, {**renewed, out or cert: pem_of([issued])}, private, json=json)


@app.command("serverkeygen")
def serverkeygen(
    url: URLArgument,
    common_name: CommonNameOption = None,
    dns: DNSOption = None,
    ip: IPOption = None,
    edge_ca: EdgeCAOption = False,
    est_identity: ESTIdentityOption = False,
    cacert: CACertOption = None,
    fingerprint: FingerprintOption = None,
    label: LabelOption = None,
    user: UserOption = None,
    password_file: PasswordFileOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    wait: WaitOption = 0,
    out: OutOption = None,
    key_out: KeyOutOption = None,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Get a key that the server makes. Its certificate comes with it (RFC 7030, 4.4)."""
    from nestor.cli.est_request import Composer, key_file, wish_of  # noqa: PLC0415 -- cryptography

    wish = wish_of(common_name, dns, ip, for_edge_ca=edge_ca, for_est_identity=est_identity)
    out, key_out = _places(wish, out, key_out, force=force)
    peer = Peer(url, label, cacert, fingerprint, user, find_password(user, password_file), cert, key)
    made = asyncio.run(_request(peer, Composer(wish), lambda client, der: client.server_keygen(der), wait=wait))
    contents = {key_out: key_file(made.key), out: pem_of([made.certificate])}
    _keep(made.certificate, contents, key_out, json=json)


async def _ask(peer: Peer, ask: Callable[["ESTClient"], Awaitable[Got]], wait: float = 0) -> Got:
    """Ask one thing, believing whom the options say."""
    from nestor.upstream.enrollment import patiently  # noqa: PLC0415 -- aiohttp

    with told_as_misuse():
        trust = await peer.trust()

        async def attempt() -> Got:
            async with peer.client(trust) as client:
                return await ask(client)

        with _undecided("Run this again in {} s., or let it ask until it is decided: --wait SECONDS, more than that."):
            return await patiently(attempt, wait, _say_undecided)


async def _request(
    peer: Peer,
    composer: "Composer",
    send: Callable[["ESTClient", bytes], Awaitable[Got]],
    *,
    link: bool = False,
    wait: float = 0,
) -> Got:
    """Ask for a certificate of one's own, as the server wants to be asked."""
    from nestor.upstream.enrollment import request_own  # noqa: PLC0415 -- aiohttp

    with told_as_misuse():
        trust = await peer.trust()
        with _undecided("Let it ask with this key until it is decided: --wait SECONDS, more than {}."):
            return await request_own(
                lambda linkable: peer.client(trust, linkable=linkable),
                composer,
                send,
                link=link,
                patience=wait,
                waiting=_say_undecided,
            )


@contextmanager
def _undecided(hint: str) -> Iterator[None]:
    """What to do where the server has not decided within the time that is waited; the hint has the seconds in it."""
    try:
        yield
    except Pending as pending:
        raise Pending(pending.sentence, hint.format(pending.retry_after), retry_after=pending.retry_after) from pending


def _say_undecided(pending: Pending) -> None:
    _say(f"{pending.sentence} It is asked again in {pending.retry_after} s.")


def _places(wish: "Wish", out: Path | None, key_out: Path | None, *, force: bool) -> tuple[Path, Path]:
    """Where certificate and key go: by default named for their subject, here."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", common_name_of(wish.subject)).lstrip(".")
    out, key_out = out or Path(f"{name}.cert.pem"), key_out or Path(f"{name}.key.pem")
    if out == key_out:
        raise Misuse("Certificate and key cannot go to the same file.", "Change --out or --key-out.")
    check_free(out, key_out, force=force)
    return out, key_out


def _keep(
    issued: "x509.Certificate", contents: Mapping[Path, bytes], private: Path | None = None, *, json: bool
) -> None:
    """Write the files, then tell what was issued and where it is."""
    from nestor.cli.est_words import certificate_fields  # noqa: PLC0415 -- cryptography

    write_files(contents, private)
    places = {"key" if place == private else "certificate": str(place) for place in contents}
    show_fields({**certificate_fields(issued), **places}, as_json=json)


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)
