"""The table of faults over and over, with the processors busy: the same result each time."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

from tests.faults.house import house
from tests.faults.run import run as run_cells
from tests.faults.table import load
from tests.gunicorn import CLASSES
from tests.soak.report import Report


def run(times: int = 20) -> Report:
    cells = load().cells
    report = Report(f"the table of faults, {times} times, with every processor busy")
    wrong, left, ran, late = Counter[str](), 0, 0, 0.0
    with _busy():
        for number in range(times):
            kind = CLASSES[number % len(CLASSES)]
            for streamed in (False, True):
                mine = [cell for cell in cells if cell.streamed is streamed]
                with house(mine, kind) as found:
                    result = run_cells(found, mine)
                ran += len(mine)
                left += bool(result.left)
                late = max([late, *(one.seen.took - one.cell.takes for one in result.runs)])
                for cell, complaints in result.complaints.items():
                    for complaint in complaints:
                        wrong[f"{kind} {cell}: {complaint}"] += 1
    report.tell("cells", ran)
    report.tell("complaints", dict(wrong), good=not wrong, wanted="none")
    report.tell("houses in which something was left", left, good=not left, wanted="none")
    report.tell("latest verdict after its time, seconds", late)
    return report


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    """A process that does nothing else for each processor, and ends with its standard input."""
    waiting = "import sys, threading; threading.Thread(target=sys.stdin.read).start()"
    command = [sys.executable, "-c", f"{waiting}\nwhile threading.active_count() > 1: pass"]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in started:
            process.communicate()
