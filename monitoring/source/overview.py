"""LLM Gateway Overview: is it well, is it fast, what does it cost, and who is to blame."""

from __future__ import annotations

from monitoring.source.overview_calls import REQUESTS, TOKENS
from monitoring.source.overview_inside import INSIDE
from monitoring.source.overview_trouble import ERRORS, HEALTHY, LIMITS
from monitoring.source.panel import (
    ACTIVE,
    ERROR_SHARE,
    FIRST_TOKEN,
    HIT_RATE,
    LATENCY,
    USED,
    Dashboard,
    Kind,
    Panel,
    Row,
    Unit,
)
from monitoring.source.query import (
    ASKED,
    FAILED,
    HITS,
    JUDGED,
    LOOKUPS,
    MODELS,
    PLAIN,
    PROVIDERS,
    Query,
    increase,
    least,
    metric,
    quantile,
    rate,
    share,
    total,
)
from monitoring.source.variables import MODEL, PLACE, PROVIDER, TENANT

_CHOSEN = (PROVIDERS, MODELS)
_SERVED = (PROVIDERS, ASKED, MODELS)  # by a provider: answers out of the cache would hide a slow one
_PLACE = ("cluster", "job", "provider")
_WELL = least(metric("provider_health", PROVIDERS), *_PLACE)
_BURN = (
    f"{total(increase('requests_total', FAILED, over='1h'))} / {total(increase('requests_total', JUDGED, over='1h'))}"
)
_ALERTS = 'ALERTS{alertname=~"LLMGateway.+", alertstate="firing", cluster=~"$cluster"}'

_NOW = Row(
    "Overview",
    (
        Panel(
            "Request Rate",
            Kind.STAT,
            Unit.CALLS,
            "Calls that ended, whatever became of them. Health checks, lists of models and scrapes are not counted.",
            (Query("requests", total(rate("requests_total", *_CHOSEN))),),
            4,
            4,
        ),
        Panel(
            "Error Rate",
            Kind.STAT,
            Unit.SHARE,
            "Share of calls that failed by a provider's fault or ours, after repeats and fallbacks. What callers did "
            "wrong, gave up, or were refused for their limits counts on neither side. Red: see Errors by Type.",
            (Query("errors", share("requests_total", (*_CHOSEN, FAILED), (*_CHOSEN, JUDGED))),),
            4,
            4,
            ERROR_SHARE,
            nothing="no traffic",
        ),
        Panel(
            "P95 Latency",
            Kind.STAT,
            Unit.SECONDS,
            "Plain calls: arrival to last byte, of 19 in 20. Streams are long by nature; Time to First Token watches "
            "them. Red from 10 s, as the alert.",
            (Query("p95", quantile(0.95, "request_duration_seconds", *_SERVED, PLAIN)),),
            4,
            4,
            LATENCY,
            nothing="no traffic",
        ),
        Panel(
            "Active Requests",
            Kind.STAT,
            Unit.NUMBER,
            "Attempts that are running at providers now. Red from 500, as the alert.",
            (Query("active", total(metric("active_requests", PROVIDERS))),),
            4,
            4,
            ACTIVE,
        ),
        Panel(
            "Token Rate",
            Kind.STAT,
            Unit.NUMBER,
            "Tokens a second, of prompts and answers.",
            (Query("tokens/s", total(rate("tokens_total", *_CHOSEN))),),
            4,
            4,
        ),
        Panel(
            "Healthy Provider Count",
            Kind.STAT,
            Unit.NUMBER,
            "Providers that every replica finds well, of those that are configured.",
            (Query("healthy", total(_WELL)), Query("configured", f"count({_WELL})")),
            4,
            4,
            (("red", None), ("green", 1)),
        ),
        Panel(
            "P95 Time to First Token",
            Kind.STAT,
            Unit.SECONDS,
            "Streams: arrival to first content, of 19 in 20. Red from 5 s, as the alert.",
            (Query("p95", quantile(0.95, "ttft_seconds", *_SERVED)),),
            4,
            4,
            FIRST_TOKEN,
            nothing="no streams",
        ),
        Panel(
            "Cache Hit Rate",
            Kind.STAT,
            Unit.SHARE,
            "Share of look-ups that found an answer. Below 30 % the cache costs more than it is worth.",
            (Query("hits", share("cache_operations_total", HITS, LOOKUPS)),),
            4,
            4,
            HIT_RATE,
            nothing="cache idle",
        ),
        Panel(
            "Cost per Hour",
            Kind.STAT,
            Unit.MONEY,
            "At this rate, by the prices of the configuration.",
            (Query("USD/h", f"3600 * {total(rate('cost_usd_total', *_CHOSEN))}"),),
            4,
            4,
        ),
        Panel(
            "Error Budget Burn (1h)",
            Kind.STAT,
            Unit.NUMBER,
            "How much faster than allowed errors come: 1 uses the budget of 30 days (0.5 % of calls) up in 30 days, "
            "14.4 in two.",
            (Query("x budget", f"({_BURN}) / 0.005"),),
            4,
            4,
            (("green", None), ("yellow", 1), ("orange", 6), ("red", 14.4)),
            nothing="no traffic",
        ),
        Panel(
            "Saturation",
            Kind.STAT,
            Unit.SHARE,
            "Calls in the gateway, of those that its workers take at a time (server.max_in_flight). Red: calls will "
            "soon wait, then be refused; add workers or replicas.",
            (Query("used", f"{total(metric('in_flight_requests'))} / {total(metric('worker_capacity'))}"),),
            4,
            4,
            USED,
        ),
        Panel(
            "Firing Alerts",
            Kind.STAT,
            Unit.NUMBER,
            "Alerts about the gateway that fire now. Which: see Alerts.",
            (Query("alerts", f"count({_ALERTS}) or vector(0)"),),
            4,
            4,
            (("green", None), ("red", 1)),
        ),
    ),
)

OVERVIEW = Dashboard(
    "llm-gateway-overview",
    "LLM Gateway Overview",
    "Requests, latency, tokens, providers, cache, limits and errors of the LLM Inference Gateway.",
    (*PLACE, PROVIDER, MODEL, TENANT),
    (_NOW, REQUESTS, TOKENS, HEALTHY, LIMITS, ERRORS, INSIDE),
)
