"""A worker's beginning: the parts of the process, the gateway that the configuration describes, the application."""

from __future__ import annotations

from flask import Flask

from app import gateway, logs
from app.config.settings import Settings
from app.core.clock import SystemClock
from app.factory import create_app
from app.gateway import Gateway, Process
from app.instance import member, system
from app.instance.drain import Drain
from app.metrics.meter import Meter
from app.metrics.registry import Metrics
from app.resilience.budget import RetryBudget
from app.resilience.records import Records
from app.upstream.watch import Watch
from app.web.current import Current
from app.web.ops import Instance


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

    def build(settings: Settings) -> Gateway:
        logger = logs.configure(settings.logging.level, settings.logging.format)
        return gateway.build(settings, Process(meter, logs.CallLog(logger), watch, records, budget, system.poll, clock))

    def swap(settings: Settings, hash_: str) -> None:
        current.gateway = build(settings)
        metrics.in_force(hash_)

    current = Current(build(settings))
    metrics.in_force(hash_)
    watch.start()
    drain = Drain(here.slot, lambda: current.gateway.settings.server.drain, watch.close)
    here.watch(swap, records.catch_up, drain.look)
    return create_app(current, Instance(here.relay, here.trouble, here.draining))
