"""Answers that are far too large, and what a worker keeps of them."""

from __future__ import annotations

import psutil

from tests.gunicorn import until
from tests.soak.caller import Callers, many
from tests.soak.scene import NEVER, gateway
from tests.standin import standin_process

MIB = 1024 * 1024


def test_a_worker_keeps_nothing_of_answers_that_are_too_large() -> None:
    """Neither the error that tells of one, nor the heap: half of what one takes would be seen."""
    models = {"huge": {"targets": ["north/fault-huge-17"]}, "fine": {"targets": ["north/words-5"]}}
    with (
        standin_process("--keep", "1") as standin,
        gateway({"north": standin.port}, models, workers=1, breaker=NEVER) as server,
        Callers(server.url) as callers,
    ):
        many(40, 4, lambda _: callers.call("fine", stream=False))
        worker = psutil.Process(*server.workers())
        before = worker.memory_info().rss
        found = many(4, 1, lambda _: callers.call("huge", stream=False))
        assert {got.code for got in found} == {"invalid_response"}
        until(lambda: worker.memory_info().rss < before + 8 * MIB, "memory that is given back")
