"""One of two replicas behind nginx is killed, stopped or cut off, under load, and comes back."""

from __future__ import annotations

import itertools
import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.gunicorn import Server, free_port, gunicorn, until
from tests.metrics.page import page_of
from tests.nginx import nginx, watching
from tests.soak.caller import Callers, Got, steadily
from tests.soak.report import Report, share
from tests.wire import Wire

CONFIG = """
server: {open: true}
providers:
  fast: {kind: simulated, latency: 0.02, tokens_per_second: 1000, words: 20}
  slow: {kind: simulated, latency: 0.02, tokens_per_second: 20, words: 60}
models: {fast: {targets: [fast/x]}, slow: {targets: [slow/x]}}
"""
DETECTED = 10.0  # seconds in which one that hangs must be taken out
SETTLED = 2.0  # seconds that nginx may take to begin anew
THREADS = 40  # of plain calls, and one for each that may hang


@dataclass(frozen=True, slots=True)
class Load:
    rate: float = 100  # plain calls a second
    streams: int = 50  # at a time
    ahead: float = 4.0  # seconds before the trouble, and
    after: float = 8.0  # when it is over
    limit: float = 12.0  # seconds that nginx waits for the answer of one that hangs, in place of ten minutes
    worker_class: str = "gevent"


@dataclass(frozen=True, slots=True)
class Made:
    """A call that a client made, by its id."""

    id: str
    got: Got

    @property
    def kind(self) -> str:
        return self.id.partition("-")[0]


@dataclass(slots=True)
class Scene:
    """Two replicas, by what clients and nginx know of them."""

    worker_class: str
    ports: tuple[int, int]
    up: list[ExitStack] = field(default_factory=list)
    replicas: list[Server] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)  # the logs of those that are

    def start(self, number: int) -> None:
        environment = {"GATEWAY_BIND": f"127.0.0.1:{self.ports[number]}"}
        server = self.up[number].enter_context(
            gunicorn(CONFIG, worker_class=self.worker_class, environment=environment)
        )
        self.replicas[number:] = [server, *self.replicas[number + 1 :]]

    def kill(self) -> None:
        dead = self.replicas[0]
        for process in dead.family():
            process.kill()
        until(lambda: not dead.family(), "end of every process")
        self.dead.append(dead.log())

    def revive(self) -> None:
        self.up[0].close()
        self.start(0)

    def signal(self, number: signal.Signals) -> None:
        for process in self.replicas[0].family():
            process.send_signal(number)


def killed(load: Load = Load()) -> Report:
    return _run("killed", load)


def stopped(load: Load = Load(), **watch: str) -> Report:
    return _run("stopped", load, **watch)


def partitioned(load: Load = Load(), **watch: str) -> Report:
    return _run("cut off", load, **watch)


def _run(trouble: str, load: Load, **watch: str) -> Report:
    """`watch`: its environment."""
    report = Report(
        f"one of two replicas is {trouble}, at {load.rate:g} calls/s and {load.streams} streams ({load.worker_class})"
    )
    with ExitStack() as stack:
        ports = (free_port(), free_port())
        scene = Scene(load.worker_class, ports)
        for number in (0, 1):
            scene.up.append(stack.enter_context(ExitStack()))
            scene.start(number)
        wire = stack.enter_context(Wire(ports[0]))
        first = wire.port if trouble == "cut off" else ports[0]
        limit = None if trouble == "killed" else f"{load.limit * 1000:.0f}ms"
        front = stack.enter_context(nginx([first, ports[1]], read_timeout=limit))
        stack.enter_context(watching(front, watch))
        begin, end = {
            "killed": (scene.kill, scene.revive),
            "stopped": (lambda: scene.signal(signal.SIGSTOP), lambda: scene.signal(signal.SIGCONT)),
            "cut off": (lambda: wire.blackhole(connects=False), wire.restore),
        }[trouble]
        marks: list[float] = []

        def act() -> None:
            time.sleep(load.ahead)
            begin()
            marks.append(time.monotonic())
            if trouble != "killed":
                until(lambda: " down;" in front.replicas(), "watch that takes it out")
            marks.append(time.monotonic())
            time.sleep(load.limit if trouble == "killed" else load.limit + SETTLED)
            end()
            marks.append(time.monotonic())
            until(lambda: " down;" not in front.replicas(), "watch that puts it back")
            time.sleep(load.after)

        made = _load(report, front.url, load, act)
        at, known, back = marks
        report.tell("known after, s", known - at, good=known - at <= DETECTED, wanted=f"at most {DETECTED:g}")
        until(lambda: not any(page_of(one).sum("active_requests") for one in scene.replicas), "end of every call", 60)
        late = at if trouble == "killed" else known + SETTLED
        for kind in ("plain", "stream"):
            _judge(report, kind, [one.got for one in made if one.kind == kind], (at, late, back))
        _compare(report, scene, made)
        back += time.time() - time.monotonic()
        ended = (datetime.fromisoformat(one["timestamp"]).timestamp() for one in _lines(scene.replicas[0].log()))
        again = sum(when > back for when in ended)
        report.tell("carried by it when it was back", again, good=bool(again), wanted="some")
    return report


def _load(report: Report, url: str, load: Load, act: Callable[[], None]) -> list[Made]:
    over, made, numbers = threading.Event(), list[Made](), itertools.count()
    with Callers(url, again=True) as callers:

        def plain(_: int) -> None:
            id_ = f"plain-{next(numbers)}"
            made.append(Made(id_, callers.call("fast", stream=False, id_=id_)))

        def stream() -> None:
            while not over.is_set():
                id_ = f"stream-{next(numbers)}"
                made.append(Made(id_, callers.call("slow", stream=True, id_=id_)))

        threads = [threading.Thread(target=stream) for _ in range(load.streams)]
        room = THREADS + int(load.rate / 2 * DETECTED)
        threads.append(threading.Thread(target=lambda: steadily(load.rate, over.is_set, room, plain)))
        for thread in threads:
            thread.start()
        try:
            act()
        finally:
            over.set()
            for thread in threads:
                thread.join()
    report.tell("asked once more, since nginx hung up on a kept connection", len(callers.repeated))
    return made


def _judge(report: Report, kind: str, made: list[Got], marks: tuple[float, float, float]) -> None:
    """What clients saw. The trouble began, from the second mark on no call may suffer, it ended."""
    at, late, back = marks
    failed = [one for one in made if one.status != 200 or one.code is not None]
    lost = Counter(_how(one) for one in failed if one.began > late)
    report.tell(f"{kind} calls", len(made))
    report.tell("  failed, under way or sent before it was known" + f" ({kind})", dict(Counter(map(_how, failed))) or 0)
    report.tell(f"  the last of them was sent, s after ({kind})", max((one.began - at for one in failed), default=0.0))
    report.tell(f"  failed, sent later ({kind})", dict(lost) or 0, good=not lost, wanted="0")
    if kind == "plain":
        mute = sum(one.status not in (502, 504) for one in failed)
        report.tell("  failed without an answer in JSON", mute, good=not mute, wanted="0")
        for when, begin, end in (("before", 0.0, at), ("meanwhile", late, back)):
            took = [one.took for one in made if one not in failed and begin < one.began < end]
            report.tell(f"  took {when}, s, half and 99 %", f"{share(took, 0.5):.3f}, {share(took, 0.99):.3f}")


def _compare(report: Report, scene: Scene, made: list[Made]) -> None:
    """With what the replicas wrote down and counted."""
    told, asked = Counter[str](), Counter[str]()
    for log in (*scene.dead, *(server.log() for server in scene.replicas)):
        for line in _lines(log):
            told[line["request_id"]] += 1
            asked[line["request_id"]] += len(line["attempts"])
    twice = sum(times > 1 for times in told.values())
    report.tell("calls that were carried twice", twice, good=not twice, wanted="0")
    twice = sum(times > 1 for times in asked.values())
    report.tell("calls for which a provider was asked twice", twice, good=not twice, wanted="0")
    unknown = sum(one.got.status == 200 and one.got.code is None and one.id not in told for one in made)
    report.tell("calls that were answered and are in no log", unknown, good=not unknown, wanted="0")
    counted = lines = 0.0

    def same() -> bool:
        nonlocal counted, lines
        counted = sum(page_of(server).sum("requests_total") for server in scene.replicas)
        lines = sum(len(list(_lines(server.log()))) for server in scene.replicas)
        return counted == lines

    with suppress(AssertionError):  # told below
        until(same, "page that has every call")
    report.tell(
        "calls counted by those that live, and in their logs",
        f"{counted:.0f}, {lines:.0f}",
        good=counted == lines,
        wanted="same",
    )


def _how(got: Got) -> str:
    return f"{got.status} {got.text.partition('(')[0] if got.code == 'broken' else got.code}"


def _lines(log: str) -> Iterator[dict[str, Any]]:
    for line in log.splitlines():
        if '"event":"call"' in line:
            yield json.loads(line)
