"""What is to be thought of the figures. Pure: samples and calls in, lines of a report out."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from tests.soak.hour.calls import Ended
from tests.soak.hour.watch import MIB, Rest, Sample
from tests.soak.report import Report, share

ENOUGH = 1800.0  # seconds after the warm-up from which on slopes and drifts mean something
MOST_GROWTH = 1.0  # MB an hour
MOST_DRIFT = 0.05
MOST_MORE = 1.05  # of files and threads that are open in the last third, on average, and
FEW = 3  # a few besides
SHOWN = 8

Expected = Mapping[tuple[str, tuple[str, ...]], int]  # calls by model and the statuses, one of which they ended as
Counted = Mapping[tuple[str, str], float]  # by model and status


def slope(points: Sequence[tuple[float, float]]) -> float:
    """A second: of the lines through any two points, the one in the middle (Theil and Sen). NaN: there is none.

    Python's memory comes in pieces of 1 MiB, and one that comes once is no growth; those that come again and again are.
    """
    pairs = itertools.combinations(points, 2)
    slopes = [(after - before) / (then - at) for (at, before), (then, after) in pairs if then != at]
    return statistics.median(slopes) if slopes else math.nan


def fitted(points: Sequence[tuple[float, float]]) -> float:
    """A second: of the straight line with the least squares, which a single step tilts. NaN: there is none."""
    if len({at for at, _ in points}) < 2:
        return math.nan
    middle = sum(at for at, _ in points) / len(points)
    mean = sum(value for _, value in points) / len(points)
    return sum((at - middle) * (value - mean) for at, value in points) / sum((at - middle) ** 2 for at, _ in points)


def lowest(points: Sequence[tuple[float, float]], span: float = 60.0) -> list[tuple[float, float]]:
    """Of each minute: a body of many megabytes that comes and goes is no growth, and may come at any moment."""
    found: dict[int, tuple[float, float]] = {}
    for at, value in points:
        number = int((at - points[0][0]) // span)
        if number not in found or value < found[number][1]:
            found[number] = (at, value)
    return list(found.values())


def of_memory(report: Report, samples: Sequence[Sample], since: float, replaced: int) -> None:
    """`since`: the end of the warm-up. Who was replaced has begun anew, and grows as it likes until then."""
    report.tell("workers that were replaced", replaced, good=not replaced, wanted="0")
    for role, pid in _processes(samples):
        mine = [one for one in samples if one.pid == pid and one.at >= since]
        if not mine:
            continue
        first, last = mine[0], mine[-1]
        low = lowest([(one.at, one.own / MIB) for one in mine])
        growth = 3600 * slope(low)
        long = last.at - first.at >= ENOUGH
        good = role != "worker" or not long or growth < MOST_GROWTH
        wanted = "< 1 a worker" if role == "worker" and long else "too short to judge" if not long else ""
        report.tell(f"{role} {pid}: MB an hour", growth, good=good, wanted=wanted)
        report.tell(f"{role} {pid}: the same, by least squares", 3600 * fitted(low))
        report.tell(
            f"{role} {pid}: MB at first and last",
            f"{low[0][1]:.1f} {low[-1][1]:.1f} (PSS {last.pss / MIB:.1f}, RSS {last.rss / MIB:.1f})",
        )
        for what in ("files", "threads"):
            then, now = (sum(part) / len(part) for part in _ends([getattr(one, what) for one in mine]))
            good = now <= MOST_MORE * then + FEW
            report.tell(
                f"{role} {pid}: {what}, first and last third", f"{then:.1f} {now:.1f}", good=good, wanted="flat"
            )


def of_rest(report: Report, before: Sequence[Rest], after: Sequence[Rest]) -> None:
    """What a worker that nobody asks for anything holds at the end, and did not after the warm-up."""
    more = held_since(before, after)
    report.tell("held at rest that was not after the warm-up", more or 0, good=not more, wanted="0")


def held_since(before: Sequence[Rest], after: Sequence[Rest]) -> dict[str, str]:
    was = {one.pid: one.held for one in before}
    return {
        f"{name} of {one.pid}": f"{was[one.pid][name]} to {value}"
        for one in after
        if one.pid in was
        for name, value in one.held.items()
        if value > was[one.pid][name]
    }


def of_latency(report: Report, calls: Sequence[Ended], name: str, *, judged: bool) -> None:
    """`calls`: after the warm-up, with nothing wrong around them."""
    ordered = [one.took for one in sorted(calls, key=lambda one: one.began) if one.took is not None]
    if len(ordered) < 3:
        return
    first, last = _ends(ordered)
    then, now = share(first, 0.99), share(last, 0.99)
    drift = now / then - 1
    span = max(one.began for one in calls) - min(one.began for one in calls)
    long = span >= ENOUGH
    report.tell(f"{name}: calls", len(ordered))
    for part, values in (("first", first), ("last", last)):
        told = " ".join(f"{1000 * share(values, each):.1f}" for each in (0.5, 0.9, 0.99, 0.999))
        report.tell(f"{name}: ms, p50 p90 p99 p99.9, {part} third", told)
    good = not (judged and long) or drift < MOST_DRIFT
    wanted = "" if not judged else "< 5" if long else "too short to judge"
    report.tell(f"{name}: drift of p99, %", 100 * drift, good=good, wanted=wanted)


def of_endings(report: Report, calls: Counter[str], complaints: Mapping[str, Sequence[str]]) -> None:
    report.tell("calls", sum(calls.values()))
    report.tell("  by kind", dict(calls.most_common()))
    wrong = {name: len(found) for name, found in complaints.items() if found}
    report.tell("  that did not end as they must", wrong or 0, good=not wrong, wanted="0")
    for name, found in list(complaints.items())[:SHOWN]:
        report.tell(f"  {name}, for instance", found[0][:600])


def of_books(report: Report, expected: Expected, counted: Counted, busy: Mapping[str, float]) -> None:
    """`busy`: gauges that must be 0 when nothing runs."""
    wrong = differences(expected, counted)
    report.tell("calls that were counted", int(sum(counted.values())))
    report.tell("counters that are not what clients saw", wrong[:SHOWN] or 0, good=not wrong, wanted="0")
    report.tell("gauges that are not back at 0", dict(busy) or 0, good=not busy, wanted="0")


def differences(expected: Expected, counted: Counted) -> list[str]:
    """At least what is sure, at most all that is possible, and in all as many as there were."""
    sure, possible, calls = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[str]()
    for (model, statuses), number in expected.items():
        calls[model] += number
        for status in statuses:
            possible[model, status] += number
            sure[model, status] += number * (len(statuses) == 1)
    found = [
        f"{' '.join(one)}: {counted.get(one, 0):.0f}, not {sure[one]} to {possible[one]}"
        for one in sorted({*counted, *possible})
        if not sure[one] <= counted.get(one, 0) <= possible[one]
    ]
    totals = defaultdict[str, float](float)
    for (model, _), value in counted.items():
        totals[model] += value
    return found + [
        f"{model}: {totals[model]:.0f} of {calls[model]}" for model in calls if totals[model] != calls[model]
    ]


def _processes(samples: Sequence[Sample]) -> list[tuple[str, int]]:
    return sorted({(one.role, one.pid) for one in samples}, reverse=True)


def _ends(values: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """The first third and the last."""
    third = max(1, len(values) // 3)
    return values[:third], values[-third:]
