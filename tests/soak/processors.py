"""What a busy machine makes calls late by, and neither a worker nor what it waits for.

    python -m tests.soak.processors PID...

A worker stands in line for a processor: the kernel tells how long, and is asked every 20 ms by a process that has
little else to do. It is the main thread's time, which is all that serves calls in a worker of gevent. And who calls is
a busy process, too: a thread of it that wakes late says when nobody was there to take an answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence

from tests.gunicorn import ROOT

EVERY = 0.02  # seconds
BEAT = 0.005
STALL = 0.02  # that a beat comes late; less is usual among threads

Samples = Sequence[tuple[float, float]]  # (when, seconds in line until then), in their order; monotonic


class Lateness:
    def __init__(self, lines: Mapping[int, Samples], stalls: Samples = ()) -> None:
        """`lines`: of workers, by process; `stalls`: when who calls was late, and for how many seconds until then."""
        self.lines = lines
        self.stalls = stalls

    def of(self, worker: int, began: float, ended: float) -> float:
        """Seconds, of a call between these instants that this worker answered; never more than it took."""
        here = sum(max(0.0, min(at, ended) - max(at - late, began)) for at, late in self.stalls)
        return min(ended - began, self._stood(worker, began, ended) + here)

    def _stood(self, worker: int, began: float, ended: float) -> float:
        found = self.lines.get(worker, ())
        first, last = bisect_right(found, (began, float("inf"))) - 1, bisect_left(found, (ended,))
        return found[last][1] - found[first][1] if first >= 0 and last < len(found) else 0.0


@contextlib.contextmanager
def watched(workers: Sequence[int]) -> Iterator[Lateness]:
    """What is given knows everything at the end, and nothing before."""
    found, over, stalls = Lateness({}), threading.Event(), list[tuple[float, float]]()
    beats = threading.Thread(target=_beat, args=(over, stalls))
    command = [sys.executable, "-m", "tests.soak.processors", *map(str, workers)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            beats.start()
            assert process.stdout is not None
            process.stdout.readline()  # it looks
            yield found
            told, _ = process.communicate()
            found.lines = {
                int(worker): [(at, stood) for at, stood in each] for worker, each in json.loads(told).items()
            }
            found.stalls = stalls
        finally:
            process.kill()
            over.set()
            beats.join()


def _beat(over: threading.Event, stalls: list[tuple[float, float]]) -> None:
    due = time.monotonic() + BEAT
    while not over.is_set():
        time.sleep(BEAT)
        now = time.monotonic()
        if now - due > STALL:
            stalls.append((now, now - due))
        due = now + BEAT


def main(workers: Sequence[str]) -> None:
    found: dict[str, list[tuple[float, float]]] = {worker: [] for worker in workers}
    with contextlib.ExitStack() as stack:
        files = {}
        for worker in workers:
            with contextlib.suppress(OSError):  # a kernel that does not count
                files[worker] = stack.enter_context(open(f"/proc/{worker}/schedstat", "rb", buffering=0))
        print(flush=True)
        is_over = False
        while not is_over:
            is_over = bool(select.select([sys.stdin], [], [], EVERY)[0])
            for worker, file in files.items():
                with contextlib.suppress(OSError):  # it has ended
                    _, stood, _ = os.pread(file.fileno(), 100, 0).split()
                    found[worker].append((time.monotonic(), int(stood) / 1e9))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
