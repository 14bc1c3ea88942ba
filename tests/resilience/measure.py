"""What a call pays for its breaker: `python -m tests.resilience.measure [PROCESSES [CALLS]]`.

Prints microseconds for each pair of ask and verdict, alone and with all processes at the same target, and how often the
lock was not to be had.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

from app.core.clock import SystemClock
from app.resilience.breaker import Admission, Breakers
from app.resilience.records import Records
from app.resilience.state import Breaking


def worker(path: Path, calls: int, start: Barrier) -> tuple[float, float, int, int, float]:
    """CPU and elapsed microseconds a pair; verdicts put off, their longest queue; milliseconds of the slowest pair."""
    clock = SystemClock()
    records = Records(path, clock)
    breakers = Breakers(records, Breaking(), clock)
    late = records._lock._late
    put_off = longest = 0
    slowest = 0.0
    start.wait()
    began, cpu = time.perf_counter(), time.thread_time()
    for _ in range(calls):
        before, at = len(late), time.perf_counter()
        admission = breakers.ask("openai/gpt-4.1", "openai")
        assert isinstance(admission, Admission)
        admission.succeeded()
        slowest = max(slowest, time.perf_counter() - at)
        put_off += len(late) > before
        longest = max(longest, len(late))
    elapsed, cpu = time.perf_counter() - began, time.thread_time() - cpu
    while not records.catch_up():
        pass
    return cpu / calls * 1e6, elapsed / calls * 1e6, put_off, longest, slowest * 1e3


def run(processes: int, calls: int) -> None:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as directory, context.Manager() as manager, context.Pool(processes) as pool:
        path = Path(directory, "breakers")
        start = manager.Barrier(processes)
        found = pool.starmap(worker, [(path, calls, start)] * processes, chunksize=1)
        records = Records(path, SystemClock())
        (state,) = (record.read() for record in records.all() if record.name == "openai/gpt-4.1")
        records.close()
    print(f"{processes} process(es), {calls} calls each")
    for cpu, elapsed, put_off, longest, slowest in found:
        print(
            f"  {cpu:6.1f} us CPU, {elapsed:6.1f} us elapsed a pair; {put_off} put off, at most {longest} at once; "
            f"slowest {slowest:.1f} ms"
        )
    print(f"  counted in the window: {sum(state.calls)} of {processes * calls}")


if __name__ == "__main__":
    count, each = [*map(int, sys.argv[1:]), *(4, 100_000)[len(sys.argv) - 1 :]]
    run(1, each)
    run(count, each)
