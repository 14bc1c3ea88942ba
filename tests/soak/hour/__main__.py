"""python -m tests.soak.hour [--seconds 3600] [--warm 600] [--rate 100] [--class gevent] [--out FILE]

A line a minute, and a verdict; the same as lines of JSON in the file. SIGTERM ends it early, with a verdict.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.soak.hour.drive import Plan, run

USUAL = Plan()


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser("tests.soak hour", description="An hour with 5 % of every fault.")
    options.add_argument("--seconds", type=float, default=USUAL.seconds)
    options.add_argument("--warm", type=float, help="seconds before figures are compared; default a sixth")
    options.add_argument("--rate", type=float, default=USUAL.rate, help="calls a second")
    options.add_argument("--class", dest="worker_class", default=USUAL.worker_class, choices=("gevent", "gthread"))
    options.add_argument("--out", type=Path, default=Path(tempfile.gettempdir(), "soak-hour.jsonl"))
    given = options.parse_args(arguments)
    warm = min(USUAL.warm, given.seconds / 6) if given.warm is None else given.warm
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    print(f"lines of JSON go to {given.out}", flush=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with given.out.open("w") as out:
        report = run(Plan(given.seconds, warm, given.rate, given.worker_class), out, over)
    print(report, flush=True)
    return bool(report.complaints)


if __name__ == "__main__":
    sys.exit(main())
