"""The built parts, and the only place where they meet."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app import configured, rules
from app.cache.entry import UNSIGNED, Seal
from app.cache.flights import Flights
from app.cache.generations import Generations
from app.cache.parts import Parts
from app.cache.responses import Bounds, ResponseCache, Rules
from app.cache.shelf import Shelf
from app.config.settings import Settings
from app.core.clock import Clock
from app.core.provider import Provider
from app.limits.limits import Books, Limits
from app.logs import CallLog
from app.metrics.meter import Meter
from app.resilience.breaker import Breakers
from app.resilience.budget import RetryBudget
from app.resilience.records import Records
from app.resilience.repeat import Repeating
from app.resilience.standing import Circuit
from app.resilience.state import Breaking
from app.routing.asking import Asker
from app.routing.attempts import Attempts, Policy
from app.routing.entrance import Entrance
from app.routing.places import Places
from app.routing.table import RouteTable
from app.store.store import Store
from app.tenants import ANONYMOUS, Tenants
from app.upstream.answer import Transport
from app.upstream.client import HttpTransport
from app.upstream.faults import Faults
from app.upstream.simulated import Pace, SimulatedTransport
from app.upstream.watch import Poll, Watch


@dataclass(frozen=True, slots=True)
class Process:
    """What a worker has for all its life, whatever the configuration."""

    meter: Meter
    calls: CallLog
    watch: Watch
    records: Records
    budget: RetryBudget
    poll: Callable[[], Poll]
    store: Store
    books: Books
    flights: Flights
    workers: int
    clock: Clock


@dataclass(frozen=True, slots=True)
class Gateway:
    """One configuration, built. Swapped as a whole when the file changes; calls in flight keep what they began with."""

    settings: Settings
    tenants: Tenants
    routes: RouteTable
    cache: ResponseCache
    attempts: Attempts
    watch: Watch
    meter: Meter
    calls: CallLog
    store: Store
    limits: Limits
    clock: Clock


def build(settings: Settings, process: Process) -> Gateway:
    """Make the parts that a configuration describes, around those of the process that outlive it."""
    providers = configured.providers(settings)
    routes = rules.routes(settings, providers)
    process.meter.expect(routes.labels(), settings.tenants or (ANONYMOUS.name,))
    for provider in providers.values():
        if provider.credentials is not None:
            provider.credentials.prepare()
    return Gateway(
        settings=settings,
        tenants=Tenants(settings.tenants),
        routes=routes,
        cache=_cache(settings, process),
        attempts=Attempts(
            Asker(_transports(settings, process), process.watch, process.clock),
            Entrance(_breakers(settings, providers, process), Places(_places(settings))),
            process.budget,
            Policy(
                Repeating(settings.resilience.retries, settings.resilience.rate_limit_wait),
                settings.resilience.max_attempts,
            ),
            process.clock,
        ),
        watch=process.watch,
        meter=process.meter,
        calls=process.calls,
        store=process.store,
        limits=_limits(settings, process),
        clock=process.clock,
    )


def _cache(settings: Settings, process: Process) -> ResponseCache:
    given, clock = settings.cache, process.clock
    seal = Seal([secret.get_secret_value().encode() for secret in given.secret or ()] or [UNSIGNED])
    shelf = Shelf(seal, clock, process.meter.cache)
    parts = Parts(shelf, Generations(seal, clock), process.flights, process.watch, clock)
    models = {
        name: Rules(given.ttl if model.cache.ttl is None else model.cache.ttl, model.cache.shared)
        for name, model in settings.models.items()
    }
    return ResponseCache(parts, models, Rules(given.ttl), Bounds(given.max_bytes, given.jitter))


def _breakers(settings: Settings, providers: Mapping[str, Provider], process: Process) -> Breakers:
    given = settings.resilience.breaker
    policy = Breaking(
        window=given.window,
        min_calls=given.min_calls,
        failure_ratio=given.failure_ratio,
        consecutive=given.consecutive,
        open=given.open,
        open_max=given.open_max,
        successes=given.successes,
    )

    def told(provider: str, circuit: Circuit) -> None:
        process.meter.turned(provider, circuit.name.lower())

    return Breakers(process.records, policy, process.clock, configured.credentials(providers), told=told)


def _limits(settings: Settings, process: Process) -> Limits:
    return Limits(
        tenants=rules.allowed(settings),
        default=rules.allowed_by_default(settings),
        processes=process.workers * settings.limits.replicas,
        hit=process.meter.limited,
        books=process.books,
        clock=process.clock,
    )


def _places(settings: Settings) -> dict[str, int]:
    """Calls at a time, by provider: where there are several, none may take every place of a worker."""
    all_ = settings.server.max_in_flight
    most = max(1, all_ * 4 // 5) if len(settings.providers) > 1 else all_
    return {name: given.max_in_flight or most for name, given in settings.providers.items()}


def _transports(settings: Settings, process: Process) -> dict[str, Transport]:
    http = HttpTransport(process.poll)
    transports: dict[str, Transport] = {}
    for name, given in settings.providers.items():
        if given.kind == "simulated":
            transports[name] = SimulatedTransport(
                Pace(given.latency, given.tokens_per_second, given.words),
                Faults(given.faults, random.random),
                process.clock,
            )
        else:
            transports[name] = http
    return transports
