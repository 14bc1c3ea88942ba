"""Prints what became of the recorded exchanges below the test report."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.recorded.corpus import Case
from tests.recorded.table import Table
from tests.standin import recordings_dir

_TABLE = pytest.StashKey[Table]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    case = getattr(item, "callspec", None) and item.callspec.params.get("case")  # type: ignore[attr-defined]
    decided = report.when == "call" or (report.when == "setup" and not report.passed)
    if isinstance(case, Case) and decided and not case.id.startswith("made-"):
        item.config.stash.setdefault(_TABLE, Table()).add(case, report.outcome)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    table = config.stash.get(_TABLE, None)
    if recordings_dir() is None:
        terminalreporter.section("recorded traffic")
        terminalreporter.write_line(
            "not replayed: there are no recordings at ../shared/recordings beside this checkout"
        )
    elif table is not None:
        terminalreporter.section("recorded traffic")
        for line in table.lines():
            terminalreporter.write_line(line)
