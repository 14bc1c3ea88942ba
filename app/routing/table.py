"""Public model names to routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.core.call import Route, Target, Tenant, Timeouts
from app.core.errors import ErrorType, GatewayError
from app.core.provider import Provider

SHOWN = 20  # names that an error lists at most


@dataclass(frozen=True, slots=True)
class Entry:
    """One configured model. A name with a trailing * is a pattern; its targets may end in * too, and then take over
    what the pattern's * stood for."""

    name: str
    targets: tuple[Target, ...]


class RouteTable:
    """Exact names first, then the longest pattern, then `provider/model` as far as that provider offers it."""

    def __init__(self, entries: Iterable[Entry], providers: Mapping[str, Provider], timeouts: Mapping[str, Timeouts]):
        """`timeouts`: by provider, for its models that no entry names."""
        self._providers = providers
        self._timeouts = timeouts
        self._exact: dict[str, Route] = {}
        self._patterns: list[Entry] = []
        for entry in entries:
            if entry.name.endswith("*"):
                self._patterns.append(entry)
            else:
                self._exact[entry.name] = Route(entry.name, entry.name, entry.targets)
        self._patterns.sort(key=lambda entry: len(entry.name), reverse=True)
        for provider in providers.values():
            for model in provider.models:
                name = f"{provider.name}/{model}"
                if model != "*" and name not in self._exact:
                    self._exact[name] = Route(name, name, (Target(provider, model, timeouts[provider.name], False),))

    def resolve(self, model: str, tenant: Tenant) -> Route:
        """The route of a name that this tenant may use.

        Raises:
            GatewayError: model_not_found, or permission.
        """
        route = self._find(model)
        if route is None:
            raise GatewayError(ErrorType.MODEL_NOT_FOUND, self._unknown(model, tenant), param="model")
        if not tenant.may_use(model):
            raise GatewayError(ErrorType.PERMISSION, f"this key may not use model {_shown(model)}", param="model")
        return route

    def names(self, tenant: Tenant) -> Sequence[str]:
        """Every name that this tenant may use and that can be listed: patterns stand for names nobody can count."""
        return [name for name in self._exact if tenant.may_use(name)]

    def labels(self) -> Iterable[tuple[str, str]]:
        """(model label, provider) of everything that can be counted."""
        for route in self._exact.values():
            yield from ((route.label, target.provider.name) for target in route.targets)
        for entry in self._patterns:
            yield from ((entry.name, target.provider.name) for target in entry.targets)
        yield from ((f"{p.name}/*", p.name) for p in self._providers.values() if "*" in p.models)

    def _find(self, model: str) -> Route | None:
        if route := self._exact.get(model):
            return route
        for entry in self._patterns:
            stem = entry.name[:-1]
            if model.startswith(stem):
                return Route(model, entry.name, tuple(_filled(target, model[len(stem) :]) for target in entry.targets))
        name, slash, upstream = model.partition("/")
        provider = self._providers.get(name)
        if slash and upstream and provider is not None and "*" in provider.models:
            return Route(model, f"{name}/*", (Target(provider, upstream, self._timeouts[name], False),))
        return None

    def _unknown(self, model: str, tenant: Tenant) -> str:
        known = self.names(tenant)
        listed = ", ".join(known[:SHOWN]) + (", ..." if len(known) > SHOWN else "")
        return f"model {_shown(model)} does not exist here" + (f"; there are: {listed}" if known else "")


def _filled(target: Target, rest: str) -> Target:
    return replace(target, model=target.model[:-1] + rest) if target.model.endswith("*") else target


def _shown(model: str) -> str:
    """A stranger's string, short enough and quoted, for an error message."""
    return repr(model if len(model) <= 100 else model[:100] + "...")
