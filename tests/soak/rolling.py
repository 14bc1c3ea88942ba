"""Replicas behind nginx that are restarted one after the other, or reloaded, under load: no call is lost."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import psutil

from app.instance import server
from app.metrics import slots
from tests.gunicorn import Server, free_port, gunicorn, until
from tests.nginx import nginx
from tests.soak.caller import Callers, Got, steadily
from tests.soak.report import Report, share

WORDS = """
logging: {level: warning}
server: {open: true, drain: DRAIN}
providers:
  fast: {kind: simulated, latency: 0.02, tokens_per_second: 1000, words: 20}
  slow: {kind: simulated, latency: 0.02, tokens_per_second: 20, words: 80}
models: {fast: {targets: [fast/x]}, slow: {targets: [slow/x]}}
"""
STREAMS = 50  # at a time
WORKERS = 2
TOLD = "shutting_down"


def restarts(
    rounds: int = 3, rate: float = 100, drain: float = 90, worker_class: str = "gevent", pause: float = 3.0
) -> Report:
    """Each replica is told to end and started again, `rounds` times over, `pause` seconds after the other."""
    report = Report(
        f"{rounds} rolling restarts of two replicas at {rate:.0f} calls/s ({worker_class}, drain {drain:g} s)"
    )
    with ExitStack() as stack:
        ports = [free_port(), free_port()]
        up = [ExitStack(), ExitStack()]
        for each in up:
            stack.enter_context(each)
        replicas = [replica(up[i], ports[i], drain, worker_class) for i in (0, 1)]
        front = stack.enter_context(nginx(ports))

        def roll() -> None:
            for _ in range(rounds):
                for i in (0, 1):
                    replicas[i].process.send_signal(signal.SIGTERM)
                    assert replicas[i].process.wait(drain + 30) == 0
                    up[i].close()
                    replicas[i] = replica(up[i], ports[i], drain, worker_class)
                    time.sleep(pause)  # as an orchestrator would: the next one when this one has been well for a while

        under_load(report, front.url, rate, roll)
        # A connection that was turned away is refused, or timed out while the listener turned newcomers away.
        said = [line for line in front.log().splitlines() if "[error]" in line and "while connecting" not in line]
        report.tell("nginx complained of more than who did not let it in", said or 0, good=not said, wanted="0")
    return report


def reloads(times: int = 20, rate: float = 100, worker_class: str = "gevent") -> Report:
    """Each of two replicas gets a SIGHUP again and again."""
    report = Report(f"{times} reloads of each of two replicas at {rate:.0f} calls/s ({worker_class})")
    with ExitStack() as stack:
        ports = [free_port(), free_port()]
        replicas = [replica(stack, port, 60, worker_class) for port in ports]
        front = stack.enter_context(nginx(ports))
        until(lambda: all(len(one.family()) == 4 for one in replicas), "every process")
        before = [_held(one) for one in replicas]

        def reload() -> None:
            for _ in range(times):
                for one in replicas:
                    old = set(one.workers())
                    one.process.send_signal(signal.SIGHUP)

                    def renewed(one: Server = one, gone: set[int] = old) -> bool:
                        found = set(one.workers())
                        return len(found) == 2 and not found & gone

                    until(renewed, "two new workers", patience=120)

        under_load(report, front.url, rate, reload)
        until(lambda: all(len(one.family()) == 4 for one in replicas), "end of the old workers", patience=90)
        time.sleep(2)  # until the masters have noticed
        after = [_held(one) for one in replicas]
        made = 0 if worker_class == "gevent" else server.THREADS  # gthread makes a thread when it has use for one
        for what, more in (("files of the masters", 0), ("threads of all processes", 4 * made + 4), ("slots held", 0)):
            held = [sum(one[what] for one in found) for found in (before, after)]
            bound = f"at most {more} more" if more else "the same"
            report.tell(f"{what}, before and after", held, good=held[1] <= held[0] + more, wanted=bound)
        used = [len(list((one.run_dir / "metrics").glob("counter_*.db"))) for one in replicas]
        said = [line for line in front.log().splitlines() if "[error]" in line]
        report.tell("nginx complained", said or 0, good=not said, wanted="0")
        report.tell(f"slots that were ever used, by {WORKERS * (times + 1)} workers", used)
    return report


def replica(stack: ExitStack, port: int, drain: float, worker_class: str) -> Server:
    config = WORDS.replace("DRAIN", f"{drain:g}")
    environment = {"GATEWAY_BIND": f"127.0.0.1:{port}"}
    return stack.enter_context(gunicorn(config, worker_class=worker_class, environment=environment))


def _held(one: Server) -> dict[str, int]:
    return {
        "files of the masters": psutil.Process(one.process.pid).num_fds(),
        "threads of all processes": sum(process.num_threads() for process in one.family()),
        "slots held": len(slots.held(one.run_dir / "metrics")),
    }


def under_load(report: Report, url: str, rate: float, act: Callable[[], None], *, again: bool = False) -> None:
    """`again`: clients ask once more where a kept connection is hung up on, as SDKs do."""
    over = threading.Event()
    streams: list[Got] = []
    with Callers(url, again=again) as callers:

        def stream() -> None:
            while not over.is_set():
                streams.append(callers.call("slow", stream=True))

        threads = [threading.Thread(target=stream) for _ in range(STREAMS)]
        plain: list[Got] = []
        caller = threading.Thread(
            target=lambda: plain.extend(steadily(rate, over.is_set, 40, lambda _: callers.call("fast", stream=False)))
        )
        for thread in (*threads, caller):
            thread.start()
        try:
            act()
        finally:
            over.set()
            for thread in (*threads, caller):
                thread.join()
    failed = Counter(f"{got.status} {got.code}: {got.text[:80]}" for got in plain if got.status != 200)
    cut = Counter(f"{got.status} {got.code}: {got.text[:80]}" for got in streams if got.code not in (None, TOLD))
    report.tell("plain calls", len(plain))
    report.tell("  failed", dict(failed) or 0, good=not failed, wanted="0")
    report.tell(
        "  took, s, half and 99 %",
        f"{share([g.took for g in plain], 0.5):.3f}, {share([g.took for g in plain], 0.99):.3f}",
    )
    if again:
        report.tell("  asked once more, since a kept connection was hung up on", len(callers.repeated))
    report.tell("streams", len(streams))
    report.tell("  ended in-band as shutting_down", sum(got.code == TOLD for got in streams))
    report.tell("  failed or cut without a word", dict(cut) or 0, good=not cut, wanted="0")
