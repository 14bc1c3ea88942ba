"""One model, one tenant: the way of a call, without making it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app import configured, rules
from app.config.settings import Settings
from app.core.call import Route, Strategy, Target, Tenant
from app.core.errors import ErrorType, GatewayError
from app.explain.standing import Standings
from app.limits.headers import Standing
from app.limits.limits import Allowance

Look = Callable[[str, Sequence[tuple[str, Allowance]]], Sequence[tuple[str, Standing]] | None]
"""What is left of these limits of a tenant, each with the model it is of ("" is all); None: nobody can say."""


@dataclass(frozen=True, slots=True)
class Place:
    """A target: `turn` counts those that would be asked, in their order; None: it would be passed over now."""

    target: str
    turn: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Explained:
    model: str
    tenant: str
    refused: GatewayError | None  # and nothing else is known then
    label: str = ""
    order: str = ""
    targets: Sequence[Place] = ()
    fallbacks: Mapping[str, Sequence[tuple[str, Sequence[Place], str]]] = field(default_factory=dict)  # by cause
    sizes: str = ""  # how much the model reads and writes
    rescue: str = ""
    limits: Sequence[tuple[str, Standing]] | None = ()
    cache: str = ""


_ORDERS: Mapping[Strategy, str] = {
    Strategy.PRIORITY: "in this order",
    Strategy.WEIGHTED: "drawn by weight for each call; this is the order of their weights",
    Strategy.LEAST_BUSY: "whichever has fewest calls in the worker, by weight; this is the order of the file",
}


def explain(settings: Settings, standings: Standings, look: Look, model: str, tenant: Tenant) -> Explained:
    providers = configured.providers(settings)
    try:
        route = rules.routes(settings, providers).resolve(model, tenant)
    except GatewayError as error:
        return Explained(model, tenant.name, error)
    allowed = rules.allowed(settings).get(tenant.name, rules.allowed_by_default(settings)).of(route.model)
    return Explained(
        model=model,
        tenant=tenant.name,
        refused=None,
        label=route.label,
        order=_ORDERS[route.strategy] if len(route.targets) > 1 else "",
        targets=list(_places(route, standings)),
        fallbacks=dict(_fallbacks(route, tenant, standings)),
        sizes=_sizes(route),
        rescue=_rescue(route),
        limits=look(tenant.name, allowed) if allowed else (),
        cache=_cache(settings, route),
    )


def _places(route: Route, standings: Standings) -> Iterator[Place]:
    targets: Sequence[Target] = route.targets
    if route.strategy is Strategy.WEIGHTED:
        targets = sorted(targets, key=lambda target: -target.weight)
    turn = 0
    for target in targets:
        is_asked, why = standings.of(target.provider.name, target.key)
        turn += is_asked
        weight = f", weight {target.weight}" if route.strategy is not Strategy.PRIORITY else ""
        yield Place(target.name, turn if is_asked else None, why + weight)


def _fallbacks(
    route: Route, tenant: Tenant, standings: Standings
) -> Iterator[tuple[str, Sequence[tuple[str, Sequence[Place], str]]]]:
    if route.fallbacks is None:
        return
    causes = {
        "any": route.fallbacks.any,
        ErrorType.CONTEXT_LENGTH: route.fallbacks.context_length,
        ErrorType.CONTENT_FILTER: route.fallbacks.content_filter,
    }
    for cause, others in causes.items():
        if others:
            yield str(cause), [_fallback(other, tenant, standings) for other in others]


def _fallback(other: Route, tenant: Tenant, standings: Standings) -> tuple[str, Sequence[Place], str]:
    if not tenant.may_use(other.model):
        return other.model, (), f"never: {tenant.name} may not use it"
    lacks = [what for what, can in (("images", other.vision), ("tools", other.tools)) if not can]
    said = [f"not for calls with {' or '.join(lacks)}" if lacks else "", _sizes(other)]
    return other.model, list(_places(other, standings)), "; ".join(filter(None, said))


def _sizes(route: Route) -> str:
    """Of the model, so the same for its targets; empty where nothing is known."""
    known = route.targets[0]
    said = (
        f"reads {known.context} tokens at most" if known.context is not None else "",
        f"writes {known.max_output} tokens at most" if known.max_output is not None else "",
    )
    return ", ".join(filter(None, said))


def _rescue(route: Route) -> str:
    goers = [target.name for target in route.targets if target.prefill]
    return f"{route.rescue}" + (f"; {', '.join(goers)} can continue a stream" if goers else "")


def _cache(settings: Settings, route: Route) -> str:
    entry = settings.models.get(route.label)
    ttl = settings.cache.ttl if entry is None or entry.cache.ttl is None else entry.cache.ttl
    if not ttl:
        return "off"
    whose = "any tenant" if entry is not None and entry.cache.shared else "this tenant"
    where = "memcached" if settings.memcached.servers else "each worker for itself"
    return f"an answer that {whose} was given within {ttl} s is given again; kept by {where}"
