"""A worker's beginning: the parts of the process, the gateway that the configuration describes, the application."""

from __future__ import annotations

import logging

from flask import Flask

from app import gateway, logs
from app.cache.flights import Flights
from app.config.settings import Settings
from app.core.clock import SystemClock
from app.factory import create_app
from app.gateway import Gateway, Process
from app.instance import member, memory, sink, system
from app.instance.drain import Drain
from app.instance.memory import Memory
from app.limits.limits import Books
from app.metrics.meter import Meter
from app.metrics.registry import Metrics
from app.resilience.budget import RetryBudget
from app.resilience.records import Records
from app.store.store import Store
from app.store.stores import Stores
from app.upstream.watch import Watch
from app.web.current import Current
from app.web.doors import Doors
from app.web.ops import Instance

log = logging.getLogger(__name__)


def start() -> Flask:
    """What gunicorn serves. Called once in each worker, after its slot was taken."""
    here = member.attach()
    settings, hash_ = here.configuration()
    metrics = Metrics(here.slot.make_room)
    clock = SystemClock()
    watch = Watch(clock, system.poll())
    meter = Meter(metrics)
    records = Records(here.run_dir.breakers, clock)
    budget = RetryBudget(clock)
    stores = Stores(clock)
    books, flights = Books(clock), Flights(clock)

    def build(settings: Settings) -> Gateway:
        logger = logs.configure(settings.logging.level, settings.logging.format)
        store = _store(stores, settings)
        calls = logs.CallLog(logger)
        process = Process(meter, calls, watch, records, budget, system.poll, store, books, flights, here.workers, clock)
        return gateway.build(here.fitted(settings), process)

    def swap(settings: Settings, hash_: str) -> None:
        current.gateway = build(settings)
        metrics.in_force(hash_)

    def agree() -> None:
        """With the other workers and replicas, about what has been counted."""
        store = current.gateway.store
        if store.is_shared:
            store.look()
            metrics.memcached_up().set(not store.gone())
            books.tick(store)
            flights.claims.renew(store)

    current = Current(build(settings))
    metrics.in_force(hash_)
    watch.start()
    drain = Drain(here.slot, lambda: current.gateway.settings.server.drain, watch.close)
    doors = Doors()

    def count() -> None:
        metrics.inside(doors.calls, current.gateway.settings.server.max_in_flight)
        metrics.lines_lost(sink.lost())

    size = Memory(here.run_dir.memory, here.workers, int(memory.SHARE * memory.available()) // here.workers)
    here.watch(swap, records.catch_up, drain.look, size.look, agree, count)
    return create_app(current, Instance(here.relay, here.trouble, here.draining, here.homeless), doors)


def _store(stores: Stores, settings: Settings) -> Store:
    given = settings.memcached
    store = stores.of(given.servers, given.counters, given.connect_timeout, given.timeout, given.pool)
    if not store.is_shared and settings.has_shared_state:
        log.warning("no memcached.servers: limits are divided among the workers, and each keeps its answers to itself")
    return store
