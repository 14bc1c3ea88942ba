"""The time that calls have once their worker is told to stop. Looked at by the tick, once a second."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable

from app.metrics import slots
from app.metrics.slots import DRAINING, REPLACED, Slot

log = logging.getLogger(__name__)

_LATE = 6.0  # seconds for whoever still came in by a kept connection
_LAST_BYTES = 2.0  # seconds that a client may take to read how its call ended


class Drain:
    """gunicorn knows no setting that could change while it runs, so the worker itself sees to `server.drain`."""

    def __init__(self, slot: Slot, seconds: Callable[[], float], end_calls: Callable[[], None]) -> None:
        """`seconds`: `server.drain` as it is now; `end_calls` tells every call that still runs that its time is up."""
        self._slot = slot
        self._seconds = seconds
        self._end_calls = end_calls
        self._since: float | None = None
        self._due = [0.0, _LATE, _LATE + _LAST_BYTES]  # seconds from the end of the drain; the last is the worker's

    def look(self) -> None:
        if self._slot.marked() not in (DRAINING, REPLACED):
            return
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now < self._since + self._seconds() + self._due[0]:
            return
        del self._due[0]
        if self._due:
            log.info("calls that still run are ended: server.drain is over")
            self._end_calls()
        else:
            slots.note_exit(self._slot.directory, "timeout")
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
