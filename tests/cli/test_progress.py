"""Progress in a pipe: a line now and then, on standard error."""

import pytest

from nestor.cli.progress import progress


@pytest.mark.parametrize(("total", "lines"), [(0, 0), (99, 0), (100, 10), (12345, 10)])
def test_a_pipe_gets_a_line_for_every_tenth(total: int, lines: int, capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Certificates", total) as step:
        for _ in range(total):
            step()
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == lines
    assert not lines or said.err.splitlines()[-1] == f"Certificates: {total:,} of {total:,}"
