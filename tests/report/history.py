"""An hour of a busy gateway, made up: every metric, in the form that promtool makes blocks of."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.metrics.catalogue import PREFIX
from tests.monitoring import promtool
from tests.monitoring.contract import Known, contract

STEP = 15  # seconds
_STEPS = 240

_VALUES: Mapping[str, tuple[str, ...]] = {
    "model": ("fast", "smart", "gpu/Qwen3-32B-Instruct"),
    "provider": ("openai", "anthropic", "azure-eu"),
    "from_provider": ("openai", "anthropic"),
    "to_provider": ("azure-eu", "anthropic"),
    "status": ("success", "error", "client_error", "rate_limited", "cancelled"),
    "streaming": ("true", "false"),
    "type": ("input", "output"),
    "error_type": ("timeout", "overloaded", "rate_limited", "invalid_request"),
    "reason": ("timeout", "overloaded"),
    "tenant": ("acme", "interns", "search-and-ranking"),
    "limit_type": ("requests", "tokens", "concurrency"),
    "operation": ("get", "set"),
    "result": ("hit", "miss", "ok", "success", "error"),
    "pid": ("w0", "w1"),
    "to": ("closed", "open", "half_open"),
    "phase": ("before_first_token", "streaming", "non_streaming"),
    "detail": ("cached_input", "cache_write_input", "reasoning_output"),
    "version": ("0.1.0",),
    "python": ("3.11.7",),
}
_OUTCOMES = {
    "streams_total": ("complete", "client_gone", "truncated", "rescued"),
    "upstream_attempts_total": ("success", "timeout", "overloaded", "cancelled"),
}
#: How often something is counted, by the value of a label: most of it is well.
_RARE = {
    "error": 0.02,
    "client_error": 0.05,
    "rate_limited": 0.03,
    "cancelled": 0.04,
    "timeout": 0.02,
    "overloaded": 0.01,
}
_BOUNDS = (0.05, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_PLACE = 'cluster="main",job="llm-gateway",instance="10.0.0.7:9464"'


def write(directory: Path, end: float) -> Path:
    """A data directory for Prometheus with the hour before that time."""
    text, data = directory / "history.txt", directory / "data"
    text.write_text("\n".join([*_lines(end), "# EOF\n"]))
    promtool.run("tsdb", "create-blocks-from", "openmetrics", text, data)
    return data


def _lines(end: float) -> Iterator[str]:
    start = end - STEP * _STEPS
    times = [start + STEP * number for number in range(_STEPS + 1)]
    for name, known in contract().items():
        for series, values in _series(name, known, times):
            yield from (f"{series} {value:.12g} {at:.3f}" for at, value in zip(times, values, strict=True))
    yield from (f"scrape_duration_seconds{{{_PLACE}}} {0.04 + 0.01 * math.sin(at / 300):.4f} {at:.3f}" for at in times)
    what = 'alertname="LLMGatewayProviderUnhealthy",alertstate="firing",severity="warning",provider="openai"'
    alert = f"ALERTS{{{_PLACE},{what}}}"
    yield from (f"{alert} 1 {at:.3f}" for at in times[-30:])


def _series(name: str, known: Known, times: list[float]) -> Iterator[tuple[str, list[float]]]:
    choices = [_OUTCOMES.get(name, ("success",)) if label == "outcome" else _VALUES[label] for label in known.labels]
    if name == "circuit_breaker_state":
        choices = [(*_VALUES["provider"], *(f"provider-{number}" for number in range(12)))]
    for number, values in enumerate(itertools.product(*choices)):
        labels = "".join(f',{label}="{value}"' for label, value in zip(known.labels, values, strict=True))
        rng = random.Random(f"{name} {values}")
        often = 3 / (1 + number % 5) * math.prod(_RARE.get(value, 1) for value in values)
        if known.kind == "gauge":
            yield f"{PREFIX}{name}{{{_PLACE}{labels}}}", _gauge(name, values, times, rng)
        elif known.kind == "counter":
            size = {"tokens": 400, "cost": 0.02, "saved": 0.01}.get(name.split("_")[-2 if "usd" not in name else 0], 1)
            yield f"{PREFIX}{name}{{{_PLACE}{labels}}}", _rising(often * size, times, rng)
        else:
            yield from _histogram(f"{PREFIX}{name}", f"{_PLACE}{labels}", often, times, rng)


def _rising(often: float, times: list[float], rng: random.Random) -> list[float]:
    steps = (often * STEP * (1 + 0.5 * math.sin(at / 500)) * rng.uniform(0.5, 1.5) for at in times)
    return list(itertools.accumulate(steps))


def _histogram(
    name: str, labels: str, often: float, times: list[float], rng: random.Random
) -> Iterator[tuple[str, list[float]]]:
    count = _rising(often, times, rng)
    middle = rng.uniform(0.4, 2)
    for le in (*_BOUNDS, math.inf):
        share = 1 - math.exp(-le / middle)
        bound = "+Inf" if math.isinf(le) else f"{float(le)}"
        yield f'{name}_bucket{{{labels},le="{bound}"}}', [value * share for value in count]
    yield f"{name}_count{{{labels}}}", count
    yield f"{name}_sum{{{labels}}}", [value * middle for value in count]


def _gauge(name: str, values: tuple[str, ...], times: list[float], rng: random.Random) -> list[float]:
    troubled = "openai" in values
    if name == "provider_health":
        return [0.0 if troubled and (120 < n < 160 or n > 225) else 1.0 for n in range(len(times))]
    if name == "circuit_breaker_state":
        return [float(1 + n % 2) if troubled and 130 < n < 150 else 0.0 for n in range(len(times))]
    if name.endswith("timestamp_seconds"):
        return [at - rng.uniform(1, 15) if "check" in name else times[0] - 3600 for at in times]
    fixed = {"worker_capacity": 2000.0, "build_info": 1.0, "config_last_reload_successful": 1.0, "metrics_files": 14.0}
    fixed |= {"config_hash": 81985529216486.0, "memcached_up": 1.0}
    if name in fixed:
        return [fixed[name]] * len(times)
    base = {"tokens_per_second": 45, "metrics_collect_seconds": 0.03}.get(name, 60)
    return [base * (1 + 0.4 * math.sin(at / 400)) * rng.uniform(0.8, 1.2) for at in times]
