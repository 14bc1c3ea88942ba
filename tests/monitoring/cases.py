"""The cases of the fifteen alerts: for each, what makes it fire, and what must not."""

from __future__ import annotations

from app.metrics.catalogue import PREFIX
from tests.monitoring.case import CLUSTER, OPENAI, Case, Firing, histogram, of
from tests.monitoring.cases_errors import ERRORS

_SLOW = {"10.0": 0, "15.0": 5, "20.0": 10, "30.0": 10, "+Inf": 10}  # 10 to 20 s
_VERY_SLOW = {"10.0": 9, "30.0": 9, "45.0": 10, "+Inf": 10}  # one in ten takes 30 to 45 s
_PLAIN = {"provider": "openai", "model": "m", "streaming": "false"}


def _latency(buckets: dict[str, int], **labels: str) -> dict[str, str]:
    return histogram("request_duration_seconds", buckets, **{**_PLAIN, **labels})


def _cache(operation: str, result: str, step: int) -> dict[str, str]:
    return {of("cache_operations_total", operation=operation, result=result): f"0+{step}x200"}


AVAILABILITY = (
    Case(
        "LLMGatewayProviderUnhealthy",
        "fires two minutes after a replica finds a provider unwell",
        {
            of("provider_health", provider="openai"): "1x4 0x20",
            of("provider_health", "b:9464", provider="openai"): "1x24",
            of("provider_health", provider="anthropic"): "1x24",
        },
        {"3m": (), "5m": (Firing(OPENAI),)},
    ),
    Case(
        "LLMGatewayProviderUnhealthy",
        "is silent when a provider is unwell for a minute",
        {of("provider_health", provider="openai"): "1x4 0 0 1x20"},
        {"3m": (), "4m": (), "6m": ()},
    ),
    Case(
        "LLMGatewayAllProvidersUnhealthy",
        "fires when no replica finds any provider well",
        {of("provider_health", provider="openai"): "0x20", of("provider_health", provider="anthropic"): "0x20"},
        {"30s": (), "2m": (Firing(CLUSTER),)},
        naive=(f"count({PREFIX}provider_health == 1) == 0",),
    ),
    Case(
        "LLMGatewayAllProvidersUnhealthy",
        "is silent when one replica still finds one well",
        {
            of("provider_health", provider="openai"): "0x20",
            of("provider_health", "b:9464", provider="openai"): "1x20",
        },
        {"5m": ()},
    ),
    Case(
        "LLMGatewayCircuitBreakerOpen",
        "fires on a breaker that opens again after each try",
        {of("circuit_breaker_state", provider="openai"): "0x4 1 2 1 2 1 2 1 2 1 2 1 2"},
        {"1m": (), "5m": (Firing(OPENAI),)},
    ),
    Case(
        "LLMGatewayCircuitBreakerOpen",
        "is silent on breakers that are closed or only half-open",
        {
            of("circuit_breaker_state", provider="openai"): "2x20",
            of("circuit_breaker_state", provider="anthropic"): "0x20",
        },
        {"8m": ()},
    ),
)

LATENCY = (
    Case(
        "LLMGatewayHighLatencyP95",
        "fires on plain calls that take 10 to 20 s",
        _latency(_SLOW),
        {"4m": (), "12m": (Firing(OPENAI, "19.5s"),)},
    ),
    Case(
        "LLMGatewayHighLatencyP95",
        "is silent on long streams, on slow answers out of the cache and on a provider that is not used",
        {
            **_latency(_SLOW, streaming="true"),
            **_latency(_SLOW, provider="cache"),
            **_latency({"10.0": 0, "+Inf": 0}, provider="anthropic"),
        },
        {"12m": ()},
    ),
    Case(
        "LLMGatewayHighLatencyP95",
        "is silent on one slow call in a quiet hour",
        {
            of("request_duration_seconds_bucket", **_PLAIN, le="10.0"): "0x40",
            of("request_duration_seconds_bucket", **_PLAIN, le="20.0"): "0x5 1x35",
            of("request_duration_seconds_bucket", **_PLAIN, le="+Inf"): "0x5 1x35",
            of("request_duration_seconds_count", **_PLAIN): "0x5 1x35",
        },
        {"6m": (), "12m": ()},
    ),
    Case(
        "LLMGatewayHighLatencyP99",
        "fires when one plain call in ten takes 30 to 45 s",
        _latency(_VERY_SLOW),
        {"4m": (), "12m": (Firing(OPENAI, "43.5s"),)},
    ),
    Case(
        "LLMGatewayHighLatencyP99",
        "is silent below 30 s, and on streams",
        {**_latency(_SLOW), **_latency(_VERY_SLOW, streaming="true")},
        {"12m": ()},
    ),
    Case(
        "LLMGatewayHighTTFT",
        "fires when half of the streams wait 5 to 7.5 s for their first content",
        histogram("ttft_seconds", {"2.5": 5, "5.0": 5, "7.5": 10, "+Inf": 10}, provider="openai", model="m"),
        {"4m": (), "12m": (Firing(OPENAI, "7.25s"),)},
    ),
    Case(
        "LLMGatewayHighTTFT",
        "is silent at exactly 5 s, and for what the cache answered",
        {
            **histogram("ttft_seconds", {"2.5": 0, "5.0": 10, "7.5": 10, "+Inf": 10}, provider="openai", model="m"),
            **histogram("ttft_seconds", {"2.5": 0, "5.0": 0, "7.5": 10, "+Inf": 10}, provider="cache", model="m"),
        },
        {"12m": ()},
    ),
)

CAPACITY = (
    Case(
        "LLMGatewayHighActiveRequests",
        "fires at 500 over two replicas",
        {
            of("active_requests", provider="openai"): "250x30",
            of("active_requests", "b:9464", provider="openai"): "250x30",
        },
        {"4m": (), "6m": (Firing(OPENAI, "500"),)},
    ),
    Case(
        "LLMGatewayHighActiveRequests",
        "is silent at 499, and when it was more for a minute",
        {
            of("active_requests", provider="openai"): "499x30",
            of("active_requests", provider="groq"): "0x4 900 900 0x20",
        },
        {"6m": (), "8m": ()},
    ),
    Case(
        "LLMGatewayRateLimitHits",
        "fires when a tenant is refused twice a second",
        {of("rate_limit_hits_total", tenant="acme", limit_type="requests"): "0+60x40"},
        {"4m": (), "12m": (Firing({**CLUSTER, "tenant": "acme"}, "2"),)},
    ),
    Case(
        "LLMGatewayRateLimitHits",
        "is silent when it is every other second",
        {of("rate_limit_hits_total", tenant="acme", limit_type="tokens"): "0+15x40"},
        {"12m": ()},
    ),
)

TOKENS = (
    Case(
        "LLMGatewayHighTokenUsage",
        "fires at two million tokens an hour, prompts and answers together",
        {
            of("tokens_total", model="m", provider="openai", type="input"): "0+20000x200",
            of("tokens_total", model="m", provider="openai", type="output"): "0+13334x200",
        },
        {"40m": (), "90m": (Firing(OPENAI, "2M"),)},
        interval="1m",
        naive=(f"sum by (provider) (rate({PREFIX}tokens_total[1h])) > 1e6",),
    ),
    Case(
        "LLMGatewayHighTokenUsage",
        "is silent at half a million",
        {of("tokens_total", model="m", provider="openai", type="output"): "0+8000x200"},
        {"90m": ()},
        interval="1m",
    ),
    Case(
        "LLMGatewayLowTokenThroughput",
        "fires at five tokens a second",
        {
            of("tokens_per_second", model="m", provider="openai"): "5x60",
            of("tokens_total", model="m", provider="openai", type="output"): "0+150x60",
        },
        {"9m": (), "15m": (Firing({**OPENAI, "model": "m"}, "5"),)},
    ),
    Case(
        "LLMGatewayLowTokenThroughput",
        "is silent where nothing is streamed, where an old value stands, and at twenty tokens a second",
        {
            of("tokens_per_second", model="idle", provider="openai"): "0x60",
            of("tokens_total", model="idle", provider="openai", type="output"): "0+10x60",
            of("tokens_per_second", model="old", provider="openai"): "5x60",
            of("tokens_total", model="old", provider="openai", type="output"): "900x60",
            of("tokens_per_second", model="quick", provider="openai"): "20x60",
            of("tokens_total", model="quick", provider="openai", type="output"): "0+600x60",
        },
        {"15m": (), "25m": ()},
    ),
)

CACHE = (
    Case(
        "LLMGatewayLowCacheHitRate",
        "fires at 20 %, of which what is stored is no part",
        {**_cache("get", "hit", 2), **_cache("get", "miss", 8), **_cache("set", "ok", 8)},
        {"10m": (), "60m": (Firing(CLUSTER, "20%"),)},
    ),
    Case(
        "LLMGatewayLowCacheHitRate",
        "fires when nothing has ever hit",
        {**_cache("get", "miss", 10), **_cache("set", "ok", 10)},
        {"60m": (Firing(CLUSTER, "0%"),)},
        naive=(
            f'sum(rate({PREFIX}cache_operations_total{{result="hit"}}[30m])) / '
            f"sum(rate({PREFIX}cache_operations_total[30m])) < 0.3",
        ),
    ),
    Case(
        "LLMGatewayLowCacheHitRate",
        "is silent at 40 %, however much is stored",
        {**_cache("get", "hit", 4), **_cache("get", "miss", 6), **_cache("set", "ok", 600)},
        {"60m": ()},
    ),
    Case(
        "LLMGatewayLowCacheHitRate",
        "is silent when nobody asks it",
        {**_cache("get", "hit", 0), **_cache("get", "miss", 0)},
        {"60m": ()},
    ),
)

FIFTEEN = (*AVAILABILITY, *LATENCY, *ERRORS, *CAPACITY, *TOKENS, *CACHE)
