"""Calls of all kinds at a rate, looked at from all sides, and a verdict."""

from __future__ import annotations

import contextlib
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from tests.gunicorn import Server, gunicorn, until
from tests.memcached import memcached
from tests.metrics.page import page_of
from tests.soak.caller import steadily
from tests.soak.hour import verdict
from tests.soak.hour.book import Book, Diary
from tests.soak.hour.calls import KINDS, MODELS, TENANTS, Clients, Ended, wrong
from tests.soak.hour.cells import Faults, Shared, cells, models, providers
from tests.soak.hour.provider import Ports, provider
from tests.soak.hour.trouble import Troubles
from tests.soak.hour.watch import Rest, Watch
from tests.soak.report import Report
from tests.soak.scene import NEVER, inside, total

HEALTHY, FAULTY, WRONG, STRAIGHT = 950, 40, 10, 20  # of 1000; those straight to the provider come on top
LEAVES = 20.0  # seconds that what is new at rest is given to go
THREADS = 8  # and one for each call a second
_GAUGES = ("active_requests", "in_flight_requests", "worker_in_flight_requests")


@dataclass(frozen=True, slots=True)
class Plan:
    seconds: float = 3600.0
    warm: float = 600.0
    rate: float = 100.0  # calls a second
    worker_class: str = "gevent"
    pace: float = 1.0  # of the troubles; less is more often
    minute: float = 60.0  # seconds between two lines


def run(plan: Plan, out: TextIO, over: threading.Event | None = None, found: Sequence[Shared] | None = None) -> Report:
    """`over` ends it early; `found`: the rows of the table, all where it is None. Lines of JSON go to `out`."""
    found = cells() if found is None else found
    over = over or threading.Event()
    report = Report(
        f"{plan.seconds:.0f} s at {plan.rate:.0f} calls a second, 5 % of them with a fault ({plan.worker_class})"
    )
    with provider() as ports, memcached("-m", "64") as store, contextlib.ExitStack() as stack:
        config = configuration(found, ports, store.name)
        server = stack.enter_context(
            gunicorn(json.dumps(config), worker_class=plan.worker_class, app="tests.faults.inside:app")
        )
        favoured(server)
        clients = stack.enter_context(contextlib.closing(Clients(server.url, f"http://127.0.0.1:{ports.port}")))
        faults = stack.enter_context(contextlib.closing(Faults(server.url, found)))
        book, watch = Book(), Watch(server)
        troubles = Troubles(store, server.config, config, plan.pace)
        wheel = _wheel()
        offset = 0

        def call(number: int) -> None:
            number += offset
            match wheel[number % len(wheel)]:
                case "fault":
                    for ended in faults.call():
                        book.note(ended)
                case "wrong":
                    book.note(wrong(server.url, number))
                case "straight":
                    book.note(clients.straight())
                case name:
                    book.note(clients.healthy(name, number))

        def drive(ends: float) -> None:
            steadily(
                1.02 * plan.rate, lambda: over.is_set() or time.monotonic() >= ends, THREADS + int(plan.rate), call
            )

        def rest(before: Sequence[Rest] = ()) -> list[Rest]:
            """When nothing runs any more, and nobody is connected.

            A thread that gevent has made to look up a name stays on for seconds: what is new is given time to go.
            """
            clients.close()
            faults.close()
            until(lambda: total(inside(server))["guards"] == 0, "end of every call", patience=60)
            time.sleep(2)
            ends = time.monotonic() + LEAVES
            while verdict.held_since(before, found := watch.rest()) and time.monotonic() < ends:
                time.sleep(0.5)
            return found

        began = time.monotonic()
        troubles.start()
        try:
            with Diary(server, book, watch, out, plan.minute).kept():
                drive(began + plan.warm)
                before = rest()
                since, offset = time.monotonic(), 10**6
                drive(began + plan.seconds)
        finally:
            troubles.stop()
        after = rest(before)
        _tell(report, book, watch, troubles, since)
        verdict.of_rest(report, before, after)
        _settle(report, server, book)
    print(json.dumps({"figures": report.figures, "complaints": report.complaints}), file=out, flush=True)
    return report


def configuration(found: Sequence[Shared], ports: Ports, store: str) -> dict[str, Any]:
    return {
        "providers": providers(found, f"http://127.0.0.1:{ports.port}", ports.ports),
        "models": {**models(found), **MODELS},
        "tenants": dict(TENANTS),
        "memcached": {"servers": [store]},
        "cache": {"secret": "a secret of the soak of thirty-two bytes"},
        "timeouts": {"deadline": 100},
        "resilience": {"breaker": dict(NEVER)},
    }


def favoured(server: Server) -> None:
    """Linux shares the processors out among sessions first: one that was started with another `nice` says so itself."""
    for pid in (os.getpid(), server.process.pid):
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text(f"{os.nice(0)}")


def _wheel() -> list[str]:
    shares = sum(kind.share for kind in KINDS.values())
    found = [name for name, kind in KINDS.items() for _ in range(HEALTHY * kind.share // shares)]
    found += ["fault"] * FAULTY + ["wrong"] * WRONG + ["straight"] * STRAIGHT
    random.Random(7).shuffle(found)
    return found


def _tell(report: Report, book: Book, watch: Watch, troubles: Troubles, since: float) -> None:
    verdict.of_endings(report, book.calls, book.complaints)
    report.tell("hiccups of memcached, changes of the configuration", f"{troubles.hiccups} {troubles.changes}")
    verdict.of_memory(report, watch.samples, since, watch.replaced())
    calm = [one for one in book.timed if one.began >= since and not _troubled(one, troubles)]
    verdict.of_latency(report, [one for one in calm if one.kind != "straight"], "healthy calls", judged=True)
    verdict.of_latency(report, [one for one in calm if one.kind == "straight"], "past the gateway", judged=False)


def _troubled(one: Ended, troubles: Troubles) -> bool:
    return troubles.spans.touches(one.began, one.began + (one.took or 0.0))


def _settle(report: Report, server: Server, book: Book) -> None:
    """The counters once they have come to rest."""
    counted, busy = Counter[tuple[str, str]](), dict[str, float]()

    def compare() -> bool:
        page = page_of(server)
        counted.clear()
        for labels, value in page.series("requests_total"):
            if value and "/" not in labels["model"]:
                counted[labels["model"], labels["status"]] += int(value)
        busy.clear()
        busy.update({name: page.sum(name) for name in _GAUGES if page.sum(name)})
        return not (verdict.differences(book.statuses, counted) or busy)

    with contextlib.suppress(AssertionError):
        until(compare, "page that says what was seen", 20)
    verdict.of_books(report, book.statuses, counted, busy)
