"""The program that runs the tests of tests/host, as it is started: beside all the other programs."""

import subprocess
import sys

from tests.gunicorn import ROOT


def test_it_finds_its_tests() -> None:
    program = "from tests.soak import __main__, host; print(host.run('--collect-only'))"
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert "code of pytest  0" in ran.stdout, ran.stdout + ran.stderr
