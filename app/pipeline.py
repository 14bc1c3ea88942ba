"""The journey of a call, top to bottom."""

from __future__ import annotations

from app.core.call import Call
from app.core.exchange import Exchange, Observer, Reply
from app.gateway import Gateway
from app.routing import hold
from app.store.ending import Ending


def answer(gateway: Gateway, call: Call, place: Observer) -> Reply:
    """Carry one call from the front door to a provider and back. This function is the gateway.

    `place` is what the call takes up in this worker.

    Raises:
        GatewayError: and nothing else; each step's refusals stand beside it. The exchange has ended by then.
    """
    store = gateway.store.for_call()
    with Exchange(call, gateway.clock) as exchange:
        exchange.join(place)
        exchange.join(gateway.calls.entry(call, store))
        exchange.join(Ending(store))
        exchange.join(gateway.meter.follow(call))
        route = gateway.routes.resolve(call.model, call.tenant)  # model_not_found, permission
        exchange.routed(route)
        visit = exchange.join(gateway.cache.visit(call, route, exchange, store))  # looks soon: with what limits ask
        gateway.limits.admit(call, route, exchange, store)  # rate_limited
        if (kept := visit.fetch()) is not None:
            return exchange.hand_over(kept)
        batches = hold.begin(gateway.attempts, gateway.watch, call, route, exchange)  # what providers can do
        return exchange.hand_over(visit.keep(batches))
