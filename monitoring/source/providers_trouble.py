"""The last row of Provider Details: errors, health, breaker, streams."""

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
    MODELS,
    THE_PROVIDER,
    Query,
    increase,
    least,
    metric,
    most,
    rate,
    total,
)

_CHOSEN = (THE_PROVIDER, MODELS)
_CHECKED = metric("provider_health_last_check_timestamp_seconds", THE_PROVIDER)

ERRORS = Row(
    "Errors & Resilience",
    (
        Panel(
            "Errors by Type",
            Kind.SERIES,
            Unit.EVENTS,
            "Attempts that failed here, also where a repeat or a fallback then went well.",
            (Query("{{error_type}}", total(rate("errors_total", THE_PROVIDER), "error_type")),),
            8,
            stacked=True,
        ),
        Panel(
            "Error Mix",
            Kind.PIE,
            Unit.NUMBER,
            "The same, in the time shown.",
            (Query("{{error_type}}", f"{total(increase('errors_total', THE_PROVIDER), 'error_type')} > 0"),),
            8,
            nothing="no errors",
        ),
        Panel(
            "Attempt Outcomes",
            Kind.SERIES,
            Unit.EVENTS,
            "Every HTTP request to the provider, by what came of it.",
            (Query("{{outcome}}", total(rate("upstream_attempts_total", *_CHOSEN), "outcome")),),
            8,
            stacked=True,
            colours={"success": "green", "cancelled": "text"},
        ),
        Panel(
            "Health History",
            Kind.STATES,
            Unit.STATE,
            "As Health Status, over time.",
            (Query("health", least(metric("provider_health", THE_PROVIDER))),),
            height=4,
            states=HEALTH,
        ),
        Panel(
            "Breaker History",
            Kind.STATES,
            Unit.STATE,
            "As Circuit Breaker, over time.",
            (Query("breaker", most(metric("circuit_breaker_state", THE_PROVIDER))),),
            height=4,
            states=BREAKER,
        ),
        Panel(
            "Breaker Transitions",
            Kind.SERIES,
            Unit.NUMBER,
            "Of its targets together. Open and half-open in turn: the provider is still down.",
            (
                Query(
                    "to {{to}}",
                    total(increase("circuit_breaker_transitions_total", THE_PROVIDER, over="$__rate_interval"), "to"),
                ),
            ),
            8,
            colours={"to closed": "green", "to open": "red", "to half_open": "yellow"},
        ),
        Panel(
            "Health Checks",
            Kind.SERIES,
            Unit.EVENTS,
            "Free probes by result. None at all: the prober has stopped, or probing is off.",
            (Query("{{result}}", total(rate("provider_health_checks_total", THE_PROVIDER), "result")),),
            8,
            nothing="not probed",
        ),
        Panel(
            "Time Since Last Check",
            Kind.SERIES,
            Unit.SECONDS,
            "A line that climbs: the prober has stopped, and Health Status can no longer be trusted. The line at 180 s "
            "is the alert's.",
            (
                Query(
                    "{{instance}}",
                    f"time() - {most(_CHECKED, 'instance')}",
                ),
            ),
            8,
            steps=(("green", None), ("red", 180)),
            lined=True,
            nothing="not probed",
        ),
        Panel(
            "Retries and Fallbacks",
            Kind.SERIES,
            Unit.EVENTS,
            "Attempts repeated here, and calls that left for another provider.",
            (
                Query("retry {{reason}}", total(rate("retries_total", THE_PROVIDER), "reason")),
                Query(
                    "fallback to {{to_provider}}",
                    total(rate("fallbacks_total", 'from_provider="$provider"'), "to_provider"),
                ),
            ),
            8,
            stacked=True,
        ),
        Panel(
            "Stream Outcomes",
            Kind.SERIES,
            Unit.EVENTS,
            "How streams ended. rescued: broke here, and went on elsewhere or once more.",
            (Query("{{outcome}}", total(rate("streams_total", THE_PROVIDER), "outcome")),),
            8,
            stacked=True,
            colours={"complete": "green", "client_gone": "text", "rescued": "blue"},
            nothing="no streams",
        ),
        Panel(
            "Malformed Events",
            Kind.SERIES,
            Unit.EVENTS,
            "Events of its streams that could not be read, and were skipped.",
            (Query("events", total(rate("stream_malformed_events_total", THE_PROVIDER))),),
            8,
        ),
        Panel(
            "Client Disconnects",
            Kind.SERIES,
            Unit.EVENTS,
            "Clients that left, by how far the call was. Many before the first token: they lose patience.",
            (Query("{{phase}}", total(rate("client_disconnects_total", THE_PROVIDER), "phase")),),
            24,
            6,
        ),
    ),
)
