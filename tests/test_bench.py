"""The bench runs; what it measures is not asserted."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.metrics.exposition import Exposition, Facts
from bench import scrape

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(shutil.which("cc") is None, reason="the bench needs a C compiler")
def test_the_bench_prints_a_table_with_the_yardstick_in_it() -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--only", "plain", "--server", "bare", "--class", "gevent"]

    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout

    row = next(line for line in printed.splitlines() if line.startswith("| CPU us, plain call"))
    assert int(row.split("|")[2]) > 0


def test_what_a_scrape_is_measured_with_has_as_many_series_as_it_says(tmp_path: Path) -> None:
    with scrape.filled(tmp_path):
        assert len(list(tmp_path.glob("histogram_*.db"))) == scrape.SLOTS
        _, page = Exposition(tmp_path, lambda: Facts("bench", {}, None)).page("")
    assert page.count(b'model="model-') >= scrape.SERIES
