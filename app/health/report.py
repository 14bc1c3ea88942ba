"""Health for people and programs to read: no key, no address."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.json import Json
from app.health.health import ProviderHealth
from app.resilience.standing import Standing


def report(providers: Mapping[str, ProviderHealth], now: float) -> Json:
    """By provider. Seconds; `now` is monotonic."""
    return {name: _one(health, now) for name, health in providers.items()}


def report_targets(targets: Mapping[str, Standing]) -> Json:
    """By key. Seconds."""
    return {
        key: {
            "breaker": standing.circuit.name.lower(),
            "open_left": round(standing.open_left, 1),
            "cooling_left": round(standing.cooling_left, 1),
        }
        for key, standing in targets.items()
    }


def _one(health: ProviderHealth, now: float) -> Json:
    probes = health.probes
    last = probes.last if probes else None
    return {
        "healthy": health.well,
        "breaker": health.circuit.name.lower(),
        "quarantine": round(health.quarantine_left, 1),
        "probe": {
            "result": last.result,
            "status": last.status,
            "age": round(now - probes.at, 1),
            "failed_in_a_row": probes.failed_in_a_row,
        }
        if probes and last
        else None,
    }
