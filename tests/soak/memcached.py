"""memcached in every kind of trouble, under load: no call fails, few wait for it, and counting is shared again."""

from __future__ import annotations

import contextlib
import functools
import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.gunicorn import ROOT, Server
from tests.memcached import Memcached, memcached
from tests.soak.caller import steadily
from tests.soak.pair import Keyed, Line, Said, lines, pair
from tests.soak.processors import Lateness, watched
from tests.soak.report import Report
from tests.store.liar import Liar

LIMIT = 1_000_000  # calls a minute: enough for all
WORKERS = 4
THREADS = 32
BESIDE = 50.0  # calls a second of somebody who has no limits, and waits for no memcached
QUIET = 6.0  # seconds before a trouble, to know how long calls take here
SHORT = 3.0  # the same in a short run
BACK = 5.0  # seconds after its end until counting is shared again
MOST_ADDED = 0.05
WAITING = 5  # calls a worker that may wait, every
EVERY = 2.0  # seconds
MOST = 0.5  # a busy machine lets memcached wait for longer than a worker does
SHOWN = 5  # calls that failed
TENANT = {"requests_per_minute": LIMIT, "tokens_per_minute": 10**9, "concurrent": 1000}


@dataclass(frozen=True, slots=True)
class Relay:
    """A wire to memcached, in a process of its own: the many threads of this one would slow it down."""

    process: subprocess.Popen[str]
    port: int


@contextlib.contextmanager
def relay(port: int) -> Iterator[Relay]:
    command = [sys.executable, "-m", "tests.wire", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Relay(process, int(process.stdout.readline()))
        finally:
            process.kill()


@contextlib.contextmanager
def killed(server: Memcached, wire: Relay) -> Iterator[None]:
    server.kill()
    yield
    server.start()


@contextlib.contextmanager
def stopped(server: Memcached, wire: Relay) -> Iterator[None]:
    server.stop()
    yield
    server.go_on()


@contextlib.contextmanager
def restarted(server: Memcached, wire: Relay) -> Iterator[None]:
    """It comes back at once, and empty."""
    server.kill()
    server.start()
    yield


@contextlib.contextmanager
def full(server: Memcached, wire: Relay) -> Iterator[None]:
    """It evicts nothing, and has no room left for anything of any size."""
    for piece in _filling():
        server.send(piece)
    yield
    server.send(b"flush_all\r\n")


@contextlib.contextmanager
def garbage(server: Memcached, wire: Relay) -> Iterator[None]:
    """Something else answers in its place."""
    server.kill()
    with Liar(b"\x00\xffgarbage\r\n", b"garbage\r\n", port=server.port):
        yield
    server.start()


@contextlib.contextmanager
def blackhole(server: Memcached, wire: Relay) -> Iterator[None]:
    wire.process.send_signal(signal.SIGSTOP)
    yield
    wire.process.send_signal(signal.SIGCONT)


@functools.cache
def _filling() -> list[bytes]:
    """More than there is room for, of each size; made before there is any load."""
    pieces = []
    for size in (100_000, 1_000, 100, 50, 20, 10, 1):
        sets = [b"set k%d-%d 0 0 %d noreply\r\n%s\r\n" % (size, n, size, b"x" * size) for n in range(20_000)]
        sets = sets[: 3_000_000 // size]
        pieces += [b"".join(sets[n : n + 500]) + b"mn\r\n" for n in range(0, len(sets), 500)]
    return pieces


TROUBLES: Mapping[str, Callable[[Memcached, Relay], contextlib.AbstractContextManager[None]]] = {
    "killed": killed,
    "stopped": stopped,
    "restarted": restarted,
    "full": full,
    "garbage": garbage,
    "blackhole": blackhole,
}


@dataclass(frozen=True, slots=True)
class Span:
    """When a trouble began and ended, and the quiet before it (monotonic)."""

    name: str
    quiet: float
    began: float
    ended: float


@dataclass(slots=True)
class Load:
    """What callers were told, and what workers wrote down."""

    spans: list[Span] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    beside: list[Said] = field(default_factory=list)  # of calls that need no memcached
    lines: list[Line] = field(default_factory=list)
    late: Lateness = field(default_factory=lambda: Lateness({}))
    workers: dict[str, int] = field(default_factory=dict)  # by the id of a call

    def own(self, said: Said) -> float:
        """Seconds that a call took but for those in which its worker, or we, had no processor."""
        worker = self.workers.get(said.headers.get("x-request-id", ""), 0)
        return said.took - self.late.of(worker, said.began, said.began + said.took)


def run(
    seconds: float = 10.0,
    rate: float = 300.0,
    troubles: Sequence[str] = tuple(TROUBLES),
    workers: int = WORKERS,
    worker_class: str = "gevent",
) -> Report:
    _filling()
    report = Report(f"memcached in trouble for {seconds:.0f} s each, under {rate:.0f} calls a second")
    with memcached("-M", "-m", "2") as server, relay(server.port) as wire:
        for through, names in ((False, [n for n in troubles if n != "blackhole"]), (True, ["blackhole"])):
            wanted = [name for name in names if name in troubles]
            store = f"127.0.0.1:{wire.port if through else server.port}"
            if wanted:
                with pair(
                    store, {"acme": TENANT, "free": {}}, workers=workers, worker_class=worker_class, patience=0.05
                ) as servers:
                    load = _under_load(servers, lambda name: TROUBLES[name](server, wire), wanted, seconds, rate)
                for span in load.spans:
                    _tell(report, span, load)
    return report


def _under_load(
    servers: list[Server],
    trouble: Callable[[str], contextlib.AbstractContextManager[None]],
    names: Sequence[str],
    seconds: float,
    rate: float,
) -> Load:
    keyed, over, found = Keyed(servers), threading.Event(), Load()

    def press(tenant: str, rate: float, threads: int, said: list[Said]) -> None:
        steadily(rate, over.is_set, threads, lambda n: said.append(keyed.call(tenant, n)))

    loads = [
        threading.Thread(target=press, args=given)
        for given in (("acme", rate, THREADS, found.said), ("free", BESIDE, 8, found.beside))
    ]
    for load in loads:
        load.start()
    try:
        time.sleep(2)
        with watched([worker for server in servers for worker in server.workers()]) as found.late:
            for name in names:
                quiet = time.monotonic() + 0.5
                time.sleep(QUIET if seconds > SHORT else SHORT)
                began = time.monotonic()
                with trouble(name):
                    time.sleep(seconds)
                    ended = time.monotonic()
                found.spans.append(Span(name, quiet, began, ended))
                time.sleep(BACK + 1)
    finally:
        over.set()
        for load in loads:
            load.join()
        keyed.close()
    found.lines.extend(lines(servers))
    found.workers.update((line.call, line.worker) for line in found.lines)
    return found


def _tell(report: Report, span: Span, load: Load) -> None:
    quiet = [said for said in load.said if _is_quiet(said, span)]
    during = [said for said in load.said if _is_troubled(said, span)]
    failed = [said for said in during if said.status != 200]
    report.tell(f"{span.name}: calls, of which failed", f"{len(during)} {len(failed)}", good=not failed, wanted="0")
    for number, said in enumerate(failed[:SHOWN], 1):
        report.tell(f"{span.name}: failed call {number}", _shown(said, span))
    _tell_waits(report, span, load)
    _tell_slowest(report, span, load)
    shared = sum(_is_shared(said) for said in quiet)
    report.tell(f"{span.name}: of {len(quiet)} before, counted by all together", shared,
                good=shared >= MOST * len(quiet), wanted="most")  # fmt: skip
    back = _back(span, load)
    report.tell(f"{span.name}: seconds until all workers count together again", back,
                good=back <= BACK, wanted=f"at most {BACK:.0f}")  # fmt: skip


def _tell_slowest(report: Report, span: Span, load: Load) -> None:
    """Those who need no memcached, too: what holds a worker holds them as well."""
    everybody = [*load.said, *load.beside]
    before = [said for said in everybody if _is_quiet(said, span)]
    during = [said for said in everybody if _is_troubled(said, span)]
    usual, slowest = (1000 * max((said.took for said in group), default=0.0) for group in (before, during))
    report.tell(f"{span.name}: slowest before it and from then on, ms", f"{usual:.0f} {slowest:.0f}")
    usual, slowest = (1000 * max(map(load.own, group), default=0.0) for group in (before, during))
    report.tell(f"{span.name}: slowest, but for what they waited for a processor, ms", f"{usual:.0f} {slowest:.0f}",
                good=slowest <= usual + 1000 * MOST_ADDED, wanted="at most 50 more")  # fmt: skip


def _is_quiet(said: Said, span: Span) -> bool:
    return span.quiet < said.began < span.began - 0.5


def _is_troubled(said: Said, span: Span) -> bool:
    return span.began - 0.1 <= said.began < span.ended + BACK


def _back(span: Span, load: Load) -> float:
    """When the last of the workers was first seen to; infinite where one never was."""
    first: dict[int, float] = {}
    after = [said for said in load.said if 0 < said.began - span.ended < BACK + 1 and said.status == 200]
    for said in sorted(after, key=lambda said: said.began):
        at = said.began - span.ended if _is_shared(said) else float("inf")
        worker = load.workers[said.headers["x-request-id"]]
        first[worker] = min(at, first.get(worker, at))
    return max(first.values(), default=float("inf"))


def _tell_waits(report: Report, span: Span, load: Load) -> None:
    """As the workers saw it."""
    now = time.time() - time.monotonic()
    during = [line for line in load.lines if span.began - 0.1 <= line.came - now < span.ended + BACK]
    report.tell(f"{span.name}: calls that waited for memcached, and in vain for more than 10 ms",
                f"{sum(line.waited > 0 for line in during)} {sum(line.waits for line in during)}")  # fmt: skip
    crowd = max((_crowd(group) for _, group in _by_worker(during)), default=0)
    report.tell(f"{span.name}: of those in any {EVERY:.0f} s, in one worker", crowd,
                good=crowd <= WAITING, wanted=f"at most {WAITING}")  # fmt: skip
    longest = max((line.waited for line in during), default=0.0)
    report.tell(f"{span.name}: the most that one was let wait, ms", 1000 * longest,
                good=longest <= MOST_ADDED, wanted="at most 50")  # fmt: skip


def _by_worker(found: list[Line]) -> Iterator[tuple[int, list[Line]]]:
    waiting = sorted((line for line in found if line.waits), key=lambda line: line.worker)
    for worker, group in itertools.groupby(waiting, key=lambda line: line.worker):
        yield worker, list(group)


def _crowd(found: list[Line]) -> int:
    """How many waited within so many seconds for certain: the first came and the last ended within them."""
    return max(
        sum(other.waits for other in found if other.came >= one.came and other.ended - one.came < EVERY)
        for one in found
    )


def _shown(said: Said, span: Span) -> str:
    ours = {name: value for name, value in said.headers.items() if name.startswith("x-gateway")}
    when = f"{said.began - span.began:+.3f} s from its beginning, for {said.took:.3f} s"
    return f"{said.status}, {when}: {ours} {said.body[:300]!r}"


def _is_shared(said: Said) -> bool:
    """A worker that is on its own tells of its share of the limit."""
    return said.status == 200 and int(said.headers["x-ratelimit-limit-requests"]) == LIMIT
