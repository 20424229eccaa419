"""What all tests share: the conformance page, the order, and that nothing is skipped where everything is installed."""

import os
from collections.abc import Generator

import hypothesis
import pytest

pytest_plugins = ("support.conformance",)

_LONGEST_ID = 80
_STRICT = bool(os.environ.get("NESTOR_TESTS_STRICT"))  # noqa: TID251 -- the switch of .ci/run

hypothesis.settings.register_profile("nestor", deadline=None)  # how long something takes is for the benchmarks
hypothesis.settings.load_profile("nestor")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long stories, so that no worker is left with one when the others have nothing left to do."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that would be skipped for a missing tool, where .ci/run has installed every tool."""
    report = yield
    if _STRICT and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case by its argument where its value is bytes or long: keys are drawn anew in every process."""
    return argname if isinstance(val, bytes) or (isinstance(val, str) and len(val) > _LONGEST_ID) else None
