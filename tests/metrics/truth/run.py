"""Calls of every kind from many clients, trouble in between, a scraper beside them, and the comparison at the end."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import requests

from app.ledger.lines import Reading
from app.ledger.sums import summed
from tests.gunicorn import Server, gunicorn, until
from tests.metrics.page import Page, page_of
from tests.metrics.truth.books import Books, counted, differences, expected, possible
from tests.metrics.truth.clients import Seen, call
from tests.metrics.truth.kinds import KINDS, Kind, configuration, scripted
from tests.standin import StandIn

CLIENTS = 16
NOTICED = 3.0  # seconds after which a client's leaving has been counted, on a busy machine

Trouble = Callable[[Server], object]


@dataclass
class Report:
    seen: list[Seen] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)  # monotonic
    scrapes: list[float] = field(default_factory=list)  # seconds that each took
    fallen: list[str] = field(default_factory=list)  # counters that went back
    differences: list[str] = field(default_factory=list)
    series: int = 0  # compared
    calls: Counter[str] = field(default_factory=Counter)  # how they ended
    restless: list[str] = field(default_factory=list)  # gauges that did not come to rest
    ledger: list[str] = field(default_factory=list)  # sums over the log that are not what clients saw
    lines: int = 0  # of calls in the log


@contextmanager
def serving(workers: int, worker_class: str) -> Iterator[Server]:
    with StandIn(keep=1000) as provider:
        scripted(provider)
        config = json.dumps(configuration(provider.url))
        with gunicorn(config, workers=workers, worker_class=worker_class) as server:
            until(lambda: page_of(server), "first page")
            yield server


def run(server: Server, calls: int, troubles: Sequence[Trouble]) -> Report:
    """The troubles come one after another, evenly among the calls."""
    report = Report()
    done = threading.Event()
    scraper = threading.Thread(target=_scrape, args=(server, report, done))
    scraper.start()
    kinds = _mixed(calls)
    numbers = itertools.count()
    local = threading.local()

    def one(kind: Kind) -> Seen:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        return call(local.session, server.url, kind, next(numbers))

    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            step = len(kinds) // (len(troubles) + 1)
            for at, part in enumerate(_batched(kinds, step)):
                running = [pool.submit(one, kind) for kind in part]
                if at < len(troubles):
                    running[len(running) // 2].result()
                    report.kills.append(time.monotonic())
                    troubles[at](server)
                report.seen += [future.result() for future in running]
        _settle(server, report)
    finally:
        done.set()
        scraper.join()
    return report


def hang_up(server: Server) -> None:
    """SIGHUP: all workers are renewed."""
    old = set(server.workers())
    server.process.send_signal(signal.SIGHUP)
    until(lambda: len(new := set(server.workers())) == len(old) and not new & old, "new workers", 60)


def kill(server: Server) -> None:
    _end_one(server, signal.SIGKILL)


def restart(server: Server) -> None:
    """One worker ends by itself, and is replaced."""
    _end_one(server, signal.SIGTERM)


def reconfigure(server: Server) -> None:
    server.config.write_text(server.config.read_text() + "\n# another\n")


def _end_one(server: Server, number: signal.Signals) -> None:
    workers = server.workers()
    os.kill(workers[0], number)
    until(lambda: len(now := server.workers()) == len(workers) and workers[0] not in now, "a new worker", 60)


def _mixed(calls: int) -> list[Kind]:
    shares = [kind for kind in KINDS for _ in range(kind.share)]
    kinds = [kind for kind, _ in zip(itertools.cycle(shares), range(calls), strict=False)]
    random.Random(calls).shuffle(kinds)
    return kinds


def _settle(server: Server, report: Report) -> None:
    """Compare when nothing runs any more; give the last departures the time to be noticed."""
    sure, unsure = Books(), Books()
    for seen in report.seen:
        doubtful = seen.lost or (seen.left and any(seen.began - 1 < at < seen.ended + NOTICED for at in report.kills))
        if doubtful:
            unsure.add(possible(seen.kind, report.seen))
        else:
            sure.add(expected(seen))
        report.calls["lost" if seen.lost else "left" if seen.left else "failed" if seen.code else "whole"] += 1

    def compare() -> bool:
        page = page_of(server)
        books = Books({name: value for name, value in counted(page).items() if not _is_guess(name)})
        report.differences = list(differences(books, sure, unsure))
        report.series = len(books)
        report.restless = [
            f"{name}{dict(labels)} is {value}"
            for name in ("active_requests", "in_flight_requests", "worker_in_flight_requests")
            for labels, value in page.series(name)
            if value
        ]
        report.ledger = list(_ledger(server, report, sure, unsure))
        return not (report.differences or report.restless or report.ledger)

    with suppress(AssertionError):
        until(compare, "page that says what was seen", 20)


def _ledger(server: Server, report: Report, sure: Books, unsure: Books) -> Iterator[str]:
    """The sums of `llm-gateway usage` against the same books: they are of the log, and not of the counters."""
    ledger = summed(Reading().calls([str(server.log_file)]), ["tenant", "status"])
    report.lines = ledger.total.calls
    found = Books()
    for (tenant, status), total in ledger.rows:
        if tenant is None:
            continue  # nobody knows whose it was
        found.add(
            Books(
                {
                    f"tenant_requests_total{{{tenant},{status}}}": total.calls,
                    f"tenant_tokens_total{{{tenant},input}}": total.input_tokens,
                    f"tenant_tokens_total{{{tenant},output}}": total.output_tokens,
                    f"tenant_cost_usd_total{{{tenant}}}": float(total.cost_usd),
                }
            )
        )

    def tenants(books: Books) -> Books:
        return Books({n: v for n, v in books.items() if n.startswith("tenant_") and not _is_guess(n)})

    for difference in differences(tenants(found), tenants(sure), tenants(unsure)):
        yield f"in the log: {difference}"


def _is_guess(name: str) -> bool:
    """What was made for those who left: nobody outside knows how much that was."""
    metric, _, values = name.partition("{")
    leavers = [label for kind in KINDS if kind.leaves for label in (kind.name, kind.tenant)]
    return metric.endswith(("tokens_total", "usd_total", "estimated_total")) and values.startswith(tuple(leavers))


def _scrape(server: Server, report: Report, done: threading.Event) -> None:
    """Look again and again whether a counter goes back."""
    before: dict[str, float] = {}
    while not done.wait(0.3):
        began = time.monotonic()
        try:
            _, _, body = server.private("/metrics")
        except AssertionError:
            continue
        report.scrapes.append(time.monotonic() - began)
        now = Page(body.decode()).counters()
        report.fallen += [f"{name}: {was} to {now.get(name)}" for name, was in before.items() if now.get(name, 0) < was]
        before = now


def _batched(kinds: Sequence[Kind], size: int) -> Iterator[Sequence[Kind]]:
    for at in range(0, len(kinds), size):
        yield kinds[at : at + size]
