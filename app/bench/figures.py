"""What many calls amount to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from app.bench.caller import Sample
from app.bench.load import Run
from app.core.json import Json

BUSY = 0.8  # share of a core from which on this program's own slowness is in what it measures


@dataclass(frozen=True, slots=True)
class Pace:
    """Of a simulated provider: how long it takes is known beforehand."""

    latency: float  # seconds
    tokens_per_second: float  # 0: all at once

    def seconds(self, tokens: int) -> float:
        return self.latency + (tokens / self.tokens_per_second if self.tokens_per_second else 0.0)


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds, but where somebody says otherwise."""

    p50: float
    p90: float
    p99: float
    most: float


@dataclass(frozen=True, slots=True)
class Figures:
    """`None`: there was nothing to see it by. Times are those of calls that went well."""

    calls: int
    succeeded: int
    failed: Mapping[str, int]  # by what went wrong
    left: int  # under way when the run was ended, and not counted
    seconds: float
    calls_per_second: float  # that went well
    answered_by: Mapping[str, int]
    cached: int
    attempts: float | None  # at providers, a call
    latency: Spread | None
    first_token: Spread | None
    gap: Spread | None
    input_tokens: int
    output_tokens: int
    tokens_per_second: float  # written, of all calls together
    tokens_per_second_a_stream: Spread | None  # from the first on
    overhead: Spread | None  # of calls whose provider's own time is known
    client_busy: float  # cores that this program took for itself

    def as_json(self) -> Json:
        return asdict(self)


def figures(run: Run, paces: Mapping[str, Pace]) -> Figures:
    """`paces`: by the name of the provider."""
    good = [sample for sample in run.samples if not sample.wrong]
    asked = [sample for sample in good if not sample.cached]
    seconds = max(run.seconds, 1e-9)
    written = sum(sample.written for sample in good)
    return Figures(
        calls=len(run.samples),
        succeeded=len(good),
        failed=dict(Counter(sample.wrong for sample in run.samples if sample.wrong).most_common()),
        left=run.left,
        seconds=run.seconds,
        calls_per_second=len(good) / seconds,
        answered_by=dict(Counter(f"{one.provider}/{one.model}" for one in good if one.provider).most_common()),
        cached=len(good) - len(asked),
        attempts=sum(sample.attempts for sample in asked) / len(asked) if asked else None,
        latency=spread(sample.seconds for sample in good),
        first_token=spread(sample.first for sample in good if sample.first is not None),
        gap=spread(gap for sample in good for gap in sample.gaps),
        input_tokens=sum(sample.read for sample in good),
        output_tokens=written,
        tokens_per_second=written / seconds,
        tokens_per_second_a_stream=spread(_speeds(good), slowest=True),
        overhead=spread(
            sample.seconds - paces[sample.provider].seconds(sample.written)
            for sample in asked
            if sample.provider in paces and sample.attempts == 1
        ),
        client_busy=run.cpu / seconds,
    )


def spread(values: Iterable[float], *, slowest: bool = False) -> Spread | None:
    """By nearest rank. `slowest`: of speeds, where less is worse."""
    found = sorted(values, reverse=slowest)
    if not found:
        return None
    return Spread(_rank(found, 0.5), _rank(found, 0.9), _rank(found, 0.99), found[-1])


def _rank(found: Sequence[float], share: float) -> float:
    return found[max(0, math.ceil(share * len(found)) - 1)]


def _speeds(good: Iterable[Sample]) -> Iterable[float]:
    for sample in good:
        if sample.first is not None and sample.written > 1 and sample.gaps and (took := sum(sample.gaps)):
            yield (sample.written - 1) / took
