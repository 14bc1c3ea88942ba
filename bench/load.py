"""Puts load on a running server and reads off what one unit of work cost it."""

import subprocess
import time
from dataclasses import dataclass

import orjson

from bench.servers import WORK, Running, request


@dataclass(frozen=True, slots=True)
class Seen:
    """What a load saw. Milliseconds; CPU in microseconds a unit (an answer, or an event of a stream)."""

    cpu: float
    per_second: float
    errors: int
    first_p99: float
    gap_p99: float
    total_p50: float
    total_p99: float
    memory: float
    """Bytes of PSS while it ran."""


def put_on(server: Running, kind: str, *, connections: int, warm: float, window: float, numbered: bool = False) -> Seen:
    """Run the load for `warm` + `window` seconds and measure during the window.

    `kind` is plain or streams. `numbered`: no two requests are the same.

    CPU is what the server's processes spent in the window over the units done in it.
    """
    seconds = warm + window + 0.5
    load = subprocess.Popen(
        [WORK / "load", kind, str(server.server.port), str(connections), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert load.stdin
        assert load.stdout
        load.stdin.write(request(server.server, stream=kind == "streams", numbered=numbered))
        load.stdin.close()
        began = time.monotonic()
        units, cpu, start = until(began + warm, load, server)
        units_after, cpu_after, end = until(began + warm + window, load, server)
        memory = server.memory()
        *_, last = load.stdout
    finally:
        load.kill()
        load.wait()
    seen = orjson.loads(last)
    done = max(units_after - units, 1)
    return Seen(
        cpu=(cpu_after - cpu) / done * 1e6,
        per_second=done / (end - start),
        errors=seen["refused"] + seen["broken"],
        first_p99=seen["first_p99"],
        gap_p99=seen["gap_p99"],
        total_p50=seen["total_p50"],
        total_p99=seen["total_p99"],
        memory=memory,
    )


def until(instant: float, load: "subprocess.Popen[bytes]", server: Running) -> tuple[int, float, float]:
    """Follow the load's lines until an instant; units done, CPU seconds spent, and the time there."""
    assert load.stdout
    for line in load.stdout:
        if time.monotonic() >= instant:
            return int(line), server.cpu(), time.monotonic()
    raise SystemExit(f"the load on {server.server.name} ended early")
