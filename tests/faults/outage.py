"""A provider that is down for a while under a steady trickle of calls."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

from tests.faults.client import Client
from tests.standin import StandIn
from tests.wire import Wire

EVERY, DOWN, BACK = 4.0, 60.0, 30.0  # seconds, at pace 1
OPEN, OPEN_MAX = 5.0, 20.0  # of the breaker: the wait doubles after each probe that fails
JITTER = 0.8  # the shortest that a wait can become


def outage(client: Client, primary: StandIn, wire: Wire, pace: float, slack: float) -> tuple[str, Sequence[str]]:
    """Figures and complaints. The breaker lets one call through at the end of each of its waits, which double.

    `slack`: seconds that a machine may be busy with others.
    """
    served, failed = 0, 0
    probes: list[float] = []  # when calls reached the wire, after the breaker had opened

    def call() -> bool:
        """Whether the primary answered."""
        nonlocal served, failed
        seen = client.call(f"outage-{served + failed}", "outage", stream=False)
        good = seen.raised is None and seen.broken is None
        served, failed = served + good, failed + (not good)
        return seen.headers.get("x-gateway-provider") == "primary"

    call()
    primary.down(resetting=True)
    began, missed = time.monotonic(), 0
    while time.monotonic() < began + DOWN * pace:
        before = len(wire.arrivals)
        call()
        tried = len(wire.arrivals) - before
        missed += tried
        if missed > 5:  # the first five open it
            probes.extend([time.monotonic()] * tried)
        time.sleep(EVERY * pace)
    primary.up()
    up = time.monotonic()
    while not call() and time.monotonic() < up + BACK * pace + slack:
        time.sleep(EVERY * pace)
    back = time.monotonic() - up
    complaints = [f"{failed} calls were not served"] if failed else []
    gaps = [later - sooner for sooner, later in itertools.pairwise(probes)]
    if any(gap < JITTER * min(2**number * OPEN, OPEN_MAX) * pace for number, gap in enumerate(gaps, 1)):
        complaints.append(f"probes come too soon: {[round(gap, 2) for gap in gaps]}")
    if back > BACK * pace + slack:
        complaints.append("it did not come back")
    when = "/".join(f"{probe - began:.0f}" if pace >= 1 else f"{probe - began:.1f}" for probe in probes)
    return f"{served} of {served + failed} served, probes after {when} s, back after {back:.1f} s", complaints
