"""What metrics and the line of the log cost a call: `python -m tests.metrics.cost`.

One process that counts in files of its own as a worker does, and calls of a plain success without anything around
them: CPU microseconds a call without an observer, with the metrics, and with the line of the log.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from logging import INFO
from pathlib import Path

from app import logs
from app.core.call import Call
from app.core.clock import SystemClock
from app.core.exchange import Exchange, Observer
from app.core.usage import Usage
from app.core.wire import Frame
from app.metrics import slots
from app.metrics.meter import Meter
from app.metrics.registry import Metrics
from app.store.memory import Memory
from tests.metrics.calls import ALPHA, ROUTE, call

CALLS = 20_000
ROUNDS = 5

Follow = Callable[[Call], Observer]


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, Path("/dev/null").open("wb") as nowhere:
        slot = slots.claim(Path(directory))
        slots.adopt(slot)
        meter = Meter(Metrics(slot.make_room))
        lines = logs.CallLog(logs.json_lines(nowhere, INFO))
        memory = Memory(SystemClock())

        def line(call: Call) -> Observer:
            return lines.entry(call, memory)

        kinds: dict[str, tuple[Follow, ...]] = {
            "bare": (),
            "metrics": (meter.follow,),
            "log": (line,),
            "both": (meter.follow, line),
        }
        for stream in (False, True):
            best = {name: min(run(follow, stream=stream) for _ in range(ROUNDS)) for name, follow in kinds.items()}
            print("streamed" if stream else "plain", end=":")
            for name in ("metrics", "log", "both"):
                print(f"  {name} {best[name] - best['bare']:.1f} us", end="")
            print(f"  (an exchange alone {best['bare']:.1f} us)")


def run(follow: tuple[Follow, ...], *, stream: bool) -> float:
    """CPU microseconds a call."""
    clock, one = SystemClock(), call(stream=stream)
    began = time.process_time()
    for _ in range(CALLS):
        exchange = Exchange(one, clock)
        for observer in follow:
            exchange.join(observer(one))
        exchange.routed(ROUTE)
        attempt = exchange.attempt(ALPHA)
        attempt.first = attempt.latest = clock.monotonic()
        attempt.usage, attempt.chars, attempt.complete = Usage(7, 12), 50, True
        exchange.batch([Frame({}, chars=50, usage=attempt.usage)])
        attempt.latest += 0.5
        exchange.end()
    return (time.process_time() - began) / CALLS * 1e6


if __name__ == "__main__":
    main()
