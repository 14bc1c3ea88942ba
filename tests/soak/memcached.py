"""memcached in every kind of trouble, under load: no call fails, few wait for it, and counting is shared again."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.gunicorn import Server
from tests.memcached import Memcached, memcached
from tests.soak.caller import steadily
from tests.soak.pair import Keyed, Said, pair
from tests.soak.report import Report
from tests.store.liar import Liar
from tests.wire import Wire

LIMIT = 1_000_000  # calls a minute: enough for all
WORKERS = 4
THREADS = 32
QUIET = 6.0  # seconds before a trouble, to know how long calls take here
SHORT = 3.0  # the same in a short run
BACK = 5.0  # seconds after its end until counting is shared again
MOST_ADDED = 0.05
WAITING = 5  # calls a worker that may wait, every
EVERY = 2.0  # seconds
TENANT = {"requests_per_minute": LIMIT, "tokens_per_minute": 10**9, "concurrent": 1000}


@contextlib.contextmanager
def killed(server: Memcached, wire: Wire) -> Iterator[None]:
    server.kill()
    yield
    server.start()


@contextlib.contextmanager
def stopped(server: Memcached, wire: Wire) -> Iterator[None]:
    server.stop()
    yield
    server.go_on()


@contextlib.contextmanager
def restarted(server: Memcached, wire: Wire) -> Iterator[None]:
    """It comes back at once, and empty."""
    server.kill()
    server.start()
    yield


@contextlib.contextmanager
def full(server: Memcached, wire: Wire) -> Iterator[None]:
    """It evicts nothing, and has no room left for anything of any size."""
    for piece in _filling():
        server.send(piece)
    yield
    server.send(b"flush_all\r\n")


@contextlib.contextmanager
def garbage(server: Memcached, wire: Wire) -> Iterator[None]:
    """Something else answers in its place."""
    server.kill()
    with Liar(b"\x00\xffgarbage\r\n", b"garbage\r\n", port=server.port):
        yield
    server.start()


@contextlib.contextmanager
def blackhole(server: Memcached, wire: Wire) -> Iterator[None]:
    wire.blackhole()
    yield
    wire.restore()


@functools.cache
def _filling() -> list[bytes]:
    """More than there is room for, of each size; made before there is any load."""
    pieces = []
    for size in (100_000, 1_000, 100, 50, 20, 10, 1):
        sets = [b"set k%d-%d 0 0 %d noreply\r\n%s\r\n" % (size, n, size, b"x" * size) for n in range(20_000)]
        sets = sets[: 3_000_000 // size]
        pieces += [b"".join(sets[n : n + 500]) + b"mn\r\n" for n in range(0, len(sets), 500)]
    return pieces


TROUBLES: Mapping[str, Callable[[Memcached, Wire], contextlib.AbstractContextManager[None]]] = {
    "killed": killed,
    "stopped": stopped,
    "restarted": restarted,
    "full": full,
    "garbage": garbage,
    "blackhole": blackhole,
}


@dataclass(frozen=True, slots=True)
class Span:
    """When a trouble began and ended (monotonic)."""

    name: str
    began: float
    ended: float


def run(
    seconds: float = 10.0,
    rate: float = 300.0,
    troubles: Sequence[str] = tuple(TROUBLES),
    workers: int = WORKERS,
    worker_class: str = "gevent",
) -> Report:
    _filling()
    report = Report(f"memcached in trouble for {seconds:.0f} s each, under {rate:.0f} calls a second")
    with memcached("-M", "-m", "2") as server, Wire(server.port) as wire:
        for through, names in ((False, [n for n in troubles if n != "blackhole"]), (True, ["blackhole"])):
            wanted = [name for name in names if name in troubles]
            store = f"127.0.0.1:{wire.port if through else server.port}"
            if wanted:
                with pair(
                    store, {"acme": TENANT}, workers=workers, worker_class=worker_class, patience=0.05
                ) as servers:
                    spans, found = _under_load(
                        servers, lambda name: TROUBLES[name](server, wire), wanted, seconds, rate
                    )
                for span in spans:
                    _tell(report, span, found, 2 * workers)
    return report


def _under_load(
    servers: list[Server],
    trouble: Callable[[str], contextlib.AbstractContextManager[None]],
    names: Sequence[str],
    seconds: float,
    rate: float,
) -> tuple[list[Span], list[Said]]:
    keyed, over, found = Keyed(servers), threading.Event(), list[Said]()
    load = threading.Thread(
        target=lambda: steadily(rate, over.is_set, THREADS, lambda n: found.append(keyed.call("acme", n)))
    )
    load.start()
    spans: list[Span] = []
    try:
        time.sleep(2)
        for name in names:
            time.sleep(QUIET if seconds > SHORT else SHORT)
            began = time.monotonic()
            with trouble(name):
                time.sleep(seconds)
                ended = time.monotonic()
            spans.append(Span(name, began, ended))
            time.sleep(BACK + 1)
    finally:
        over.set()
        load.join()
        keyed.close()
    return spans, found


def _tell(report: Report, span: Span, found: list[Said], workers: int) -> None:
    quiet = [said for said in found if span.began - SHORT + 0.5 < said.began < span.began - 0.5]
    during = [said for said in found if span.began - 0.1 <= said.began < span.ended + BACK]
    failed = [said.status for said in during if said.status != 200]
    report.tell(f"{span.name}: calls, of which failed", f"{len(during)} {len(failed)}", good=not failed, wanted="0")
    usual = max(said.took for said in quiet)
    slow = [said for said in during if said.took > usual]
    most = max((said.took - usual for said in slow), default=0.0)
    report.tell(f"{span.name}: the slowest of the quiet time before, ms", 1000 * usual)
    report.tell(f"{span.name}: added to it at most, ms", 1000 * most, good=most <= MOST_ADDED, wanted="at most 50")
    crowd = max((sum(0 <= o.began - s.began < EVERY for o in slow) for s in slow), default=0)
    report.tell(f"{span.name}: calls slower than that in any {EVERY:.0f} s", crowd,
                good=crowd <= WAITING * workers, wanted=f"at most {WAITING * workers}")  # fmt: skip
    shared = sum(_is_shared(said) for said in quiet)
    report.tell(f"{span.name}: of {len(quiet)} before, counted by all together", shared,
                good=shared == len(quiet), wanted="all")  # fmt: skip
    alone = [said.began for said in found if said.began > span.began and said.status == 200 and not _is_shared(said)]
    back = max((at - span.ended for at in alone if at < span.ended + BACK + 1), default=0.0)
    report.tell(f"{span.name}: seconds until all count together again", max(0.0, back),
                good=back <= BACK, wanted=f"at most {BACK:.0f}")  # fmt: skip


def _is_shared(said: Said) -> bool:
    """A worker that is on its own tells of its share of the limit."""
    return said.status == 200 and int(said.headers["x-ratelimit-limit-requests"]) == LIMIT
