"""The pytest plugin that holds docs/conformance.md to the tests: writes it when told, compares it after a whole run.

A test carries `@pytest.mark.conformance("TLS-2", ...)`. The ids travel in the reports, so this works under xdist too.
"""

from collections import defaultdict

import pytest

from support.rows import PAGE, Proof, marked_tests, page, read_sections

_KEY = "conformance"
_WRITE = "--write-conformance"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_WRITE, action="store_true", help="write docs/conformance.md from the tests that pass")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Conformance(config), "nestor-conformance")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in item.iter_markers(_KEY):
            item.user_properties.extend((_KEY, row) for row in mark.args)


class Conformance:
    """Gathers what the tests prove, in the one process that sees every report."""

    def __init__(self, config: pytest.Config) -> None:
        self._writing = bool(config.getoption(_WRITE))
        self._passed: defaultdict[str, set[Proof]] = defaultdict(set)
        self._unproved: set[Proof] = set()
        self._outcome = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        rows = [str(value) for key, value in report.user_properties if key == _KEY]
        proof = Proof.of(report.nodeid)
        if rows and not report.passed:
            self._unproved.add(proof)
        elif report.when == "call":
            for row in rows:
                self._passed[row].add(proof)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write or compare the page, if every test that carries a row passed in this run."""
        if not self._is_whole():
            self._outcome = f"{_WRITE}: the page needs every conformance test to pass." if self._writing else ""
        elif self._writing:
            PAGE.write_text(self._page(), "utf-8")
            return
        elif not PAGE.exists() or PAGE.read_text("utf-8") != self._page():
            self._outcome = "docs/conformance.md is out of date; hint: make conformance"
        if self._outcome and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._outcome:
            terminalreporter.write_line(f"error: {self._outcome}", red=True)

    def _is_whole(self) -> bool:
        passed = set().union(*self._passed.values())
        return bool(passed) and not self._unproved and passed >= marked_tests().keys()

    def _page(self) -> str:
        return page(read_sections(), {row: sorted(proofs) for row, proofs in self._passed.items()})
