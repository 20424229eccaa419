"""What becomes of an error that nobody foresaw where it rose: a sentence, and a code that says whose matter it is."""

import os

import pytest
import typer

from nestor.cli.exits import MATERIAL, run


def test_what_is_closed_to_this_user_is_told_without_a_trace_of_code(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    def look() -> None:
        raise PermissionError(13, os.strerror(13), "/var/lib/nestor/ca-made")

    with pytest.MonkeyPatch.context() as shell:
        shell.setattr("sys.argv", ["nestor"])
        assert run(app) == MATERIAL
    assert capsys.readouterr().err.splitlines() == [
        "error: /var/lib/nestor/ca-made is closed to this user: Permission denied.",
        "hint: Run this as the user that Nestor runs as.",
    ]
