"""The tree of commands. Every group is a module of its own; this file only hangs them up."""

from typing import Annotated

import typer

from nestor import __version__
from nestor.cli import (
    approval,
    azure,
    ca,
    ca_backup,
    ca_import,
    ca_seal,
    cert,
    cert_issue,
    cert_list,
    cert_revoke,
    config,
    device,
    est,
    ledger,
    ledger_adopt,
    user,
)
from nestor.cli.doctor import doctor
from nestor.cli.health import health
from nestor.cli.serve import serve

app = typer.Typer(
    name="nestor",
    help="EST server (RFC 7030) and certificate authority for Azure IoT Edge in layered networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve)
ca.app.command()(ca_backup.backup)
ca.app.command()(ca_backup.restore)
ca.app.command("import")(ca_import.import_ca)
ca.app.command()(ca_seal.seal)
ca.app.command()(ca_seal.recover)
ca.app.command()(ca_seal.unseal)
ledger.app.command()(ledger_adopt.adopt)
ledger.app.command()(ledger_adopt.start_over)
app.command()(doctor)
app.command()(health)
ca.app.command("azure")(azure.azure)
cert.app.command("list")(cert_list.list_certificates)
cert.app.command("issue")(cert_issue.issue)
cert.app.command("revoke")(cert_revoke.revoke)
for group in (config, ca, cert, approval, user, ledger, device, est):
    app.add_typer(group.app, name=group.__name__.rpartition(".")[2])


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nestor {__version__}")
        raise typer.Exit


@app.callback()
def nestor(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Describe the whole command."""
