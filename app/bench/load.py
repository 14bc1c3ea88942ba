"""Many calls at a time, each client's next as soon as its last has ended: a closed loop."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field

from app.bench.caller import Ask, Caller, Sample

STACK = 256 * 1024  # bytes of a thread: a thousand of them are no load
PAUSE = 0.2  # seconds after a lost connection: a gateway that is gone refuses thousands a second


@dataclass(frozen=True, slots=True)
class Bounds:
    """Whichever comes first ends the run: no call begins after it, and those under way are waited for."""

    at_once: int
    calls: int | None
    seconds: float | None


@dataclass(slots=True)
class Run:
    """What was measured. `left`: calls that were under way when somebody had enough, and are in no figure."""

    bounds: Bounds
    began: float = 0.0  # monotonic
    seconds: float = 0.0
    cpu: float = 0.0  # seconds of a processor that this program took for itself
    samples: list[Sample] = field(default_factory=list)
    left: int = 0


class _Tickets:
    """Who may make another call."""

    def __init__(self, bounds: Bounds, began: float) -> None:
        self._bounds = bounds
        self._began = began
        self._lock = threading.Lock()
        self.given = 0
        self.closed = False

    def take(self) -> int | None:
        with self._lock:
            bounds = self._bounds
            if (
                self.closed
                or (bounds.calls is not None and self.given >= bounds.calls)
                or (bounds.seconds is not None and time.monotonic() >= self._began + bounds.seconds)
            ):
                return None
            self.given += 1
            return self.given


def measure(ask: Ask, bounds: Bounds) -> Run:
    """Make the calls. A KeyboardInterrupt ends it early, with what there is by then."""
    made = Run(bounds, began=time.monotonic())
    tickets, mark, cpu = _Tickets(bounds, made.began), secrets.token_hex(4), time.process_time()
    samples = made.samples

    def client() -> None:
        caller = Caller(ask)
        while (number := tickets.take()) is not None:
            sample = caller.call(f"{mark}-{number}")
            samples.append(sample)
            if sample.lost:
                time.sleep(PAUSE)
        caller.close()

    clients = min(bounds.at_once, bounds.calls or bounds.at_once)
    threads = [threading.Thread(target=client, daemon=True) for _ in range(clients)]
    usual = threading.stack_size(STACK)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        tickets.closed = True
    finally:
        threading.stack_size(usual)
    made.samples = list(samples)
    made.left = tickets.given - len(made.samples)
    made.seconds, made.cpu = time.monotonic() - made.began, time.process_time() - cpu
    return made
