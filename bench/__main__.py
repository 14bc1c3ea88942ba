"""Measure the gateway against `bench/bare.py`, on both worker classes, and print one table for each.

Everything is a ratio within one run, because a machine's speed changes from minute to minute. In each round the servers
start anew, since what one costs differs by some per cent from start to start, stand side by side and take the same load
in turn; the median of the rounds' ratios counts.
"""

import argparse
import contextlib
import os
import resource
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import rivals, servers
from bench.load import put_on
from bench.servers import STREAM_SECONDS, Running, Server

PARTS = ("plain", "stream", "hit", "limits", "many", "memory", "start")
MANY = 1000
BUSY = 1.0


@dataclass(frozen=True, slots=True)
class Measure:
    """One row: what it is, and how far from the yardstick, or how large, it may be."""

    title: str
    digits: int = 0
    ratio: float | None = None
    most: float | None = None


ROWS = {
    "plain_cpu": Measure("CPU us, plain call, 16 connections", ratio=1.4),
    "plain_rate": Measure("plain calls/s, 1 worker"),
    "plain_p99": Measure("plain call p99 ms", 1),
    "chunk_cpu": Measure("CPU us, streamed chunk, 200 streams", 1, ratio=1.2),
    "hit_cpu": Measure("CPU us, cache hit", ratio=0.7),
    "own_hit_cpu": Measure("CPU us, cache hit, own memory", ratio=0.7),
    "hit_rate": Measure("cache hits/s, 1 worker"),
    "hit_share": Measure("hits among these, %"),
    "miss_cpu": Measure("CPU us, plain call, cache miss and store", ratio=1.4),
    "limited_cpu": Measure("CPU us, plain call, with limits"),
    "all_cpu": Measure("CPU us, plain call, limits, cache miss and store", ratio=1.4),
    "many_cpu": Measure(f"CPU us, streamed chunk, {MANY} streams", 1),
    "many_gap": Measure(f"{MANY} streams, 2 workers: gap p99 ms", ratio=1.5),
    "many_first": Measure(f"{MANY} streams, 2 workers: first p99 ms"),
    "many_errors": Measure(f"{MANY} streams, 2 workers: errors", most=0),
    "stream_memory": Measure("KB a stream", most=60),
    "worker_memory": Measure("PSS MB a worker, idle", 1, most=80),
    "instance_memory": Measure("PSS MB with 2 workers, idle", 1),
    "start": Measure("start to first answer ms, 2 workers", most=2000),
    "start_cpu": Measure("CPU ms until then"),
}

OURS = {"bare": servers.bare, "gateway": servers.gateway}
RIVALS = {"litellm": rivals.litellm, "portkey": rivals.portkey}

Maker = Callable[[int], Server]
"""Number of workers -> the server."""

Figures = dict[str, dict[str, list[float]]]
"""Row -> server's name -> a figure a round."""


def main() -> None:
    options = parse()
    raise_file_limit()
    if (load := os.getloadavg()[0]) > BUSY:
        print(f"Something else is running here (load {load:.1f}): latencies will be wrong, and ratios less certain.")
    figures: Figures = defaultdict(lambda: defaultdict(list))
    with servers.prepared() as place, servers.provider() as upstream:
        contenders: list[Maker] = [
            *(partial(OURS[kind], place, upstream, name) for name in options.classes for kind in options.servers),
            *(partial(RIVALS[name], place, upstream) for name in options.rivals),
        ]
        for turn in range(options.rounds):
            if {"plain", "stream"} & options.parts:
                one_worker(contenders if turn % 2 == 0 else contenders[::-1], options, figures)
            if "hit" in options.parts:
                hits(place, upstream, options, figures)
            if "limits" in options.parts:
                limits(place, upstream, options, figures)
        if {"many", "memory", "start"} & options.parts:
            two_workers(contenders, options, figures)
    for worker_class in options.classes:
        report(figures, worker_class, options.rivals)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    rounds: int
    window: float
    parts: frozenset[str]
    classes: Sequence[str]
    servers: Sequence[str]
    rivals: Sequence[str]


def parse() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of each, for a first impression")
    parser.add_argument("--rounds", type=int, help="how often each server is measured (5)")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this alone; may be given again")
    parser.add_argument("--class", dest="classes", action="append", choices=["gevent", "gthread"])
    parser.add_argument("--server", dest="servers", action="append", choices=OURS)
    parser.add_argument("--with", dest="rivals", action="append", choices=RIVALS, default=[])
    given = parser.parse_args()
    return Options(
        rounds=given.rounds or (1 if given.quick else 5),
        window=1.5 if given.quick else 2.5,
        parts=frozenset(given.only or PARTS),
        classes=given.classes or ["gevent", "gthread"],
        servers=given.servers or ["bare", "gateway"],
        rivals=given.rivals,
    )


def one_worker(contenders: Iterable[Maker], options: Options, figures: Figures) -> None:
    """What a call and a chunk cost."""
    with contextlib.ExitStack() as stack:
        standing = [stack.enter_context(servers.running(make(1))) for make in contenders]
        servers.settle(standing)
        for server in standing:
            note = noter(figures, server)
            if "plain" in options.parts:
                seen = put_on(server, "plain", connections=16, warm=0.5, window=options.window)
                note(plain_cpu=seen.cpu, plain_rate=seen.per_second, plain_p99=seen.total_p99)
            if "stream" in options.parts:
                # The window is a stream's length, so that each stream's beginning and end are in it once.
                seen = put_on(server, "streams", connections=200, warm=1.5, window=STREAM_SECONDS)
                note(chunk_cpu=seen.cpu)


def hits(place: Path, upstream: int, options: Options, figures: Figures) -> None:
    """What a call costs that is answered from the cache, and one that is not; the yardstick always asks."""
    with contextlib.ExitStack() as stack:
        memcached = stack.enter_context(servers.memcached())
        for name in options.classes:
            bare, shared, own, missing = (
                stack.enter_context(servers.running(server))
                for server in (
                    servers.bare(place, upstream, name, 1),
                    servers.caching(place, upstream, name, 1, memcached),
                    servers.caching(place, upstream, name, 1, None),
                    servers.caching(place, upstream, name, 1, memcached),
                )
            )
            servers.settle((bare, shared, own, missing))
            load = partial(put_on, kind="plain", connections=16, warm=0.5, window=options.window)
            asked = load(bare)
            noter(figures, bare)(hit_cpu=asked.cpu, own_hit_cpu=asked.cpu, miss_cpu=asked.cpu)
            note, hit = noter(figures, shared), load(shared)
            note(hit_cpu=hit.cpu, hit_rate=hit.per_second, hit_share=servers.hit_share(shared.server))
            note(own_hit_cpu=load(own).cpu)
            note(miss_cpu=load(missing, numbered=True).cpu)


def limits(place: Path, upstream: int, options: Options, figures: Figures) -> None:
    """What a call costs that is counted in memcached, and one with everything on."""
    with contextlib.ExitStack() as stack:
        memcached = stack.enter_context(servers.memcached())
        for name in options.classes if memcached is not None else ():
            bare, limited, everything = (
                stack.enter_context(servers.running(server))
                for server in (
                    servers.bare(place, upstream, name, 1),
                    servers.limiting(place, upstream, name, 1, memcached or 0, keeping=False),
                    servers.limiting(place, upstream, name, 1, memcached or 0, keeping=True),
                )
            )
            servers.settle((bare, limited, everything))
            load = partial(put_on, kind="plain", connections=16, warm=0.5, window=options.window)
            asked = load(bare)
            noter(figures, bare)(limited_cpu=asked.cpu, all_cpu=asked.cpu)
            noter(figures, limited)(limited_cpu=load(limited).cpu)
            noter(figures, everything)(all_cpu=load(everything, numbered=True).cpu)


def two_workers(contenders: Iterable[Maker], options: Options, figures: Figures) -> None:
    """Start, memory and many streams, each server alone and fresh in every round."""
    makers = list(contenders)
    for turn in range(min(options.rounds, 3)):
        for make in makers if turn % 2 == 0 else reversed(makers):
            with servers.running(make(2)) as server:
                note = noter(figures, server)
                note(start=server.start_seconds * 1e3, start_cpu=server.cpu() * 1e3)
                if not {"many", "memory"} & options.parts:
                    continue
                servers.settle([server])
                idle = server.memory()
                note(worker_memory=server.worker_memory() / 1e6, instance_memory=idle / 1e6)
                if "many" in options.parts:
                    seen = put_on(server, "streams", connections=MANY, warm=2, window=STREAM_SECONDS)
                    note(many_cpu=seen.cpu, many_gap=seen.gap_p99, many_first=seen.first_p99, many_errors=seen.errors)
                    note(stream_memory=(seen.memory - idle) / seen.running / 1e3)


def noter(figures: Figures, server: Running) -> Callable[..., None]:
    """A function that keeps the figures given to it by their rows' names."""

    def note(**found: float) -> None:
        for row, figure in found.items():
            figures[row][server.server.name].append(figure)
            print(f"  {server.server.name}: {ROWS[row].title}: {figure:.{ROWS[row].digits}f}", flush=True)

    return note


def report(figures: Figures, worker_class: str, others: Sequence[str]) -> None:
    """Print the table of a worker class: medians, the gateway's ratio to bare, and what must hold."""
    bare, gateway = f"bare {worker_class}", f"gateway {worker_class}"
    names = [name for row in figures.values() for name in row]
    beside = [name for name in dict.fromkeys(names) if name.lower().startswith(tuple(others))] if others else []
    line = "| {:40} | {:>12} | {:>15} | {:>6} | {:10} |" + " {:>17} |" * len(beside)
    print("\n" + line.format("", bare, gateway, "ratio", "to hold", *beside))
    print(line.format("-" * 40, "-" * 12, "-" * 15, "-" * 6, "-" * 10, *("-" * 17 for _ in beside)))
    for name, measure in ROWS.items():
        row = figures.get(name)
        if not row:
            continue
        middle = {server: f"{statistics.median(rounds):.{measure.digits}f}" for server, rounds in row.items()}
        ratio = ratio_of(row.get(gateway), row.get(bare))
        cells = [middle.get(bare, ""), middle.get(gateway, ""), "" if ratio is None else f"{ratio:.2f}"]
        print(line.format(measure.title, *cells, verdict(measure, ratio, row.get(gateway)), *map(middle.get, beside)))


def ratio_of(ours: list[float] | None, yardstick: list[float] | None) -> float | None:
    """The median of the rounds' ratios; none where one of them was not measured or is nothing."""
    if not ours or not yardstick or not all(yardstick):
        return None
    return statistics.median(a / b for a, b in zip(ours, yardstick, strict=True))


def verdict(measure: Measure, ratio: float | None, ours: list[float] | None) -> str:
    """The bound, and whether it holds."""
    if measure.ratio is not None:
        return f"<= {measure.ratio}x" + ("" if ratio is None or ratio <= measure.ratio else " NO")
    if measure.most is not None:
        return f"<= {measure.most:g}" + ("" if not ours or statistics.median(ours) <= measure.most else " NO")
    return ""


def raise_file_limit() -> None:
    """A stream through a proxy is two sockets; servers inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
