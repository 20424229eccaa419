"""The options that every `nestor est` command takes: which server, whom to believe, who is asking; and their client."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.cli.exits import Misuse
from nestor.cli.password import ask_password
from nestor.document import Reference
from nestor.errors import MaterialError

if TYPE_CHECKING:
    from nestor.upstream.client import ESTClient
    from nestor.upstream.trust import Trust

PASSWORD_VARIABLE = "NESTOR_EST_PASSWORD"  # noqa: S105 -- the name of a variable

URLArgument = Annotated[str, typer.Argument(metavar="URL", help="https://HOST:PORT, or the whole base of EST paths.")]
CACertOption = Annotated[
    Path | None, typer.Option("--cacert", help="Believe the CA certificates of this PEM file, and no others.")
]
FingerprintOption = Annotated[
    str | None,
    typer.Option("--fingerprint", help="Believe the one CA that the server shows with this SHA-256, and no others."),
]
LabelOption = Annotated[str | None, typer.Option("--label", help="The label between base and operation.")]
UserOption = Annotated[
    str | None,
    typer.Option("--user", help=f"Basic authentication. The password is asked for, or in {PASSWORD_VARIABLE}."),
]
PasswordFileOption = Annotated[Path | None, typer.Option("--password-file", help="A file that holds the password.")]
CertOption = Annotated[
    Path | None, typer.Option("--cert", help="The certificate to show in TLS, its chain behind it; PEM.")
]
KeyOption = Annotated[Path | None, typer.Option("--key", help="Its key, if not in the same file; PEM.")]


@dataclass(frozen=True, slots=True)
class Peer:
    """A server as the command line names it, and how to show oneself there."""

    url: str
    label: str | None
    cacert: Path | None
    fingerprint: str | None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    cert: Path | None = None
    key: Path | None = None

    async def trust(self) -> "Trust":
        """Whom to believe: a file, a fingerprint, or this machine's own store."""
        from nestor.upstream.bootstrap import bootstrap  # noqa: PLC0415 -- aiohttp
        from nestor.upstream.trust import Trust, read_anchors  # noqa: PLC0415 -- cryptography

        if self.cacert is not None and self.fingerprint is not None:
            raise Misuse("--cacert and --fingerprint both say whom to believe.", "Give one of them.")
        if self.cacert is not None:
            return read_anchors(self.cacert)
        if self.fingerprint is not None:
            return await bootstrap(self.url, self.fingerprint, label=self.label)
        return Trust()

    def client(self, trust: "Trust", *, linkable: bool = False) -> "ESTClient":
        """A client, not opened yet."""
        from nestor.upstream.client import ESTClient  # noqa: PLC0415 -- aiohttp

        return ESTClient(
            self.url,
            trust,
            user=self.user,
            password=self.password,
            certificate=self.cert,
            key=self.key,
            label=self.label,
            linkable=linkable,
        )


def find_password(user: str | None, password_file: Path | None) -> str | None:
    """The password of a user: from a file, from the environment, or asked for; never from the command line."""
    if user is None:
        if password_file is not None:
            raise Misuse("--password-file is there without --user.", 'Name the user; an empty one is --user "".')
        return None
    if password_file is not None:
        return Reference("file", str(password_file.absolute())).read_text(Path())
    try:
        return Reference("env", PASSWORD_VARIABLE).read_text(Path())
    except MaterialError:
        return _ask()


def _ask() -> str:
    password = ask_password()
    if not password:
        raise MaterialError("There is no password.", f"Pipe one in, set {PASSWORD_VARIABLE}, or use --password-file.")
    return password
