"""Gauges that follow from what workers count, made by the housekeeper at each merge."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping

from prometheus_client import Metric

from app.core import json
from app.metrics import made
from app.metrics.catalogue import IN_FLIGHT, SPEED, STREAM_SECONDS, STREAM_TOKENS, WORKER_IN_FLIGHT

WINDOW = 60.0  # seconds

#: The families that these follow from.
SOURCES = frozenset(metric.name.removesuffix("_total") for metric in (STREAM_TOKENS, STREAM_SECONDS, WORKER_IN_FLIGHT))

Pair = tuple[str, str]  # model, provider
Counted = Mapping[Pair, tuple[float, float]]  # tokens, and the seconds that they took


class Speedometer:
    """How fast streams came in the last minute, or since the last merge where that is longer ago.

    What one stream gets, not what all of them get together: an idle gateway is not slow. 0 where nothing streamed.

    What it remembers of a merge is one piece of text: hundreds of names and numbers, each kept where the merge made it,
    would keep the megabytes around them from the system.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, bytes]] = deque()  # times are monotonic

    def family(self, families: Iterable[Metric], now: float) -> Metric:
        counted = _counted({family.name: family for family in families})
        self._seen.append((now, _packed(counted)))
        while len(self._seen) > 1 and self._seen[1][0] <= now - WINDOW:
            self._seen.popleft()
        before = _unpacked(self._seen[0][1])
        speeds = made.gauge(SPEED)
        for pair, (tokens, seconds) in counted.items():
            old_tokens, old_seconds = before.get(pair, (0.0, 0.0))
            took = seconds - old_seconds
            speeds.add_metric(list(pair), (tokens - old_tokens) / took if took > 0 else 0.0)
        return speeds


def in_flight(families: Iterable[Metric]) -> Metric:
    """Over all workers."""
    inside = (family for family in families if family.name == WORKER_IN_FLIGHT.name)
    return made.gauge(IN_FLIGHT, sum(sample.value for family in inside for sample in family.samples))


def _counted(families: Mapping[str, Metric]) -> Counted:
    tokens, seconds = (_by_pair(families.get(m.name.removesuffix("_total"))) for m in (STREAM_TOKENS, STREAM_SECONDS))
    return {pair: (value, seconds.get(pair, 0.0)) for pair, value in tokens.items()}


def _packed(counted: Counted) -> bytes:
    """But for what is no number in JSON: a damaged file can say anything."""
    return json.dumps([[*pair, *values] for pair, values in counted.items() if all(map(math.isfinite, values))])


def _unpacked(packed: bytes) -> Counted:
    return {(model, provider): (tokens, seconds) for model, provider, tokens, seconds in json.loads(packed)}


def _by_pair(family: Metric | None) -> dict[Pair, float]:
    samples = family.samples if family is not None else ()
    return {(sample.labels["model"], sample.labels["provider"]): sample.value for sample in samples}
