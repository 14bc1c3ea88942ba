"""Tenants and Cost: who uses how much, what it costs, and how far the figures can be trusted."""

from __future__ import annotations

from monitoring.source.panel import STATUS_COLOURS, USED, Dashboard, Kind, Panel, Row, Unit
from monitoring.source.query import MODELS, PROVIDERS, TENANTS, Query, increase, rate, share, total
from monitoring.source.variables import MODEL, PLACE, PROVIDER, TENANT

_CHOSEN = (PROVIDERS, MODELS)

_TENANTS = Row(
    "Tenants",
    (
        Panel(
            "Requests",
            Kind.STAT,
            Unit.NUMBER,
            "Calls of the tenants chosen, in the time shown.",
            (Query("requests", total(increase("tenant_requests_total", TENANTS))),),
            6,
            4,
        ),
        Panel(
            "Tokens",
            Kind.STAT,
            Unit.NUMBER,
            "Tokens of their prompts and answers, in the time shown.",
            (Query("tokens", total(increase("tenant_tokens_total", TENANTS))),),
            6,
            4,
        ),
        Panel(
            "Cost",
            Kind.STAT,
            Unit.MONEY,
            "Of the tenants chosen, in the time shown, by the prices of the configuration. A rescued stream is paid "
            "once here; what providers bill for it is in Cost by Provider.",
            (Query("USD", total(increase("tenant_cost_usd_total", TENANTS))),),
            6,
            4,
        ),
        Panel(
            "Refused for Limits",
            Kind.STAT,
            Unit.SHARE,
            "Share of their calls that a limit refused.",
            (
                Query(
                    "refused",
                    share("tenant_requests_total", (TENANTS, 'status="rate_limited"'), (TENANTS,)),
                ),
            ),
            6,
            4,
            (("green", None), ("yellow", 0.01), ("red", 0.1)),
            nothing="no traffic",
        ),
        Panel(
            "Top Tenants",
            Kind.TABLE,
            Unit.NUMBER,
            "The twenty with the most calls in the time shown.",
            (
                Query("requests", f"topk(20, {total(increase('tenant_requests_total', TENANTS), 'tenant')})"),
                Query("tokens", total(increase("tenant_tokens_total", TENANTS), "tenant")),
                Query("USD", total(increase("tenant_cost_usd_total", TENANTS), "tenant")),
            ),
            24,
            units={"USD": Unit.MONEY},
            nothing="no tenants",
        ),
        Panel(
            "Requests by Tenant",
            Kind.SERIES,
            Unit.CALLS,
            "Calls a second.",
            (Query("{{tenant}}", total(rate("tenant_requests_total", TENANTS), "tenant")),),
            stacked=True,
        ),
        Panel(
            "Requests by Status",
            Kind.SERIES,
            Unit.CALLS,
            "Of the tenants chosen. Many client_error: somebody's client is wrong.",
            (Query("{{status}}", total(rate("tenant_requests_total", TENANTS), "status")),),
            stacked=True,
            colours=STATUS_COLOURS,
        ),
        Panel(
            "Tokens by Tenant",
            Kind.SERIES,
            Unit.NUMBER,
            "Tokens a second.",
            (Query("{{tenant}} {{type}}", total(rate("tenant_tokens_total", TENANTS), "tenant", "type")),),
            8,
            stacked=True,
        ),
        Panel(
            "Cost by Tenant",
            Kind.SERIES,
            Unit.MONEY,
            "USD an hour.",
            (Query("{{tenant}}", f"3600 * {total(rate('tenant_cost_usd_total', TENANTS), 'tenant')}"),),
            8,
            stacked=True,
        ),
        Panel(
            "Rate Limit Hits",
            Kind.SERIES,
            Unit.EVENTS,
            "Calls that were refused, by which limit. One a second for five minutes is an alert.",
            (
                Query(
                    "{{tenant}} {{limit_type}}",
                    total(rate("rate_limit_hits_total", TENANTS), "tenant", "limit_type"),
                ),
            ),
            8,
            steps=(("green", None), ("red", 1)),
            lined=True,
            nothing="nobody was limited",
        ),
    ),
)

_COST = Row(
    "Cost",
    (
        Panel(
            "Cost by Provider",
            Kind.SERIES,
            Unit.MONEY,
            "USD an hour of everything that providers bill, failed attempts that reported usage included.",
            (Query("{{provider}}", f"3600 * {total(rate('cost_usd_total', *_CHOSEN), 'provider')}"),),
            stacked=True,
            to_provider=True,
        ),
        Panel(
            "Cost by Model",
            Kind.PIE,
            Unit.MONEY,
            "In the time shown.",
            (Query("{{model}}", f"{total(increase('cost_usd_total', *_CHOSEN), 'model')} > 0"),),
            nothing="no prices, or no traffic",
        ),
        Panel(
            "Cost per Million Tokens",
            Kind.SERIES,
            Unit.MONEY,
            "What a million tokens of each model cost on average, as they were really mixed.",
            (
                Query(
                    "{{model}}",
                    f"1e6 * {total(rate('cost_usd_total', *_CHOSEN), 'model')} / "
                    f"({total(rate('tokens_total', *_CHOSEN), 'model')} > 0)",
                ),
            ),
            nothing="no traffic",
        ),
        Panel(
            "Saved by the Cache",
            Kind.SERIES,
            Unit.MONEY,
            "USD an hour that answers out of the cache would have cost.",
            (Query("{{model}}", f"3600 * {total(rate('cache_saved_cost_usd_total', MODELS), 'model')}"),),
            stacked=True,
            nothing="cache idle",
        ),
    ),
)

_TRUST = Row(
    "What the Figures Rest On",
    (
        Panel(
            "Cached and Reasoning Tokens",
            Kind.SERIES,
            Unit.NUMBER,
            "Tokens a second that are part of input or output: read from or written to the provider's cache, or spent"
            " on reasoning.",
            (Query("{{detail}}", total(rate("token_details_total", *_CHOSEN), "detail")),),
            8,
            nothing="none were reported",
        ),
        Panel(
            "Tokens Saved by the Cache",
            Kind.SERIES,
            Unit.NUMBER,
            "Tokens a second that no provider billed, since the gateway had the answer.",
            (Query("{{type}}", total(rate("cache_saved_tokens_total", MODELS), "type")),),
            8,
            stacked=True,
            nothing="cache idle",
        ),
        Panel(
            "Estimated Tokens",
            Kind.SERIES,
            Unit.SHARE,
            "Share of tokens that were estimated from the text, because a stream broke before its usage or the "
            "provider reports none. The higher, the less the cost means.",
            (
                Query(
                    "{{provider}}",
                    f"{total(rate('tokens_estimated_total', *_CHOSEN), 'provider')} / "
                    f"({total(rate('tokens_total', *_CHOSEN), 'provider')} > 0)",
                ),
            ),
            8,
            steps=USED,
            nothing="no traffic",
            to_provider=True,
        ),
        Panel(
            "Calls Without Usage",
            Kind.SERIES,
            Unit.EVENTS,
            "Answers whose provider did not say what they cost.",
            (Query("{{provider}} {{model}}", total(rate("usage_missing_total", *_CHOSEN), "provider", "model")),),
            24,
            6,
            nothing="every answer had its usage",
            to_provider=True,
        ),
    ),
)

TENANTS_AND_COST = Dashboard(
    "llm-gateway-tenants",
    "Tenants and Cost",
    "Who uses the LLM Inference Gateway, what it costs, and how far the figures can be trusted.",
    (*PLACE, PROVIDER, MODEL, TENANT),
    (_TENANTS, _COST, _TRUST),
)
