"""Every metric: its name, type, labels and what it says. Dashboards and alerts query exactly these.

Label sets are closed: a series can never be taken back, so nothing that a client sends may become one. Help texts are
short because every series carries its own in the files of its slot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import ErrorType, Status

PREFIX = "llm_gateway_llm_gateway_"

NONE = "none"  # provider: refused before there was one
CACHE = "cache"  # provider: answered without one
OTHER = "other"  # model or tenant: a name that the configuration does not know, or one too many

LIMIT_TYPES = ("requests", "tokens", "concurrency")

# 10 and 30 are thresholds of alerts, and so is 5 for the first token: on a boundary they are exact.
DURATION_BUCKETS = (*(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 20, 30, 45, 60, 120, 300, 600),)
TTFT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 7.5, 10, 20, 30, 60, 120)
TOKEN_BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2.5)
OVERHEAD_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)
QUEUE_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10)

CIRCUITS = ("open", "half_open", "closed")  # what a breaker becomes
TENANTS = 1000  # that have a label of their own


class Type(StrEnum):
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


class Streamed(StrEnum):
    """How a stream ended: the `outcome` of streams_total."""

    COMPLETE = "complete"
    RESCUED = "rescued"  # complete, but it broke on the way and went on in another one
    TRUNCATED = "truncated"  # broke after its first content
    UPSTREAM_ERROR = "upstream_error"  # had no content
    CLIENT_GONE = "client_gone"


class Phase(StrEnum):
    """When a client left: the `phase` of client_disconnects_total."""

    BEFORE_FIRST_TOKEN = "before_first_token"  # noqa: S105 - no password
    STREAMING = "streaming"
    NON_STREAMING = "non_streaming"


#: What each operation of the cache can come to.
CACHE_RESULTS: Mapping[str, tuple[str, ...]] = {
    "get": ("hit", "miss", "error"),
    "set": ("ok", "skipped", "error"),
    "delete": ("ok", "error"),
}


@dataclass(frozen=True, slots=True)
class Metric:
    """`mode`: of a gauge that workers write, how their values become one; "" where the housekeeper makes it."""

    short: str
    type: Type
    text: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    mode: str = ""

    @property
    def name(self) -> str:
        return PREFIX + self.short


def _counter(short: str, text: str, *labels: str) -> Metric:
    return Metric(short, Type.COUNTER, text, labels)


def _histogram(short: str, text: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    return Metric(short, Type.HISTOGRAM, text, labels, buckets)


def _gauge(short: str, text: str, *labels: str, mode: str = "") -> Metric:
    return Metric(short, Type.GAUGE, text, labels, mode=mode)


# Calls, as clients see them.
REQUESTS = _counter("requests_total", "Calls that ended.", "model", "provider", "status", "streaming")
DURATION = _histogram(
    "request_duration_seconds", "Arrival to last byte.", DURATION_BUCKETS, "model", "provider", "streaming"
)
TTFT = _histogram("ttft_seconds", "Arrival to first content.", TTFT_BUCKETS, "model", "provider")
TOKENS = _counter("tokens_total", "Tokens of prompts and answers.", "model", "provider", "type")
ACTIVE = _gauge("active_requests", "Attempts that are running.", "provider", mode="livesum")
ERRORS = _counter("errors_total", "Failed attempts, and refusals.", "provider", "error_type")
STREAMS = _counter("streams_total", "Streams that ended.", "provider", "outcome")
DISCONNECTS = _counter("client_disconnects_total", "Clients that left.", "provider", "phase")
OVERHEAD = _histogram("overhead_seconds", "Time that no provider took.", OVERHEAD_BUCKETS, "streaming")
QUEUE_WAIT = _histogram("queue_wait_seconds", "Waits for a place in a worker.", QUEUE_BUCKETS)

RATE_LIMIT_HITS = _counter("rate_limit_hits_total", "Calls that a limit refused.", "tenant", "limit_type")

# Attempts, as providers see them.
ATTEMPTS = _counter("upstream_attempts_total", "Attempts that ended.", "provider", "model", "outcome")
UPSTREAM_DURATION = _histogram(
    "upstream_duration_seconds", "Attempt to last byte.", DURATION_BUCKETS, "provider", "model"
)
UPSTREAM_TTFT = _histogram("upstream_ttft_seconds", "Attempt to first content.", TTFT_BUCKETS, "provider", "model")
TIME_PER_TOKEN = _histogram(
    "time_per_output_token_seconds", "Between tokens of a stream.", TOKEN_BUCKETS, "model", "provider"
)
RETRIES = _counter("retries_total", "Repeats at the same target.", "provider", "reason")
FALLBACKS = _counter("fallbacks_total", "Hops to another target.", "from_provider", "to_provider", "reason")
MALFORMED = _counter("stream_malformed_events_total", "Events that were skipped.", "provider")
STREAM_TOKENS = _counter("stream_output_tokens_total", "Streamed tokens after the first.", "model", "provider")
STREAM_SECONDS = _counter("stream_generation_seconds_total", "Streaming after the first token.", "model", "provider")
SPEED = _gauge("tokens_per_second", "Tokens per second of one stream.", "model", "provider")

# What it comes to.
TOKEN_DETAILS = _counter("token_details_total", "Parts of tokens_total.", "model", "provider", "detail")
USAGE_MISSING = _counter("usage_missing_total", "Answers without usage.", "model", "provider")
ESTIMATED = _counter("tokens_estimated_total", "Part of tokens_total: guessed.", "model", "provider")
COST = _counter("cost_usd_total", "What providers charge.", "model", "provider")
TENANT_REQUESTS = _counter("tenant_requests_total", "Calls of a tenant.", "tenant", "status")
TENANT_TOKENS = _counter("tenant_tokens_total", "Tokens delivered to a tenant.", "tenant", "type")
TENANT_COST = _counter("tenant_cost_usd_total", "Cost of what a tenant got.", "tenant")
CACHE_OPERATIONS = _counter("cache_operations_total", "Looks into the cache, and writes.", "operation", "result")
SAVED_TOKENS = _counter("cache_saved_tokens_total", "Tokens that the cache gave.", "model", "type")
SAVED_COST = _counter("cache_saved_cost_usd_total", "What they would have cost.", "model")

# Providers.
HEALTH = _gauge("provider_health", "1: well.", "provider")
BREAKER = _gauge("circuit_breaker_state", "0 closed, 1 open, 2 half-open.", "provider")
TRANSITIONS = _counter("circuit_breaker_transitions_total", "Changes of a breaker.", "provider", "to")
CHECKS = _counter("provider_health_checks_total", "Free probes.", "provider", "result")
CHECKED = _gauge("provider_health_last_check_timestamp_seconds", "End of the last probe.", "provider")

# The gateway itself.
IN_FLIGHT = _gauge("in_flight_requests", "Calls inside.")
WORKER_IN_FLIGHT = _gauge("worker_in_flight_requests", "Calls inside, by worker.", mode="liveall")
WORKER_CAPACITY = _gauge("worker_capacity", "Calls that the workers take.", mode="livesum")
WORKER_EXITS = _counter("worker_exits_total", "Workers that ended.", "reason")
CONFIG_HASH = _gauge("config_hash", "First 48 bits of the configuration's hash.", mode="liveall")
CONFIG_GOOD = _gauge("config_last_reload_successful", "0: the newest was not taken over.")
CONFIG_TIME = _gauge("config_last_reload_timestamp_seconds", "When the one in force was published.")
MEMCACHED_UP = _gauge("memcached_up", "1: every memcached answers.", mode="livemin")
LINES_LOST = _counter("log_lines_lost_total", "Lines that nobody could take.")
BUILD = _gauge("build_info", "What runs.", "version", "python")
FILES = _gauge("metrics_files", "Files that workers count in.")
FILE_ERRORS = _counter("metrics_file_errors_total", "Files of workers that could not be read.")
COLLECT = _gauge("metrics_collect_seconds", "How long the last merge took.")


#: What the values of each label can be.
LABELS: Mapping[str, str] = {
    "limit_type": ", ".join(LIMIT_TYPES),
    "model": "names and patterns of `models`, `provider/model` that a provider offers, `provider/*`; `other`",
    "provider": "names of `providers`; `cache`: answered without one; `none`: refused before there was one",
    "status": ", ".join(Status),
    "streaming": "true, false",
    "type": "input, output",
    "error_type": ", ".join(kind for kind in ErrorType if kind is not ErrorType.CANCELLED),
    "outcome": f"of attempts: success, cancelled, any error_type; of streams: {', '.join(Streamed)}",
    "phase": ", ".join(Phase),
    "reason": "of retries and fallbacks: any error_type; of exits: graceful, timeout, failed, killed",
    "from_provider": "names of `providers`",
    "to_provider": "names of `providers`",
    "detail": "cached_input, cache_write_input, reasoning_output",
    "tenant": "names of `tenants`; `anonymous`: without tenants; `other`: beyond a thousand of them",
    "to": ", ".join(CIRCUITS),
    "operation": ", ".join(CACHE_RESULTS),
    "result": "of the cache: "
    + "; ".join(f"{operation} {', '.join(results)}" for operation, results in CACHE_RESULTS.items())
    + "; of probes: success, authentication, timeout, connection",
    "pid": "w0, w1, ...: a worker's place, which its replacement takes over",
    "version": "of the gateway",
    "python": "its version",
}


def everything() -> list[Metric]:
    """In the order of this file."""
    return [found for found in globals().values() if isinstance(found, Metric)]
