"""The journey of a call, top to bottom."""

from __future__ import annotations

from app.core.call import Call
from app.core.exchange import Exchange, Reply
from app.gateway import Gateway
from app.routing import hold


def answer(gateway: Gateway, call: Call) -> Reply:
    """Carry one call from the front door to a provider and back. This function is the gateway.

    Raises:
        GatewayError: and nothing else; each step's refusals stand beside it. The exchange has ended by then.
    """
    with Exchange(call, gateway.clock) as exchange:
        exchange.join(gateway.calls.entry(call))
        exchange.join(gateway.meter.follow(call))
        route = gateway.routes.resolve(call.model, call.tenant)  # model_not_found, permission
        exchange.routed(route)
        batches = hold.begin(gateway.attempts, gateway.watch, call, route, exchange)  # what providers can do
        return exchange.hand_over(batches)
