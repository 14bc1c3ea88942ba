"""Streams that fail before their first word, with a fallback: every one of them is whole."""

from __future__ import annotations

from collections import Counter

from tests.soak.caller import Callers, Got, many
from tests.soak.report import Report, share
from tests.soak.scene import NEVER, gateway
from tests.standin import standin_process, text

FAULTS = {
    "cut": "fault-cut-0",
    "reset": "fault-cut-0-rst",
    "end": "fault-noevents",
    "error": "fault-errorfirst-503",
    "stall": "fault-stall-0",
    "hang": "fault-hang",
    "refusal": "fault-500",
}
FIRST_BYTE = 1.0
THREADS = 32


def run(streams: int = 1000) -> Report:
    report = Report("failures before the first word, with a fallback")
    models = {
        name: {
            "targets": [f"primary/{fault}", "spare/words-20"],
            "timeouts": {"first_byte": FIRST_BYTE},
        }
        for name, fault in FAULTS.items()
    }
    models["fine"] = {"targets": ["spare/words-20"]}
    names = list(FAULTS)
    with (
        standin_process("--keep", "10") as remote,
        gateway({"primary": remote.port, "spare": remote.port}, models, breaker=NEVER) as server,
        Callers(server.url) as callers,
    ):
        fine = many(200, THREADS, lambda number: callers.call("fine", stream=True))
        found = many(streams, THREADS, lambda number: callers.call(names[number % len(names)], stream=True))
    whole = sum(one.status == 200 and one.code is None and one.text == text(20) for one in found)
    report.tell("streams", streams)
    report.tell("rescued", whole, good=whole == streams, wanted="all")
    report.tell("otherwise", dict(Counter(f"{one.status} {one.code}" for one in found if one.text != text(20))))
    report.tell("attempts a call", sum(one.attempts for one in found) / streams)
    report.tell("first word, healthy, p50 ms", 1000 * share(_first(fine), 0.5))
    for number, name in enumerate(names):
        report.tell(f"first word, {name}, p50 ms", 1000 * share(_first(found[number :: len(names)]), 0.5))
    return report


def _first(calls: list[Got]) -> list[float]:
    return [one.first - one.began for one in calls]
