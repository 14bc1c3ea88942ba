"""Clients that are slow on purpose (slowhttptest), and healthy ones beside them: through nginx, and without it."""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

from tests.gunicorn import free_port, until
from tests.nginx import nginx
from tests.soak.caller import Callers, Got, steadily
from tests.soak.report import Report, share
from tests.soak.rolling import replica
from tests.tools import tool

#: Kinds of slowness -> how they are asked for.
SLOW: Mapping[str, Sequence[str]] = {
    "heads": ("-H", "-u", "{}/v1/models", "-i", "2", "-x", "24"),
    "bodies": ("-B", "-u", "{}/v1/chat/completions", "-i", "2", "-x", "10", "-s", "8192", "-f", "application/json"),
    "readers": ("-X", "-u", "{}/v1/models", "-w", "8", "-y", "16", "-n", "5", "-z", "4", "-k", "10"),
}
THREADS = 24
TWICE, MORE = 2.0, 0.1  # what healthy calls may take beside them: so many times, and so many seconds more


def run(
    seconds: float = 20.0,
    connections: int = 500,
    rate: float = 40.0,
    worker_class: str = "gevent",
    *,
    kinds: Sequence[str] = tuple(SLOW),
    directly: bool = True,
) -> Report:
    """`seconds`: of each kind, and half of that before, without them; `directly`: without nginx, too.

    Threads are not meant to be asked directly by strangers: each slow client holds one, and nothing is promised.
    """
    report = Report(f"{connections} clients that are slow, beside {rate:g} calls/s that are not ({worker_class})")
    with ExitStack() as stack:
        port = free_port()
        replica(stack, port, 60, worker_class)
        front = stack.enter_context(nginx([port]))
        for where, url in (("nginx", front.url), ("directly", f"http://127.0.0.1:{port}")):
            if where == "directly" and not directly:
                break
            promised = where == "nginx" or worker_class == "gevent"
            for kind in kinds:
                before = _healthy(url, rate, time.monotonic() + seconds / 2)
                with slowly(kind, url, connections, seconds) as said:
                    beside = _healthy(url, rate, time.monotonic() + seconds)
                    held = _counts(said())
                _tell(report, f"{where}, slow {kind}", before, beside, promised)
                report.tell(f"  slow ones at the last look ({where}, {kind})", held)
    return report


@contextlib.contextmanager
def slowly(kind: str, url: str, connections: int, seconds: float) -> Iterator[Callable[[], str]]:
    """So many slow clients, all of them connected; yields what slowhttptest says of them."""
    how = [word.format(url) for word in SLOW[kind]]
    length = str(int(seconds) + 30)
    unbuffered = (tool("stdbuf"), "-o0", tool("slowhttptest"))  # or it would be known late that they are connected
    command = [*unbuffered, "-c", str(connections), "-r", str(connections), "-l", length, "-p", "10", *how]
    with tempfile.TemporaryFile("w+") as said:

        def look() -> str:
            said.seek(0)
            return said.read()

        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            until(lambda: sum(_counts(look()).values()) >= connections / 2, "slow clients")
            yield look
        finally:
            process.kill()
            process.wait()


def _healthy(url: str, rate: float, ends: float) -> list[Got]:
    with Callers(url, again=True) as callers:
        return steadily(rate, lambda: time.monotonic() >= ends, THREADS, lambda _: callers.call("fast", stream=False))


def _tell(report: Report, name: str, before: list[Got], beside: list[Got], promised: bool) -> None:
    failed = Counter(f"{one.status} {one.code}" for one in beside if one.status != 200)
    report.tell(f"{name}: calls", len(beside))
    report.tell(f"  failed ({name})", dict(failed) or 0, good=not (failed and promised), wanted="0" * promised)
    for quantile in (0.5, 0.99):
        was, came = (share([one.took for one in made if one.status == 200], quantile) for made in (before, beside))
        good = not promised or came <= TWICE * was + MORE
        report.tell(f"  took, s, {quantile:.0%}, before and beside ({name})", f"{was:.3f}, {came:.3f}", good=good)


def _counts(said: str) -> dict[str, int]:
    """The last look of slowhttptest at its connections."""
    found = re.findall(r"(pending|connected|error|closed): +([0-9]+)", re.sub(r"\x1b\[[0-9;]*m", "", said))
    return {name: int(count) for name, count in found[-4:] if int(count)}
