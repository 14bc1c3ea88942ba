"""A provider of which three calls in ten fail at random, with a fallback."""

from __future__ import annotations

import time
from collections import Counter

from tests.soak.caller import Callers, Got, steadily
from tests.soak.report import Report, share
from tests.soak.scene import gateway
from tests.standin import standin_process, text

FAULTS = ("500", "503", "reset", "cut-0")
STREAMED = ("cut-0", "503")
WORDS = 20
THREADS = 32


def run(seconds: float = 300.0, rate: float = 60.0) -> Report:
    report = Report(
        f"30 % of all calls fail at random, for {seconds:.0f} s at {rate:.0f} calls a second, with a fallback"
    )
    models = {
        fault: {"targets": [f"primary/chance-30-fault-{fault}-words-{WORDS}", f"spare/words-{WORDS}"]}
        for fault in FAULTS
    }
    with (
        standin_process("--keep", "10", "--seed", "7") as primary,
        standin_process("--keep", "10") as spare,
        gateway({"primary": primary.port, "spare": spare.port}, models) as server,
        Callers(server.url) as callers,
    ):
        ends = time.monotonic() + seconds

        def call(number: int) -> Got:
            fault = FAULTS[number % len(FAULTS)]
            return callers.call(fault, stream=fault in STREAMED)

        found = steadily(rate, lambda: time.monotonic() >= ends, THREADS, call)
        asked = (primary.totals().get("requests", 0), spare.totals().get("requests", 0))
        turns = sum("the breaker of" in line for line in server.log().splitlines())
    good = sum(one.status == 200 and one.code is None and one.text == text(WORDS) for one in found)
    attempts = sum(asked) / len(found)
    report.tell("calls", len(found))
    report.tell("success, %", 100 * good / len(found), good=good >= 0.9995 * len(found), wanted="at least 99.95")
    report.tell("otherwise", dict(Counter(f"{one.status} {one.code}" for one in found if one.text != text(WORDS))))
    report.tell("attempts a call", attempts, good=attempts <= 1.4, wanted="at most 1.4")
    report.tell("of them at the primary and at the fallback", asked)
    report.tell("breakers opened and closed, times a minute", turns * 60 / seconds)
    took = [one.took for one in found]
    report.tell(
        "seconds, p50, p99, most", " ".join(f"{each:.3f}" for each in (share(took, 0.5), share(took, 0.99), max(took)))
    )
    return report
