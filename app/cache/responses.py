"""The cache as a configuration has it: for which calls it is there, and what all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.cache.generations import EVERYBODY
from app.cache.key import key_of, may_keep
from app.cache.parts import Parts, Terms
from app.cache.visit import Cached, Visit
from app.core.call import Call, Route
from app.core.exchange import Exchange
from app.store.store import Store


@dataclass(frozen=True, slots=True)
class Rules:
    """Of one model. `ttl` in seconds, 0: nothing is kept. `shared`: tenants are given one another's answers."""

    ttl: int = 0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """`max_bytes` of an answer; `jitter`: the share of its ttl that one may live shorter, so as not to end together."""

    max_bytes: int = 900_000
    jitter: float = 0.1


class ResponseCache:
    def __init__(
        self, parts: Parts, rules: Mapping[str, Rules], default: Rules | None = None, bounds: Bounds | None = None
    ) -> None:
        """`rules`: by the route's label; the others have the default."""
        self._parts = parts
        self._rules = rules
        self._default = default or Rules()
        self._bounds = bounds or Bounds()

    def visit(self, call: Call, route: Route, exchange: Exchange, store: Store) -> Cached:
        """To be joined to the exchange, whose end it must hear of. `store`: the call's."""
        rules = self._rules.get(route.label, self._default)
        if not rules.ttl or not call.keeping.write or not may_keep(call):
            return Cached()
        if call.stream and call.language.replay() is None:
            return Cached()
        ttl = rules.ttl if call.keeping.ttl is None else min(rules.ttl, call.keeping.ttl)
        owner = None if rules.shared else call.tenant.name
        known = [self._parts.generations.current(store, whose) for whose in (EVERYBODY, owner)]
        key = key_of(call, route, [each or b"" for each in known], shared=rules.shared)
        terms = Terms(store, key, ttl, self._bounds.jitter, self._bounds.max_bytes, reachable=None not in known)
        return Visit(self._parts, terms, call, route, exchange)
