"""The bench runs; what it measures is not asserted."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(shutil.which("cc") is None, reason="the bench needs a C compiler")
def test_the_bench_prints_a_table_with_the_yardstick_in_it() -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--only", "plain", "--server", "bare", "--class", "gevent"]

    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout

    row = next(line for line in printed.splitlines() if line.startswith("| CPU us, plain call"))
    assert int(row.split("|")[2]) > 0
