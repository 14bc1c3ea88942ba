"""The metrics of providers' health: made by the housekeeper at each scrape, since it alone knows.

What a worker wrote into its files would stay there when the provider is configured no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from app.metrics.registry import PREFIX


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    well: bool
    breaker: int  # 0 closed, 1 open, 2 half-open
    checks: Mapping[str, int]  # by result; empty where it is not checked
    checked: float | None  # Unix seconds, of the last one


def families(providers: Mapping[str, ProviderFacts]) -> list[Metric]:
    """By provider: exactly those that are configured."""
    health = GaugeMetricFamily(PREFIX + "provider_health", "1: well.", labels=["provider"])
    breaker = GaugeMetricFamily(PREFIX + "circuit_breaker_state", "0 closed, 1 open, 2 half-open.", labels=["provider"])
    checks = CounterMetricFamily(PREFIX + "provider_health_checks", "Free probes.", labels=["provider", "result"])
    checked = GaugeMetricFamily(
        PREFIX + "provider_health_last_check_timestamp_seconds", "End of the last probe.", labels=["provider"]
    )
    for name, facts in providers.items():
        health.add_metric([name], float(facts.well))
        breaker.add_metric([name], facts.breaker)
        for result, count in facts.checks.items():
            checks.add_metric([name, result], count)
        if facts.checked is not None:
            checked.add_metric([name], facts.checked)
    return [health, breaker, checks, checked]
