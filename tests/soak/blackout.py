"""A provider that is dead, with a fallback: nobody notices, and it is left in peace."""

from __future__ import annotations

import itertools
import time
from collections import Counter

from tests.soak.caller import Callers, Got, steadily
from tests.soak.report import Report, share
from tests.soak.scene import gateway
from tests.standin import StandIn, standin_process, text
from tests.wire import Wire

OPEN, OPEN_MAX = 5.0, 20.0  # of the breaker
JITTER = 0.8  # the shortest that a wait can become
WORDS = 20
THREADS = 16


def run(seconds: float = 90.0, rate: float = 50.0, pace: float = 1.0) -> Report:
    """`pace` shortens the breaker's waits."""
    report = Report(
        f"the primary is dead for {seconds:.0f} s at {rate:.0f} calls a second, four workers, with a fallback"
    )
    models = {
        "dead": {"targets": [f"primary/words-{WORDS}", f"spare/words-{WORDS}"]},
        "fine": {"targets": [f"spare/words-{WORDS}"]},
    }
    breaker = {"open": OPEN * pace, "open_max": OPEN_MAX * pace}
    with StandIn() as primary, Wire(primary.port) as wire, standin_process("--keep", "10") as spare:
        primary.down()
        providers = {"primary": wire.port, "spare": spare.port}
        with gateway(providers, models, workers=4, breaker=breaker) as server, Callers(server.url) as callers:
            began = time.monotonic()
            ends = began + seconds

            def call(number: int) -> Got:
                return callers.call("dead" if number % 2 else "fine", stream=bool(number % 4 > 1))

            found = steadily(rate, lambda: time.monotonic() >= ends, THREADS, call)
    opened = next((at for at in wire.arrivals if at > wire.arrivals[0] + 2 * pace), ends)
    storm = sum(at < opened for at in wire.arrivals)
    probes = wire.arrivals[storm:]
    gaps = [later - sooner for sooner, later in itertools.pairwise(probes)]
    early = [gap for number, gap in enumerate(gaps, 1) if gap < JITTER * min(2**number * OPEN, OPEN_MAX) * pace]
    good = sum(one.status == 200 and one.code is None and one.text == text(WORDS) for one in found)
    report.tell("calls", len(found))
    report.tell("served", good, good=good == len(found), wanted="all")
    report.tell("otherwise", dict(Counter(f"{one.status} {one.code}" for one in found if one.text != text(WORDS))))
    report.tell("connections before the breaker was open", storm, good=storm <= 5 + 2 * THREADS, wanted="few")
    report.tell("probes after", " ".join(f"{at - began:.1f}" for at in probes) + " s")
    report.tell("probes that came too soon", len(early), good=not early, wanted="none: one at the end of each wait")
    late = [one for one in found if one.began > began + 2 * pace]
    for name, calls in (("beside the dead one", late[1::2]), ("without it", late[::2])):
        took = [one.took for one in calls]
        report.tell(f"seconds {name}, p50, p99", f"{share(took, 0.5):.4f} {share(took, 0.99):.4f}")
    return report
