"""The overview's rows about calls and their tokens."""

from __future__ import annotations

from monitoring.source.panel import (
    SPEED,
    STATUS_COLOURS,
    Kind,
    Panel,
    Row,
    Unit,
)
from monitoring.source.query import (
    ASKED,
    MODELS,
    PLAIN,
    PROVIDERS,
    STREAMED,
    Query,
    increase,
    mean,
    metric,
    quantile,
    quantiles,
    rate,
    total,
)

_CHOSEN = (PROVIDERS, MODELS)
_SERVED = (PROVIDERS, ASKED, MODELS)  # by a provider: answers out of the cache would hide a slow one

REQUESTS = Row(
    "Request Metrics",
    (
        Panel(
            "Request Rate by Provider",
            Kind.SERIES,
            Unit.CALLS,
            "By who answered. `cache`: nobody had to; `none`: refused before there was anybody to ask.",
            (Query("{{provider}}", total(rate("requests_total", *_CHOSEN), "provider")),),
            stacked=True,
            to_provider=True,
        ),
        Panel(
            "Request Rate by Model",
            Kind.SERIES,
            Unit.CALLS,
            "By the model's name in the configuration. `other`: names that it does not know.",
            (Query("{{model}}", total(rate("requests_total", *_CHOSEN), "model")),),
            stacked=True,
        ),
        Panel(
            "Latency Percentiles",
            Kind.SERIES,
            Unit.SECONDS,
            "Plain calls that a provider answered, arrival to last byte. Lines at 10 s (alert on p95) and 30 s (p99).",
            quantiles("request_duration_seconds", *_SERVED, PLAIN),
            steps=(("green", None), ("orange", 10), ("red", 30)),
            lined=True,
        ),
        Panel(
            "Time to First Token (TTFT)",
            Kind.SERIES,
            Unit.SECONDS,
            "Streams: arrival to first content. The line at 5 s is the alert's.",
            (
                Query("{{provider}} p50", quantile(0.5, "ttft_seconds", *_SERVED, by=("provider",))),
                Query("{{provider}} p95", quantile(0.95, "ttft_seconds", *_SERVED, by=("provider",))),
            ),
            steps=(("green", None), ("red", 5)),
            lined=True,
            to_provider=True,
        ),
        Panel(
            "P95 Latency by Provider",
            Kind.SERIES,
            Unit.SECONDS,
            "Plain calls. One provider above the others: see its details for the model.",
            (
                Query(
                    "{{provider}}",
                    quantile(0.95, "request_duration_seconds", *_SERVED, PLAIN, by=("provider",)),
                ),
            ),
            to_provider=True,
        ),
        Panel(
            "Stream Duration",
            Kind.SERIES,
            Unit.SECONDS,
            "Streams: arrival to last byte. Long answers are long; only a change means something.",
            quantiles("request_duration_seconds", *_SERVED, STREAMED),
        ),
        Panel(
            "Requests by Status",
            Kind.SERIES,
            Unit.CALLS,
            "success; error: a provider's fault or ours; client_error: the caller's; rate_limited: above a limit of "
            "ours; cancelled: the client left.",
            (Query("{{status}}", total(rate("requests_total", *_CHOSEN), "status")),),
            stacked=True,
            colours=STATUS_COLOURS,
        ),
        Panel(
            "Latency Heatmap",
            Kind.HEATMAP,
            Unit.SECONDS,
            "All calls that a provider answered, by how long they took. Two bands are two kinds of calls, or two "
            "targets.",
            (
                Query(
                    "{{le}}",
                    total(increase("request_duration_seconds_bucket", *_SERVED, over="$__rate_interval"), "le"),
                ),
            ),
        ),
        Panel(
            "Gateway Overhead",
            Kind.SERIES,
            Unit.SECONDS,
            "What a call took beyond waiting for its provider. The line is at 50 ms.",
            (
                Query("p50", quantile(0.5, "overhead_seconds")),
                Query("p99", quantile(0.99, "overhead_seconds")),
            ),
            steps=(("green", None), ("red", 0.05)),
            lined=True,
        ),
        Panel(
            "Queue Wait",
            Kind.SERIES,
            Unit.SECONDS,
            "How long calls wait for a place in their worker once max_in_flight others are running. The line is at 1 "
            "s.",
            (Query("p95", quantile(0.95, "queue_wait_seconds")),),
            steps=(("green", None), ("red", 1)),
            lined=True,
            nothing="nobody waited",
        ),
    ),
)

TOKENS = Row(
    "Token Metrics",
    (
        Panel(
            "Token Rate by Provider",
            Kind.SERIES,
            Unit.NUMBER,
            "Tokens a second, as providers bill them.",
            (Query("{{provider}} {{type}}", total(rate("tokens_total", *_CHOSEN), "provider", "type")),),
            stacked=True,
            to_provider=True,
        ),
        Panel(
            "Tokens Per Second",
            Kind.SERIES,
            Unit.NUMBER,
            "What one stream gets, on average over the last minute; nothing where nothing was streamed. The line at "
            "10 is the alert's.",
            (
                Query(
                    "{{provider}} {{model}}",
                    mean(f"{metric('tokens_per_second', *_CHOSEN)} > 0", "provider", "model"),
                ),
            ),
            steps=SPEED,
            lined=True,
            nothing="no streams",
            to_provider=True,
        ),
        Panel(
            "Input/Output Distribution",
            Kind.PIE,
            Unit.NUMBER,
            "Tokens of prompts (input) and answers (output) in the time shown.",
            (Query("{{type}}", total(increase("tokens_total", *_CHOSEN), "type")),),
            8,
        ),
        Panel(
            "Cost Rate by Model",
            Kind.SERIES,
            Unit.MONEY,
            "USD an hour.",
            (Query("{{model}}", f"3600 * {total(rate('cost_usd_total', *_CHOSEN), 'model')}"),),
            8,
            stacked=True,
        ),
        Panel(
            "Time per Output Token (p95)",
            Kind.SERIES,
            Unit.SECONDS,
            "Of a stream, from its first token on, over the number of the others.",
            (
                Query(
                    "{{provider}}",
                    quantile(0.95, "time_per_output_token_seconds", *_SERVED, by=("provider",)),
                ),
            ),
            8,
            nothing="no streams",
            to_provider=True,
        ),
    ),
)
