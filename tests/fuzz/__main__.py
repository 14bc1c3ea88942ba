"""`python -m tests.fuzz --cases 100000`: what hypothesis thinks of, by target; or one case: `--run FILE`."""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz import anything
from tests.fuzz.anything import SHARES, Failed
from tests.fuzz.case import Case
from tests.fuzz.targets import Targets

BATCH = 2000  # cases that hypothesis thinks of at a time: it remembers them all
HANG = 60.0  # seconds for one case, on a machine that does other things too


class Watch:
    """Counts, and ends the program with a trace where a case does not end."""

    def __init__(self) -> None:
        self.cases: Counter[str] = Counter()
        self.slowest = 0.0
        self._began = time.monotonic()

    def begins(self, case: Case) -> None:
        faulthandler.dump_traceback_later(HANG, exit=True)
        now = time.monotonic()
        if self.cases.total():
            self.slowest = max(self.slowest, now - self._began)
        self._began = now
        self.cases[case.words[0]] += 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=tuple(SHARES), help="this one alone")
    parser.add_argument("--run", type=Path, metavar="FILE", help="one case, as it was written down")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gateway-fuzz-") as directory, contextlib.ExitStack() as stack:
        targets = Targets(Path(directory))
        stack.callback(targets.close)
        if options.run:
            targets.try_raw(options.run.read_bytes())
            print("nothing went wrong")
            return 0
        return _many(targets, options.cases, options.seed, options.target)


def _many(targets: Targets, cases: int, seed: int, only: str | None) -> int:
    watch, failures = Watch(), list[Failed]()
    began = time.monotonic()
    for target, share in SHARES.items():
        left = cases * share // 100 if only is None else cases * (target == only)
        number = 0
        while left > 0:
            try:
                anything.play(targets, target, min(left, BATCH), seed * 10_000 + number, watch.begins)
            except Failed as failed:
                failures.append(failed)
            left -= BATCH
            number += 1
    faulthandler.cancel_dump_traceback_later()
    print(f"{watch.cases.total()} cases in {time.monotonic() - began:.0f} s, the slowest took {watch.slowest:.2f} s")
    print("  " + ", ".join(f"{target} {count}" for target, count in watch.cases.items()))
    print("what came of them:")
    for what, count in sorted(targets.seen.items()):
        print(f"{count:9} {what}")
    print(f"failures: {len(failures)}")
    for failure in failures:
        print(f"\n{failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
