"""When a configuration may come into force: it has no errors, and it fits the addresses that this instance serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.config.load import settings_of
from app.config.problems import ConfigError, Problem
from app.config.settings import Settings
from app.config.sources import Sources
from app.core import json
from app.instance.environment import Address, is_loopback
from app.instance.rundir import RunDir


def accept(sources: Sources, environ: Mapping[str, str], listeners: Sequence[str], metrics: Address) -> Settings:
    """Raises ConfigError. `listeners`: the addresses that are bound, `unix` for a socket that has none."""
    settings = settings_of(sources, environ)
    problems = exposed(settings, listeners, metrics)
    if problems:
        raise ConfigError(problems, sources.origin)
    return settings


def exposed(settings: Settings, listeners: Sequence[str], metrics: Address) -> list[Problem]:
    """What others than this machine could reach though nothing protects it."""
    problems = []
    public = sorted(at for at in listeners if at != "unix" and not is_loopback(at))
    if public and not settings.tenants and not settings.server.open:
        message = (
            f"without any, only this machine may be served, but {', '.join(public)} is bound; "
            "name tenants, bind 127.0.0.1, or set server.open: true"
        )
        problems.append(Problem(("tenants",), message))
    if settings.metrics.token is None and not settings.metrics.open and not metrics.is_loopback:
        message = (
            f"expected one, since GATEWAY_METRICS_BIND ({metrics}) is not this machine alone; "
            "set it, bind 127.0.0.1, or set metrics.open: true"
        )
        problems.append(Problem(("metrics", "token"), message))
    return problems


def listeners(run_dir: RunDir) -> list[str]:
    """What the master has bound. Raises OSError if there is no master."""
    return [str(at) for at in json.loads(run_dir.listeners.read_bytes())]
