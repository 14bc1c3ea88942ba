"""Public model names to routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.core.call import Fallbacks, Rescue, Route, Target, Tenant, Timeouts
from app.core.errors import ErrorType, GatewayError
from app.core.provider import Provider
from app.core.quoting import quoted

SHOWN = 20  # names that an error lists at most


@dataclass(frozen=True, slots=True)
class Instead:
    """Names of models, as `fallbacks` has them."""

    any: Sequence[str] = ()
    context_length: Sequence[str] = ()
    content_filter: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One configured model: its route, and by name whom to ask instead.

    A name with a trailing * is a pattern; its targets may end in * too, and then take over what the pattern's * stood
    for.
    """

    route: Route
    instead: Instead = field(default_factory=Instead)

    @property
    def name(self) -> str:
        return self.route.model


class RouteTable:
    """Exact names first, then the longest pattern, then `provider/model` as far as that provider offers it."""

    def __init__(
        self,
        entries: Sequence[Entry],
        providers: Mapping[str, Provider],
        timeouts: Mapping[str, Timeouts],
        rescue: Rescue = Rescue.AUTO,
    ) -> None:
        """`timeouts` (by provider) and `rescue` are for models that no entry names."""
        self._providers = providers
        self._timeouts = timeouts
        self._rescue = rescue
        self._exact: dict[str, Route] = {}
        self._patterns: list[Route] = []
        for entry in entries:
            if entry.name.endswith("*"):
                self._patterns.append(entry.route)
            else:
                self._exact[entry.name] = entry.route
        self._patterns.sort(key=lambda route: len(route.model), reverse=True)
        for provider in providers.values():
            for model in provider.models:
                name = f"{provider.name}/{model}"
                if model != "*" and name not in self._exact:
                    target = Target(provider, model, timeouts[provider.name], configured=False)
                    self._exact[name] = Route(name, name, (target,), rescue=rescue)
        found = {entry.name: self._fallbacks(entry.instead) for entry in entries}
        self._exact.update({name: replace(route, fallbacks=found.get(name)) for name, route in self._exact.items()})
        self._patterns = [replace(route, fallbacks=found[route.model]) for route in self._patterns]

    def resolve(self, model: str, tenant: Tenant) -> Route:
        """The route of a name that this tenant may use.

        Raises:
            GatewayError: model_not_found, or permission.
        """
        route = None if _climbs(model) else self._find(model)
        if route is None:
            raise GatewayError(ErrorType.MODEL_NOT_FOUND, self._unknown(model, tenant), param="model")
        if not tenant.may_use(model):
            raise GatewayError(ErrorType.PERMISSION, f"this key may not use model {quoted(model)}", param="model")
        return route

    def names(self, tenant: Tenant) -> Sequence[str]:
        """Every name that this tenant may use and that can be listed: patterns stand for names nobody can count."""
        return [name for name in self._exact if tenant.may_use(name)]

    def labels(self) -> Iterable[tuple[str, str]]:
        """(model label, provider) of everything that can be counted."""
        for route in self._exact.values():
            yield from ((route.label, target.provider.name) for target in route.targets)
        for pattern in self._patterns:
            yield from ((pattern.label, target.provider.name) for target in pattern.targets)
        yield from ((f"{p.name}/*", p.name) for p in self._providers.values() if "*" in p.models)

    def _find(self, model: str) -> Route | None:
        if route := self._exact.get(model):
            return route
        for pattern in self._patterns:
            stem = pattern.model[:-1]
            if model.startswith(stem):
                rest = model[len(stem) :]
                return replace(pattern, model=model, targets=tuple(_filled(target, rest) for target in pattern.targets))
        name, slash, upstream = model.partition("/")
        provider = self._providers.get(name)
        if slash and upstream and provider is not None and "*" in provider.models:
            target = Target(provider, upstream, self._timeouts[name], configured=False, counted=False)
            return Route(model, f"{name}/*", (target,), rescue=self._rescue)
        return None

    def _fallbacks(self, instead: Instead) -> Fallbacks | None:
        if not (instead.any or instead.context_length or instead.content_filter):
            return None
        return Fallbacks(
            *(self._known(names) for names in (instead.any, instead.context_length, instead.content_filter))
        )

    def _known(self, names: Sequence[str]) -> tuple[Route, ...]:
        found = (self._find(name) for name in names)
        return tuple(route for route in found if route is not None)

    def _unknown(self, model: str, tenant: Tenant) -> str:
        known = self.names(tenant)
        listed = ", ".join(known[:SHOWN]) + (", ..." if len(known) > SHOWN else "")
        return f"model {quoted(model)} does not exist here" + (f"; there are: {listed}" if known else "")


def _filled(target: Target, rest: str) -> Target:
    return replace(target, model=target.model[:-1] + rest, counted=False) if target.model.endswith("*") else target


def _climbs(model: str) -> bool:
    """Whether it has a part that means another place where a provider has the model in its URLs."""
    return "/." in model and not {".", ".."}.isdisjoint(model.split("/"))
