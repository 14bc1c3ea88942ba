"""Clients that leave at random moments: the provider is told within a second, and nothing stays behind."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import psutil

from app.instance.server import THREADS as PLACES
from tests.gunicorn import Server, until
from tests.metrics.page import page_of
from tests.soak.caller import many
from tests.soak.report import Report, share
from tests.soak.scene import gateway, inside, total
from tests.standin import Remote, standin_process

CALLS = {  # model -> what is asked: each takes about a second, if it is waited for
    "words": ("words-40-gap-25", True),
    "late": ("ttft-900-words-5", True),
    "plain": ("delay-900", False),
    "limited": ("fault-429-afterms-900", True),
    "half": ("fault-headonly-hang", False),
}
FAILS = "limited"  # whose errors are its own
LONGEST = 1.1  # seconds that a client stays at most
THREADS = 100
ROOM = {"gthread": PLACES * 4 // 5}  # what one worker has for one provider, should all clients meet there
MARGIN = 2.0  # seconds until the slowest


@dataclass(frozen=True, slots=True)
class Left:
    name: str
    how: str
    at: float  # monotonic


def run(aborts: int = 10_000, worker_class: str = "gevent") -> Report:
    report = Report(f"{aborts} clients leave at random moments ({worker_class})")
    models = {name: {"targets": [f"{name}/{says}"]} for name, (says, _) in CALLS.items()}
    with (
        standin_process("--keep", str(3 * aborts)) as remote,
        gateway(dict.fromkeys(CALLS, remote.port), models, worker_class=worker_class) as server,
    ):
        room = ROOM.get(worker_class)
        _all_leave(server, "warm", [0.05] * 200, room)  # threads and buffers are there now
        before, files, memory = total(inside(server)), _files(server), _memory(server)
        chance = random.Random(7)
        moments = [chance.uniform(0, LONGEST) for _ in range(aborts)]
        left = _all_leave(server, "abort", moments, room)
        grown = _memory(server) - memory
        _judge(report, left, remote)
        _left_behind(report, server, before, lambda: _files(server) - files - remote_open(remote))
        report.tell("memory that the workers took meanwhile, MB", grown / 1e6)
        _count(report, server, aborts + 200)
    return report


def _all_leave(server: Server, kind: str, moments: Sequence[float], room: int | None) -> list[Left]:
    """Where there is no room for everybody, who comes next waits until those before are gone for the gateway, too.

    Otherwise a slow machine has as many calls of clients that have left as it takes to notice, and refuses others.
    """

    def leave(first: int, place: int) -> Left:
        return _leave(server, first + place, kind, moments[first + place])

    left, room = list[Left](), room or len(moments)
    for first in range(0, len(moments), room):
        left += many(min(room, len(moments) - first), THREADS, partial(leave, first))
        _quiet(server)
    return left


def _leave(server: Server, number: int, kind: str, moment: float) -> Left:
    """Ask, read for so many seconds, and go."""
    model = list(CALLS)[number % len(CALLS)]
    name = f"{kind}-{number}"
    body = json.dumps(
        {"model": model, "stream": CALLS[model][1], "messages": [{"role": "user", "content": name}]}
    ).encode()
    host, _, port = server.url.removeprefix("http://").partition(":")
    how = ("fin", "rst", "half")[number % 3]
    with socket.create_connection((host, int(port)), timeout=30) as raw:
        raw.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n")
        raw.sendall(b"content-length: %d\r\n\r\n" % len(body) + body)
        ends = time.monotonic() + moment
        while (left := ends - time.monotonic()) > 0:
            raw.settimeout(left)
            try:
                if not raw.recv(65536):
                    break
            except TimeoutError:
                break
        if how == "rst":
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        at = time.monotonic()
        if how == "half":
            raw.shutdown(socket.SHUT_WR)
            raw.settimeout(30)
            while raw.recv(65536):
                pass
    return Left(name, how, at)


def _judge(report: Report, left: list[Left], remote: Remote) -> None:
    gone = {one.name: one.at for one in left}
    until(lambda: not [one for one in remote.requests(outcome="open")], "end of every upstream call", patience=20)
    asked = [one for one in remote.requests() if one["json"]["messages"][0]["content"] in gone]
    aborted = [one for one in asked if one["outcome"] == "aborted"]
    waits = [one["ended"] - gone[one["json"]["messages"][0]["content"]] for one in aborted]
    again = [one for one in asked if one["at"] > gone[one["json"]["messages"][0]["content"]] + 1.0]
    report.tell("upstream calls, and how they ended", dict(Counter(one["outcome"] for one in asked)))
    at_once = share(waits, 0.95)
    report.tell("closed upstream after, seconds, p50", share(waits, 0.5))
    report.tell("closed upstream after, seconds, p95", at_once, good=at_once <= 1.0, wanted="at most 1")
    report.tell("closed upstream after, seconds, most", max(waits), good=max(waits) <= 1 + MARGIN, wanted="at most 3")
    report.tell("asked although the client had left for a second", len(again), good=not again, wanted="none")


def _left_behind(report: Report, server: Server, before: Mapping[str, int], more: Callable[[], int]) -> None:
    """A call that is over lets go of what it had in the next moment: wait for that. `more`: files that are open."""
    held, extra = dict[str, int](), 0

    def nothing() -> bool:
        nonlocal held, extra
        after, extra = total(inside(server)), more()
        held = {name: after[name] - before[name] for name in before if after[name] > before[name]}
        return not held and extra <= 0

    with contextlib.suppress(AssertionError):  # told below
        until(nothing, "end of what calls hold")
    report.tell("held by the workers that was not before", held, good=not held, wanted="nothing")
    report.tell("files that are open and were not", extra, good=extra <= 0, wanted="none but kept connections")


def _count(report: Report, server: Server, calls: int) -> None:
    page = until(lambda: (page := page_of(server)).sum("requests_total") >= calls and page, "every call on the page")
    assert page
    ends = Counter[str]()
    for labels, value in page.series("requests_total"):
        ends[labels["status"]] += int(value) * (labels["provider"] != FAILS)
    errors = Counter[str]()
    for labels, value in page.series("errors_total"):
        errors[labels["error_type"]] += int(value) * (labels["provider"] != FAILS)
    errors = +errors
    report.tell("calls of the others as they are counted", dict(+ends), good=not ends["error"], wanted="none as error")
    report.tell("errors of the others that are counted", dict(errors), good=not errors, wanted="none")
    report.tell("active_requests", page.sum("active_requests"), good=not page.sum("active_requests"), wanted="0")


def _quiet(server: Server) -> None:
    until(lambda: total(inside(server))["guards"] == 0, "end of every call", patience=20)


def _files(server: Server) -> int:
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in server.workers())


def _memory(server: Server) -> float:
    return float(sum(psutil.Process(pid).memory_info().rss for pid in server.workers()))


def remote_open(remote: Remote) -> int:
    """Connections that the provider still has: the workers keep them for the next call."""
    return sum(one["closed"] is None for one in remote.connections())
