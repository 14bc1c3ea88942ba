"""Routes and limits as the configuration has them, for whoever keeps to them and for whoever explains them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from app.config.settings import Settings
from app.config.tenant import LimitsS
from app.core.call import Rescue, Route, Strategy, Target, Timeouts
from app.core.provider import Provider
from app.core.usage import Price
from app.limits.limits import Allowance, Allowed
from app.routing.table import Entry, Instead, RouteTable


def routes(settings: Settings, providers: Mapping[str, Provider]) -> RouteTable:
    """Every name that clients may use, and where it leads."""
    timeouts = {name: _timeouts(settings, name) for name in providers}
    rescue = Rescue(settings.resilience.stream_rescue)
    return RouteTable(list(_entries(settings, providers)), providers, timeouts, rescue)


def allowed(settings: Settings) -> dict[str, Allowed]:
    """What each tenant may use."""
    default = settings.limits.default
    return {
        name: Allowed(
            _allowance(tenant.limits.over(default)),
            {model: _allowance(limits) for model, limits in tenant.model_limits.items()},
        )
        for name, tenant in settings.tenants.items()
    }


def allowed_by_default(settings: Settings) -> Allowed:
    return Allowed(_allowance(settings.limits.default))


def _timeouts(settings: Settings, provider: str, model: str | None = None) -> Timeouts:
    return replace(settings.timeouts_of(provider, model), first_byte_plain=settings.plain_first_byte(provider, model))


def _entries(settings: Settings, providers: Mapping[str, Provider]) -> Iterator[Entry]:
    for name, model in settings.models.items():
        targets = tuple(
            Target(
                providers[target.provider],
                target.model,
                _timeouts(settings, target.provider, name),
                weight=target.weight,
                prefill=target.prefill,
                price=Price(model.price.input, model.price.cached_input, model.price.output),
                context=model.context,
                max_output=model.max_output,
            )
            for target in model.targets
        )
        rescue = Rescue(model.stream_rescue or settings.resilience.stream_rescue)
        route = Route(name, name, targets, Strategy(model.strategy), rescue, model.vision, model.tools)
        instead = model.fallbacks
        yield Entry(route, Instead(instead.any, instead.context_length, instead.content_filter))


def _allowance(limits: LimitsS) -> Allowance:
    return Allowance(limits.requests_per_minute, limits.tokens_per_minute, limits.concurrent)
