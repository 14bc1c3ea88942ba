"""What every worker does once a second, in one thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

_COMPLAIN_EVERY = 60.0  # seconds, about the same job: what is wrong for one second is wrong for many


class Tick:
    """Runs its jobs one after another; one that fails does not keep the others from running, nor itself the next time.

    A thread of the standard library: under gevent it is a greenlet. The interval is slept, not aimed at by a clock.
    """

    def __init__(self, jobs: Sequence[Callable[[], object]], interval: float = 1.0) -> None:
        self._jobs = jobs
        self._interval = interval
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tick", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        quiet_until: dict[Callable[[], object], float] = {}
        while True:
            for job in self._jobs:
                try:
                    job()
                except Exception:
                    if time.monotonic() >= quiet_until.get(job, 0.0):
                        quiet_until[job] = time.monotonic() + _COMPLAIN_EVERY
                        log.exception("a job of the tick failed")
            if self._stopped.wait(self._interval):
                return
