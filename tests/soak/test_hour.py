"""The hour, for seconds; and that its verdict can be a bad one."""

from __future__ import annotations

import dataclasses
import io
import json
from collections import Counter

from tests.memcached import needed
from tests.soak.hour import verdict
from tests.soak.hour.calls import Ended
from tests.soak.hour.cells import cells
from tests.soak.hour.drive import Plan, run
from tests.soak.hour.watch import MIB, Rest, Sample
from tests.soak.report import Report

SHORT = Plan(seconds=7, warm=3, rate=40, pace=0.1, minute=3)
QUICK = [
    dataclasses.replace(one, margin=60.0)
    for one in cells()
    if not one.takes and one.margin <= 4 and one.breaker in ("nothing", "counts")
]


def samples(mb_an_hour: float = 0.0, files_an_hour: float = 0.0, pid: int = 7, seconds: int = 3600) -> list[Sample]:
    """Of one worker."""
    hour = 3600.0
    return [
        Sample(
            at, "worker", pid, int(MIB * (60 + mb_an_hour * at / hour)), 0, 0, int(50 + files_an_hour * at / hour), 4
        )
        for at in range(0, seconds, 10)
    ]


def memory(found: list[Sample], replaced: int = 0) -> list[str]:
    report = Report("")
    verdict.of_memory(report, found, 600.0, replaced)
    return report.complaints


def drift(then: float, now: float) -> list[str]:
    report = Report("")
    calls = [Ended("chat", "chat", (), None, at, then if at < 1800 else now) for at in range(3600)]
    verdict.of_latency(report, calls, "healthy", judged=True)
    return report.complaints


def test_all_of_it_at_once_ends_as_it_must_and_adds_up() -> None:
    needed()
    out = io.StringIO()
    report = run(SHORT, out, found=QUICK)
    assert report.complaints == [], str(report)
    *lines, last = map(json.loads, out.getvalue().splitlines())
    assert any(line.get("calls") for line in lines)
    assert last["figures"] == report.figures


def test_a_call_that_ends_otherwise_than_the_table_says_is_a_complaint() -> None:
    needed()
    one = next(one for one in QUICK if one.row == "bad-json" and not one.beside)
    report = run(
        dataclasses.replace(SHORT, seconds=2, warm=1), io.StringIO(), found=[dataclasses.replace(one, asked=7)]
    )
    assert len(report.complaints) == 1, str(report)
    assert "did not end as they must" in report.complaints[0]


def test_memory_that_grows_is_a_complaint_and_memory_that_does_not_is_none() -> None:
    assert memory(samples(0.9)) == []
    (told,) = memory(samples(1.1))
    assert "MB an hour: 1.1" in told


def test_memory_that_comes_and_goes_is_no_growth() -> None:
    found = samples()
    late = [dataclasses.replace(one, own=3 * one.own) if one.at > 3000 and one.at % 50 == 0 else one for one in found]
    assert memory(late) == []


def test_a_piece_of_memory_that_is_taken_once_is_no_growth_and_one_that_is_taken_again_is() -> None:
    def grown(*seconds: int) -> list[Sample]:
        flat = samples(seconds=2 * 3600)
        return [dataclasses.replace(one, own=one.own + MIB * sum(one.at >= at for at in seconds)) for one in flat]

    assert memory(grown(3600)) == []
    (told,) = memory(grown(1500, 2500, 3500, 4500, 5500))
    assert "MB an hour" in told


def test_a_worker_that_was_replaced_is_a_complaint_however_little_it_takes() -> None:
    (told,) = memory(samples(), replaced=1)
    assert "replaced" in told


def test_files_that_pile_up_are_a_complaint() -> None:
    (told,) = memory(samples(files_an_hour=40))
    assert "files" in told


def test_healthy_calls_that_become_slower_are_a_complaint() -> None:
    assert drift(0.2, 0.209) == []
    (told,) = drift(0.2, 0.211)
    assert "drift" in told


def test_what_is_held_at_rest_must_have_been_held_before() -> None:
    report = Report("")
    verdict.of_rest(report, [Rest(7, {"threads": 3, "places": 0})], [Rest(7, {"threads": 3, "places": 1})])
    (told,) = report.complaints
    assert "places of 7" in told


def test_counters_must_say_what_clients_saw() -> None:
    seen = Counter({("chat", ("success",)): 3, ("chat", ("cancelled", "success")): 2})
    assert verdict.differences(seen, {("chat", "success"): 4, ("chat", "cancelled"): 1}) == []
    assert verdict.differences(seen, {("chat", "success"): 2, ("chat", "cancelled"): 3})
    assert verdict.differences(seen, {("chat", "success"): 4})
    assert verdict.differences(seen, {("chat", "success"): 5, ("other", "error"): 1})
