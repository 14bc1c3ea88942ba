"""Puts load on a running server and reads off what one unit of work cost it."""

import subprocess
import time
from dataclasses import dataclass

import orjson

from bench.servers import WORK, Running, request

NEARLY = 0.98
PATIENCE = 3.0
"""Seconds after the window until nearly each connection has a stream; the last one may just be about to begin."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a load saw. Milliseconds, of plain calls without the warm-up; CPU in microseconds a unit.

    A unit is an answer, or an event of a stream.
    """

    cpu: float
    per_second: float
    errors: int
    first_p99: float
    gap_p99: float
    total_p50: float
    total_p99: float
    memory: float
    """Bytes of PSS after the window, as soon as nearly each connection has a stream."""
    running: int
    """Streams then: fewer where a server is so late that it never comes to that."""


def put_on(server: Running, kind: str, *, connections: int, warm: float, window: float, numbered: bool = False) -> Seen:
    """Run the load for `warm` + `window` seconds and measure during the window.

    `kind` is plain or streams. `numbered`: no two requests are the same.

    CPU is what the server's processes spent in the window over the units done in it.
    """
    seconds = warm + window + (PATIENCE if kind == "streams" else 0.5)
    load = subprocess.Popen(
        [WORK / "load", kind, str(server.server.port), str(connections), str(seconds), str(warm)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert load.stdin
        assert load.stdout
        load.stdin.write(request(server.server, stream=kind == "streams", numbered=numbered))
        load.stdin.close()
        began = time.monotonic()
        before = until(began + warm, load, server)
        after = until(began + warm + window, load, server)
        running, ends_at = after.running, began + seconds - 0.5
        while kind == "streams" and running < NEARLY * connections and time.monotonic() < ends_at:
            running = int(load.stdout.readline().split()[1])
        memory = server.memory()
        *_, last = load.stdout
    finally:
        load.kill()
        load.wait()
    seen = orjson.loads(last)
    done = max(after.units - before.units, 1)
    return Seen(
        cpu=(after.cpu - before.cpu) / done * 1e6,
        per_second=done / (after.instant - before.instant),
        errors=seen["refused"] + seen["broken"],
        first_p99=seen["first_p99"],
        gap_p99=seen["gap_p99"],
        total_p50=seen["total_p50"],
        total_p99=seen["total_p99"],
        memory=memory,
        running=max(running, 1),
    )


@dataclass(frozen=True, slots=True)
class _Look:
    units: int  # done so far
    running: int  # streams
    cpu: float  # seconds, of the server so far
    instant: float  # monotonic


def until(instant: float, load: "subprocess.Popen[bytes]", server: Running) -> _Look:
    """Follow the load's lines until an instant."""
    assert load.stdout
    for line in load.stdout:
        if time.monotonic() >= instant:
            units, running = map(int, line.split())
            return _Look(units, running, server.cpu(), time.monotonic())
    raise SystemExit(f"the load on {server.server.name} ended early")
