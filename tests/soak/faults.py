"""The table of faults over and over, with the processors busy: the same result each time.

    python -m tests.soak.faults [--times 20] [--first 0] [--idle]

`--first`: the number of the first run, where the twenty are made in parts; gevent and gthread take turns.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.faults.house import house
from tests.faults.run import run as run_cells
from tests.faults.table import load
from tests.gunicorn import CLASSES
from tests.soak.report import Report


def run(times: int = 20, first: int = 0, *, busy: bool = True) -> Report:
    cells = load().cells
    report = Report(f"the table of faults, {times} times, {'with every processor busy' if busy else 'on its own'}")
    wrong, left, ran, latest = Counter[str](), Counter[str](), 0, 0.0
    with _busy() if busy else contextlib.nullcontext():
        for number in range(first, first + times):
            kind, began, bad, late = CLASSES[number % len(CLASSES)], time.monotonic(), 0, 0.0
            for streamed in (False, True):
                mine = [cell for cell in cells if cell.streamed is streamed]
                with house(mine, kind) as found:
                    result = run_cells(found, mine)
                ran += len(mine)
                left.update(f"{kind} {name}: {before} -> {now}" for name, (before, now) in result.left.items())
                late = max([late, *(one.seen.took - one.cell.takes for one in result.runs)])
                for cell, complaints in result.complaints.items():
                    wrong.update(f"{kind} {cell}: {complaint}" for complaint in complaints)
                    bad += bool(complaints)
            latest = max(latest, late)
            took = time.monotonic() - began
            print(f"  run {number + 1} ({kind}): {bad} cells wrong, latest {late:.2f} s, {took:.0f} s", flush=True)
    report.tell("cells", ran)
    report.tell("complaints", dict(wrong), good=not wrong, wanted="none")
    report.tell("left in the worker", dict(left), good=not left, wanted="nothing")
    report.tell("latest verdict after its time, seconds", latest)
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


def main() -> int:
    options = argparse.ArgumentParser("tests.soak.faults", description="The table of faults over and over.")
    options.add_argument("--times", type=int, default=20, help="runs; each makes every cell once")
    options.add_argument("--first", type=int, default=0, help="number of the first one")
    options.add_argument("--idle", action="store_true", help="leave the processors to it alone")
    given = options.parse_args()
    report = run(given.times, given.first, busy=not given.idle)
    print(report)
    return bool(report.complaints)


if __name__ == "__main__":
    sys.exit(main())
