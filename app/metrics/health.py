"""The metrics of providers' health: made by the housekeeper at each scrape, since it alone knows.

What a worker wrote into its files would stay there when the provider is configured no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import Metric

from app.metrics import made
from app.metrics.catalogue import BREAKER, CHECKED, CHECKS, HEALTH


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    well: bool
    breaker: int  # 0 closed, 1 open, 2 half-open
    checks: Mapping[str, int]  # by result; empty where it is not checked
    checked: float | None  # Unix seconds, of the last one


def families(providers: Mapping[str, ProviderFacts]) -> list[Metric]:
    """By provider: exactly those that are configured."""
    health, breaker, checked = (made.gauge(metric) for metric in (HEALTH, BREAKER, CHECKED))
    checks = made.counter(CHECKS)
    for name, facts in providers.items():
        health.add_metric([name], float(facts.well))
        breaker.add_metric([name], facts.breaker)
        for result, count in facts.checks.items():
            checks.add_metric([name, result], count)
        if facts.checked is not None:
            checked.add_metric([name], facts.checked)
    return [health, breaker, checks, checked]
