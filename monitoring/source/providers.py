"""Provider Details: one provider, by model."""

from __future__ import annotations

from monitoring.source.panel import (
    ACTIVE,
    BREAKER,
    ERROR_SHARE,
    HEALTH,
    LATENCY,
    SPEED,
    STATUS_COLOURS,
    Dashboard,
    Kind,
    Panel,
    Row,
    Unit,
)
from monitoring.source.providers_trouble import ERRORS
from monitoring.source.query import (
    FAILED,
    JUDGED,
    MODELS,
    PLAIN,
    STREAMED,
    THE_PROVIDER,
    Query,
    increase,
    least,
    mean,
    metric,
    most,
    quantile,
    rate,
    share,
    total,
)
from monitoring.source.variables import MODEL, ONE_PROVIDER, PLACE

_CHOSEN = (THE_PROVIDER, MODELS)
_BY_MODEL = ("model",)

_NOW = Row(
    "Provider",
    (
        Panel(
            "Health Status",
            Kind.STAT,
            Unit.STATE,
            "Unhealthy: two free probes in a row failed, its key was refused, or the breaker of every target is open,"
            " on any replica.",
            (Query("health", least(metric("provider_health", THE_PROVIDER))),),
            4,
            4,
            states=HEALTH,
        ),
        Panel(
            "Circuit Breaker",
            Kind.STAT,
            Unit.STATE,
            "Open: none of its targets is asked. Half-open: one call is let through to see.",
            (Query("breaker", most(metric("circuit_breaker_state", THE_PROVIDER))),),
            4,
            4,
            states=BREAKER,
        ),
        Panel(
            "Request Rate",
            Kind.STAT,
            Unit.CALLS,
            "Calls that ended here.",
            (Query("requests", total(rate("requests_total", *_CHOSEN))),),
            4,
            4,
        ),
        Panel(
            "Error Rate",
            Kind.STAT,
            Unit.SHARE,
            "Share of calls that ended here and failed. What a fallback then served elsewhere is not among them: see "
            "Attempt Outcomes.",
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
            "Plain calls, arrival to last byte.",
            (Query("p95", quantile(0.95, "request_duration_seconds", *_CHOSEN, PLAIN)),),
            4,
            4,
            LATENCY,
            nothing="no traffic",
        ),
        Panel(
            "Active Requests",
            Kind.STAT,
            Unit.NUMBER,
            "Attempts that are running here now.",
            (Query("active", total(metric("active_requests", THE_PROVIDER))),),
            4,
            4,
            ACTIVE,
        ),
    ),
)

_REQUESTS = Row(
    "Request Metrics",
    (
        Panel(
            "Request Rate by Model",
            Kind.SERIES,
            Unit.CALLS,
            "By the model's name in the configuration.",
            (Query("{{model}}", total(rate("requests_total", *_CHOSEN), "model")),),
            stacked=True,
        ),
        Panel(
            "Latency by Model",
            Kind.SERIES,
            Unit.SECONDS,
            "Plain calls, arrival to last byte. One model above the others: route around it.",
            (
                Query("{{model}} p50", quantile(0.5, "request_duration_seconds", *_CHOSEN, PLAIN, by=_BY_MODEL)),
                Query("{{model}} p95", quantile(0.95, "request_duration_seconds", *_CHOSEN, PLAIN, by=_BY_MODEL)),
                Query("{{model}} p99", quantile(0.99, "request_duration_seconds", *_CHOSEN, PLAIN, by=_BY_MODEL)),
            ),
            steps=(("green", None), ("orange", 10), ("red", 30)),
            lined=True,
            nothing="no plain calls",
        ),
        Panel(
            "Requests by Status",
            Kind.BARS,
            Unit.NUMBER,
            "Calls that ended here in the time shown.",
            (Query("{{status}}", total(increase("requests_total", *_CHOSEN), "status")),),
            colours=STATUS_COLOURS,
        ),
        Panel(
            "Latency Heatmap",
            Kind.HEATMAP,
            Unit.SECONDS,
            "All calls that ended here, by how long they took.",
            (
                Query(
                    "{{le}}",
                    total(increase("request_duration_seconds_bucket", *_CHOSEN, over="$__rate_interval"), "le"),
                ),
            ),
        ),
        Panel(
            "Upstream vs Client Latency (p95)",
            Kind.SERIES,
            Unit.SECONDS,
            "What one attempt takes here, and what the client waits. The gap is repeats, fallbacks and the gateway.",
            (
                Query("client", quantile(0.95, "request_duration_seconds", *_CHOSEN)),
                Query("upstream attempt", quantile(0.95, "upstream_duration_seconds", *_CHOSEN)),
            ),
        ),
        Panel(
            "Streaming Share",
            Kind.SERIES,
            Unit.SHARE,
            "Share of calls that asked for a stream.",
            (Query("streams", share("requests_total", (*_CHOSEN, STREAMED), _CHOSEN)),),
            nothing="no traffic",
        ),
    ),
)

_TOKENS = Row(
    "Token Metrics",
    (
        Panel(
            "Tokens by Model and Type",
            Kind.SERIES,
            Unit.NUMBER,
            "Tokens a second, as the provider bills them.",
            (Query("{{model}} {{type}}", total(rate("tokens_total", *_CHOSEN), "model", "type")),),
            stacked=True,
        ),
        Panel(
            "Time to First Token (TTFT) by Model",
            Kind.SERIES,
            Unit.SECONDS,
            "Streams: arrival to first content; and of the provider's own part of it, from the attempt's start. The "
            "line at 5 s is the alert's.",
            (
                Query("{{model}} p50", quantile(0.5, "ttft_seconds", *_CHOSEN, by=_BY_MODEL)),
                Query("{{model}} p95", quantile(0.95, "ttft_seconds", *_CHOSEN, by=_BY_MODEL)),
                Query("{{model}} upstream p95", quantile(0.95, "upstream_ttft_seconds", *_CHOSEN, by=_BY_MODEL)),
            ),
            steps=(("green", None), ("red", 5)),
            lined=True,
            nothing="no streams",
        ),
        Panel(
            "Tokens Per Second by Model",
            Kind.SERIES,
            Unit.NUMBER,
            "What one stream gets, on average over the last minute. The line at 10 is the alert's.",
            (Query("{{model}}", mean(f"{metric('tokens_per_second', *_CHOSEN)} > 0", "model")),),
            8,
            steps=SPEED,
            lined=True,
            nothing="no streams",
        ),
        Panel(
            "Tokens Streamed",
            Kind.SERIES,
            Unit.NUMBER,
            "Output tokens a second of all its streams together, and how many streams were generating on average.",
            (
                Query("{{model}} tokens/s", total(rate("stream_output_tokens_total", *_CHOSEN), "model")),
                Query("{{model}} streams", total(rate("stream_generation_seconds_total", *_CHOSEN), "model")),
            ),
            8,
            nothing="no streams",
        ),
        Panel(
            "Cost Rate by Model",
            Kind.SERIES,
            Unit.MONEY,
            "USD an hour, by the prices of the configuration.",
            (Query("{{model}}", f"3600 * {total(rate('cost_usd_total', *_CHOSEN), 'model')}"),),
            8,
            stacked=True,
        ),
    ),
)

PROVIDERS = Dashboard(
    "llm-gateway-providers",
    "Provider Details",
    "One provider of the LLM Inference Gateway: health, breaker, requests, latency and tokens by model, errors.",
    (*PLACE, ONE_PROVIDER, MODEL),
    (_NOW, _REQUESTS, _TOKENS, ERRORS),
)
