"""All providers are dead, and come back."""

from __future__ import annotations

import threading
import time
from collections import Counter

from tests.gunicorn import until
from tests.soak.caller import Callers, Got, steadily
from tests.soak.report import Report, share
from tests.soak.scene import gateway
from tests.standin import StandIn, text
from tests.wire import Wire

WORDS = 20
THREADS = 16
REFUSED = 5.0  # seconds within which every call is refused at once
BACK = 10.0  # seconds within which every call is served again


def run(seconds: float = 40.0, rate: float = 50.0) -> Report:
    report = Report(f"all providers are dead for {seconds:.0f} s at {rate:.0f} calls a second")
    models = {"both": {"targets": [f"one/words-{WORDS}", f"two/words-{WORDS}"]}}
    with (
        StandIn() as one,
        StandIn() as two,
        Wire(one.port) as left,
        Wire(two.port) as right,
        gateway({"one": left.port, "two": right.port}, models) as server,
        Callers(server.url) as callers,
    ):
        over, found = threading.Event(), list[Got]()
        load = threading.Thread(target=lambda: _load(callers, over, rate, found))
        load.start()
        time.sleep(2)
        down = time.monotonic()
        for standin in (one, two):
            standin.down(resetting=True)
        time.sleep(seconds)
        up = time.monotonic()
        for standin in (one, two):
            standin.up()
        until(lambda: _is_well(found, up), "end of the outage", patience=2 * BACK)
        over.set()
        load.join()
        arrivals = [at for wire in (left, right) for at in wire.arrivals if down <= at < up]
    during = [each for each in found if down <= each.began < up - 1]
    late = [each for each in during if each.began > down + REFUSED]
    after = [each for each in found if each.began > up]
    last = max((each.ended for each in after if each.text != text(WORDS)), default=up)
    refused = sum((each.status, each.code) == (503, "circuit_open") and each.retry_after is not None for each in late)
    amplification = len(arrivals) / len(during)
    report.tell("calls before, during and after", f"{sum(e.began < down for e in found)} {len(during)} {len(after)}")
    report.tell("answers during", dict(Counter(f"{each.status} {each.code}" for each in during)))
    report.tell(
        f"of {len(late)} later than {REFUSED:.0f} s 503 with Retry-After",
        refused,
        good=refused >= 0.99 * len(late),
        wanted="99 %",
    )
    report.tell(
        "seconds to a refusal, p50, p99",
        f"{share([e.took for e in late], 0.5):.4f} {share([e.took for e in late], 0.99):.4f}",
    )
    report.tell("attempts a call", amplification, good=amplification <= 1.2, wanted="at most 1.2")
    report.tell("seconds until all is well again", last - up, good=last - up <= BACK, wanted=f"at most {BACK:.0f}")
    return report


def _load(callers: Callers, over: threading.Event, rate: float, found: list[Got]) -> None:
    def call(number: int) -> None:
        found.append(callers.call("both", stream=bool(number % 2)))

    steadily(rate, over.is_set, THREADS, call)


def _is_well(found: list[Got], up: float) -> bool:
    """Whether every call of the last three seconds was served."""
    since = time.monotonic() - 3
    return up < since and all(one.text == text(WORDS) for one in list(found) if one.ended > since)
