"""The overview's rows about what can go wrong: providers, cache, limits, errors."""

from __future__ import annotations

from monitoring.source.panel import (
    BREAKER,
    HEALTH,
    Kind,
    Panel,
    Row,
    Unit,
)
from monitoring.source.query import (
    FAILED,
    JUDGED,
    MODELS,
    PROVIDERS,
    TENANTS,
    Query,
    increase,
    least,
    metric,
    most,
    rate,
    share,
    total,
)

_CHOSEN = (PROVIDERS, MODELS)
_ALERTS = 'ALERTS{alertname=~"LLMGateway.+", alertstate="firing", cluster=~"$cluster"}'

HEALTHY = Row(
    "Provider Health & Resilience",
    (
        Panel(
            "Provider Health Timeline",
            Kind.STATES,
            Unit.STATE,
            "Unhealthy: two free probes in a row failed, the key was refused, or the breaker of every target is open,"
            " on any replica.",
            (Query("{{provider}}", least(metric("provider_health", PROVIDERS), "provider")),),
            height=7,
            states=HEALTH,
        ),
        Panel(
            "Circuit Breaker States",
            Kind.STATES,
            Unit.STATE,
            "Open: no target of the provider is asked. Half-open: one call is let through to see.",
            (Query("{{provider}}", most(metric("circuit_breaker_state", PROVIDERS), "provider")),),
            height=7,
            states=BREAKER,
        ),
        Panel(
            "Retries",
            Kind.SERIES,
            Unit.EVENTS,
            "Attempts at a target that had just failed. A budget keeps them below a fifth of the calls.",
            (Query("{{provider}} {{reason}}", total(rate("retries_total", PROVIDERS), "provider", "reason")),),
            8,
            stacked=True,
            to_provider=True,
        ),
        Panel(
            "Fallbacks",
            Kind.SERIES,
            Unit.EVENTS,
            "Calls that went on to another provider's target, or another target of the same.",
            (
                Query(
                    "{{from_provider}} to {{to_provider}}",
                    total(rate("fallbacks_total"), "from_provider", "to_provider"),
                ),
            ),
            8,
            stacked=True,
        ),
        Panel(
            "Active Requests by Provider",
            Kind.SERIES,
            Unit.NUMBER,
            "Attempts that are running now. The line at 500 is the alert's.",
            (Query("{{provider}}", total(metric("active_requests", PROVIDERS), "provider")),),
            8,
            steps=(("green", None), ("red", 500)),
            lined=True,
            to_provider=True,
        ),
    ),
)

LIMITS = Row(
    "Cache & Rate Limits",
    (
        Panel(
            "Cache Operations",
            Kind.SERIES,
            Unit.EVENTS,
            "get: hit, miss, error; set: ok, skipped, error. Errors: memcached is away, or an entry was not ours.",
            (Query("{{operation}} {{result}}", total(rate("cache_operations_total"), "operation", "result")),),
            colours={"get hit": "green", "get miss": "orange", "get error": "red", "set error": "dark-red"},
            nothing="cache idle",
        ),
        Panel(
            "Rate Limit Hits",
            Kind.SERIES,
            Unit.EVENTS,
            "Calls that were refused for a limit of the configuration, by tenant and by which limit.",
            (
                Query(
                    "{{tenant}} {{limit_type}}",
                    total(rate("rate_limit_hits_total", TENANTS), "tenant", "limit_type"),
                ),
            ),
            nothing="nobody was limited",
        ),
        Panel(
            "memcached",
            Kind.STATES,
            Unit.STATE,
            "Away: calls go on, nothing is cached, and each worker counts limits for itself.",
            (Query("{{instance}}", least(metric("memcached_up"), "instance")),),
            24,
            4,
            states={0: ("Away", "red"), 1: ("There", "green")},
            nothing="none is configured",
        ),
    ),
)

ERRORS = Row(
    "Errors",
    (
        Panel(
            "Error Rate by Provider",
            Kind.SERIES,
            Unit.SHARE,
            "As Error Rate, by who was asked last. Lines at 5 % and 20 % are those of the alerts.",
            (
                Query(
                    "{{provider}}",
                    share("requests_total", (*_CHOSEN, FAILED), (*_CHOSEN, JUDGED), by=("provider",)),
                ),
            ),
            8,
            steps=(("green", None), ("orange", 0.05), ("red", 0.2)),
            lined=True,
            nothing="no traffic",
            to_provider=True,
        ),
        Panel(
            "Errors by Type",
            Kind.SERIES,
            Unit.EVENTS,
            "Attempts that failed, under the provider that was asked, also where a repeat or a fallback then went "
            "well; `none`: what the gateway refused by itself.",
            (Query("{{provider}} {{error_type}}", total(rate("errors_total", PROVIDERS), "provider", "error_type")),),
            8,
            stacked=True,
            to_provider=True,
        ),
        Panel(
            "Error Mix",
            Kind.PIE,
            Unit.NUMBER,
            "The same, in the time shown.",
            (Query("{{error_type}}", f"{total(increase('errors_total', PROVIDERS), 'error_type')} > 0"),),
            8,
            nothing="no errors",
        ),
        Panel(
            "Alerts",
            Kind.TABLE,
            Unit.NUMBER,
            "What fires now. Each has a runbook of its name.",
            (Query("firing", f"count by (alertname, severity, provider, model, tenant) ({_ALERTS})"),),
            24,
            6,
            nothing="nothing fires",
        ),
    ),
)
