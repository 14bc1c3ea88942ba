"""A process that counts in a slot as a worker does: `python -m tests.metrics.counting DIRECTORY CALLS`.

It says its slot when everything is counted, and ends by the reason that it is told on its standard input; without one
it waits to be killed.
"""

import os
import sys
from pathlib import Path

from app.core.errors import Status
from app.metrics import slots
from app.metrics.registry import Metrics


def main() -> None:
    directory, calls = Path(sys.argv[1]), int(sys.argv[2])
    slot = slots.claim(directory)
    slots.adopt(slot)
    metrics = Metrics(slot.make_room)
    for _ in range(calls):
        metrics.requests("fast", "openai", Status.SUCCESS, "false").inc()
    metrics.active("openai").inc()
    metrics.duration("fast", "openai", "false").observe(0.3)
    metrics.stream_tokens("fast", "openai").inc(100)
    metrics.stream_seconds("fast", "openai").inc(2)
    if "fork" in sys.argv:
        if os.fork() == 0:
            metrics.requests("fast", "openai", Status.SUCCESS, "false").inc()
            os._exit(0)
        os.wait()
    print(slot.name, flush=True)
    if reason := sys.stdin.readline().strip():
        slots.note_exit(directory, reason)


if __name__ == "__main__":
    main()
