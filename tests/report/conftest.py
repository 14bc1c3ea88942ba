"""One Prometheus with the hour, and one report of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import cli
from tests.monitoring.servers import Prometheus, prometheus
from tests.report import history


@pytest.fixture(scope="package")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    directory = tmp_path_factory.mktemp("past")
    history.write(directory, time.time())
    with prometheus(directory, "global: {}") as server:
        yield server


@pytest.fixture(scope="package")
def report(past: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert cli.main(["report", "--prometheus", past.url, "--output", str(path)]) == 0
    return path
