"""What the machine does to a gateway, one after another (tests/host): what was held, and how long it took to show."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest

from tests.soak.report import Report

HERE = Path(__file__).parent.parent / "host"


class _Heard:
    def __init__(self, report: Report) -> None:
        self._report = report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        file, _, name = report.nodeid.partition("::")
        told = f"{Path(file).stem.removeprefix('test_')}: {name.removeprefix('test_').replace('_', ' ')}"
        self._report.tell(told, f"{report.outcome}, {report.duration:.1f} s", good=not report.failed, wanted="passed")


def run(*options: str) -> Report:
    """`options`: of pytest, on top."""
    report = Report("a host in trouble")
    late = "ignore::pytest.PytestAssertRewriteWarning"  # other programs have imported what pytest would look into
    given = ["-q", "--no-header", "-p", "no:cacheprovider", "-W", late, *options, str(HERE)]
    with contextlib.redirect_stdout(sys.stderr):
        code = pytest.main(given, plugins=[_Heard(report)])
    report.tell("code of pytest", int(code), good=not code, wanted="0")
    return report
