"""What a stranger wrote reaches a terminal, a pipe or a table as text, and does nothing there."""

import pytest

from nestor.cli import output
from nestor.cli.output import plain, show_fields, show_rows

HOSTILE = "\x1b[2J\x1b]0;pwn\x07\tx\n[/red][bold]y[/]"


def test_what_can_be_printed_is_left_as_it_is() -> None:
    assert plain("CN=Pumpe süd [1]") == "CN=Pumpe süd [1]"


def test_a_line_in_a_pipe_stays_one_line_of_as_many_fields(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(("who", "why"), [(HOSTILE, "no")])
    out = capsys.readouterr().out
    assert (out.count("\n"), out.count("\t"), "\x1b" in out) == (1, 1, False)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_told_no_commands(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "on_terminal", lambda: terminal)
    show_rows(("who", "why"), [(HOSTILE, "no")])
    show_fields({"who": HOSTILE})
    out = capsys.readouterr().out
    assert "]0;pwn" in out
    assert "\x1b]" not in out
    assert "[bold]y[/]" in out
