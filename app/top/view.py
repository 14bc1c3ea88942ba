"""Figures of what happened between two readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.metrics import catalogue
from app.metrics.catalogue import Metric
from app.top.reading import Reading

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of a part of the calls; rates a second, times in seconds. None: there was nothing to see it by."""

    calls: float
    errors: float | None  # share of those that succeeded or failed through no fault of the client's
    p50: float | None
    p95: float | None
    first_token: float | None  # p95, of streams


@dataclass(frozen=True, slots=True)
class ProviderView:
    name: str
    healthy: bool | None
    breaker: str
    active: float
    attempts: float  # a second
    failed: float  # a second, of the attempts
    retries: float
    tokens_per_second: float | None  # of one stream
    traffic: Traffic


@dataclass(frozen=True, slots=True)
class TenantView:
    name: str
    calls: float
    tokens: float  # a second
    usd: float  # an hour
    refused: float  # by limits, a second


@dataclass(frozen=True, slots=True)
class View:
    version: str
    since: float  # Unix seconds
    config: str
    config_error: str | None
    workers: Mapping[str, int]  # by their state
    in_flight: float
    capacity: float
    seconds: float  # between the two readings
    traffic: Traffic
    input_tokens: float  # a second
    output_tokens: float
    usd: float  # an hour
    cache_hits: float | None  # share of look-ups
    refused: float  # by limits, a second
    providers: Sequence[ProviderView]
    models: Sequence[tuple[str, Traffic]]
    tenants: Sequence[TenantView]


class Between:
    """What was added from one reading to the other. Counters begin at 0 again with the gateway."""

    def __init__(self, before: Reading, after: Reading) -> None:
        self.before, self.after = before, after
        self.seconds = max(after.at - before.at, 1e-3)

    def added(self, metric: Metric, suffix: str = "", **labels: str) -> float:
        new, old = self.after.page.sum(metric, suffix, **labels), self.before.page.sum(metric, suffix, **labels)
        return new - old if new >= old else new

    def rate(self, metric: Metric, **labels: str) -> float:
        return self.added(metric, **labels) / self.seconds

    def quantile(self, metric: Metric, share: float, **labels: str) -> float | None:
        """Within its bucket as if evenly spread, as Prometheus does."""
        old = self.before.page.buckets(metric, **labels)
        new = self.after.page.buckets(metric, **labels)
        return quantile({bound: max(0.0, count - old.get(bound, 0.0)) for bound, count in new.items()}, share)

    def traffic(self, **labels: str) -> Traffic:
        good, bad = (self.added(catalogue.REQUESTS, status=status, **labels) for status in ("success", "error"))
        times = {name: value for name, value in labels.items() if name in ("model", "provider")}
        return Traffic(
            calls=self.rate(catalogue.REQUESTS, **labels),
            errors=bad / (good + bad) if good + bad else None,
            p50=self.quantile(catalogue.DURATION, 0.5, **times),
            p95=self.quantile(catalogue.DURATION, 0.95, **times),
            first_token=self.quantile(catalogue.TTFT, 0.95, **times),
        )


def view(before: Reading, after: Reading) -> View:
    between, state, page = Between(before, after), after.state, after.page
    hits, misses = (between.added(catalogue.CACHE_OPERATIONS, operation="get", result=r) for r in ("hit", "miss"))
    error = state["config"]["error"]
    workers: dict[str, int] = {}
    for worker in state["workers"]:
        workers[worker["state"]] = workers.get(worker["state"], 0) + 1
    return View(
        version=next((labels["version"] for labels, _ in page.series(catalogue.BUILD)), ""),
        since=state["since"],
        config=state["config"]["hash"][:12],
        config_error=error and error["message"],
        workers=workers,
        in_flight=page.sum(catalogue.IN_FLIGHT),
        capacity=page.sum(catalogue.WORKER_CAPACITY),
        seconds=between.seconds,
        traffic=between.traffic(),
        input_tokens=between.rate(catalogue.TOKENS, type="input"),
        output_tokens=between.rate(catalogue.TOKENS, type="output"),
        usd=between.rate(catalogue.COST) * HOUR,
        cache_hits=hits / (hits + misses) if hits + misses else None,
        refused=between.rate(catalogue.RATE_LIMIT_HITS),
        providers=[_provider(between, name, said) for name, said in sorted(state["providers"].items())],
        models=_models(between),
        tenants=[_tenant(between, name) for name in page.values(catalogue.TENANT_REQUESTS, "tenant")],
    )


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """`buckets`: upper bound to how many were at most that. None where there were none."""
    total = max(buckets.values(), default=0.0)
    if not total:
        return None
    wanted, low, below = share * total, 0.0, 0.0
    for bound, count in sorted(buckets.items()):
        if count >= wanted:
            if bound == float("inf") or count == below:
                return low
            return low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, count
    return low


def _provider(between: Between, name: str, said: Mapping[str, object]) -> ProviderView:
    page = between.after.page
    speeds = [value for _, value in page.series(catalogue.SPEED, provider=name) if value]
    attempts = between.rate(catalogue.ATTEMPTS, provider=name)
    good, given_up = (between.rate(catalogue.ATTEMPTS, provider=name, outcome=o) for o in ("success", "cancelled"))
    healthy = said["healthy"]
    return ProviderView(
        name=name,
        healthy=healthy if isinstance(healthy, bool) else None,
        breaker=str(said["breaker"]),
        active=page.sum(catalogue.ACTIVE, provider=name),
        attempts=attempts,
        failed=attempts - good - given_up,
        retries=between.rate(catalogue.RETRIES, provider=name),
        tokens_per_second=sum(speeds) / len(speeds) if speeds else None,
        traffic=between.traffic(provider=name),
    )


def _models(between: Between) -> list[tuple[str, Traffic]]:
    """Those that were called, the busiest first."""
    found = [(name, between.traffic(model=name)) for name in between.after.page.values(catalogue.REQUESTS, "model")]
    return sorted((row for row in found if row[1].calls), key=lambda row: -row[1].calls)


def _tenant(between: Between, name: str) -> TenantView:
    return TenantView(
        name=name,
        calls=between.rate(catalogue.TENANT_REQUESTS, tenant=name),
        tokens=between.rate(catalogue.TENANT_TOKENS, tenant=name),
        usd=between.rate(catalogue.TENANT_COST, tenant=name) * HOUR,
        refused=between.rate(catalogue.RATE_LIMIT_HITS, tenant=name),
    )
