"""A worker that is stuck where nothing can interrupt it: killed, counted and replaced, and the others go on."""

from __future__ import annotations

import os
import signal

import pytest

from tests.gunicorn import CLASSES, gunicorn, until
from tests.host.house import CONFIG, is_well
from tests.metrics.page import page_of


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_stuck_worker_is_replaced(worker_class: str) -> None:
    """Stopped as a whole, it is as stuck as in C code that holds the interpreter's lock."""
    patience = {"GUNICORN_CMD_ARGS": "--timeout 2"}
    with gunicorn(CONFIG, worker_class=worker_class, environment=patience) as server:
        until(lambda: is_well(server, 4), "good calls")
        old = server.workers()
        os.kill(old[0], signal.SIGSTOP)
        until(lambda: len(new := server.workers()) == 2 and old[0] not in new, "new worker", 60)
        assert old[1] in server.workers()
        until(lambda: is_well(server), "good calls")
        until(lambda: page_of(server).sum("worker_exits_total", reason="killed") == 1, "its end in the metrics")
