"""Every metric that the gateway can expose, by its code: name, kind, labels."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from app.metrics.catalogue import PREFIX, everything
from tests.monitoring.case import CLUSTER


@dataclass(frozen=True, slots=True)
class Known:
    kind: str  # counter, gauge, histogram
    labels: tuple[str, ...]


@functools.cache
def contract() -> Mapping[str, Known]:
    """By name without the prefix."""
    declared = {}
    for metric in everything():
        a_worker_each = ("pid",) if metric.mode == "liveall" else ()
        declared[metric.short] = Known(metric.type.value, (*metric.labels, *a_worker_each))
    return {**AWAITED, **declared}


#: Values that labels can have, one or two each: enough for every panel to have something to show.
VALUES: Mapping[str, tuple[str, ...]] = {
    "model": ("m",),
    "provider": ("openai",),
    "from_provider": ("openai",),
    "to_provider": ("anthropic",),
    "status": ("success", "error", "rate_limited"),
    "streaming": ("true", "false"),
    "type": ("input", "output"),
    "error_type": ("timeout",),
    "outcome": ("success", "complete"),
    "reason": ("timeout",),
    "tenant": ("acme",),
    "limit_type": ("requests",),
    "operation": ("get",),
    "result": ("hit", "miss"),
    "pid": ("w0",),
    "to": ("open",),
    "phase": ("streaming",),
    "detail": ("cached_input",),
    "version": ("1",),
    "python": ("3.11",),
}


def synthetic() -> dict[str, str]:
    """Series of half an hour for every metric: counters that rise, gauges at 1."""
    place = ",".join(f'{label}="{value}"' for label, value in {**CLUSTER, "instance": "a:9464"}.items())
    made = {
        f"scrape_duration_seconds{{{place}}}": "0.1x60",
        f'ALERTS{{{place},alertname="LLMGatewayDown",alertstate="firing",severity="critical"}}': "1x60",
    }
    for name, known in contract().items():
        for values in itertools.product(*(VALUES.get(label, ("x",)) for label in known.labels)):
            labels = "".join(f',{label}="{value}"' for label, value in zip(known.labels, values, strict=True))
            series = f"{PREFIX}{name}"
            if known.kind == "histogram":
                for le, step in (("0.5", 1), ("5.0", 8), ("10.0", 9), ("+Inf", 10)):
                    made[f'{series}_bucket{{{place}{labels},le="{le}"}}'] = f"0+{step}x60"
                made[f"{series}_count{{{place}{labels}}}"] = "0+10x60"
                made[f"{series}_sum{{{place}{labels}}}"] = "0+20x60"
            else:
                made[f"{series}{{{place}{labels}}}"] = "0+10x60" if known.kind == "counter" else "1x60"
    return made


#: Declared in the design, not in the code yet.
AWAITED: Mapping[str, Known] = {
    "rate_limit_hits_total": Known("counter", ("tenant", "limit_type")),
    "cache_operations_total": Known("counter", ("operation", "result")),
}
