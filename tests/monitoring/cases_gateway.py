"""The cases of the alerts about the gateway itself, and of its objectives."""

from __future__ import annotations

from tests.monitoring.case import CLUSTER, OPENAI, Case, Firing, histogram, of

_A = {**CLUSTER, "instance": "a:9464"}


def _attempts(outcome: str, step: int, provider: str = "openai") -> dict[str, str]:
    return {of("upstream_attempts_total", provider=provider, model="m", outcome=outcome): f"0+{step}x40"}


def _calls(status: str, step: int, provider: str = "openai") -> dict[str, str]:
    return {of("requests_total", model="m", provider=provider, status=status, streaming="true"): f"0+{step}x40"}


def _streams(outcome: str, step: int) -> dict[str, str]:
    return {of("streams_total", provider="openai", outcome=outcome): f"0+{step}x80"}


_UP = {of("up"): "1x24"}
_METRICS = {of("provider_health", provider="openai"): "1x24"}

SCRAPE = (
    Case(
        "LLMGatewayInstanceDown",
        "fires for the one replica that is down",
        {of("up"): "1x4 0x20", of("up", "b:9464"): "1x24"},
        {"3m": (), "6m": (Firing(_A),)},
    ),
    Case(
        "LLMGatewayInstanceDown", "is silent on one scrape that failed", {of("up"): "1x4 0 1x20"}, {"3m": (), "6m": ()}
    ),
    Case(
        "LLMGatewayDown", "fires when all replicas are down", {of("up"): "0x24"}, {"1m": (), "4m": (Firing(CLUSTER),)}
    ),
    Case(
        "LLMGatewayDown",
        "fires when there is no target at all",
        {'up{job="prometheus",instance="p:9090"}': "1x24"},
        {"4m": (Firing({"job": "llm-gateway"}),)},
    ),
    Case(
        "LLMGatewayDown",
        "is silent when one of two is down",
        {of("up"): "0x24", of("up", "b:9464"): "1x24"},
        {"6m": ()},
    ),
    Case("LLMGatewayMetricsAbsent", "fires on a target without our metrics", _UP, {"4m": (), "8m": (Firing(CLUSTER),)}),
    Case("LLMGatewayMetricsAbsent", "is silent where they are", {**_UP, **_METRICS}, {"8m": ()}),
    Case(
        "LLMGatewayScrapeSlow",
        "fires for the replica whose scrapes take 3 s",
        {of("scrape_duration_seconds"): "3x60", of("scrape_duration_seconds", "b:9464"): "0.1x60"},
        {"9m": (), "15m": (Firing(_A, "3s"),)},
    ),
    Case(
        "LLMGatewayScrapeSlow",
        "is silent on one slow scrape",
        {of("scrape_duration_seconds"): "0.1x9 9 0.1x50"},
        {"15m": ()},
    ),
)

SELF = (
    Case(
        "LLMGatewayProviderErrorRate",
        "fires on attempts that fail while every call goes well elsewhere",
        {
            **_calls("success", 10, "anthropic"),
            **_attempts("server_error", 10),
            **_attempts("success", 10),
            **_attempts("success", 10, "anthropic"),
        },
        {"4m": (), "12m": (Firing(OPENAI, "50%"),)},
    ),
    Case(
        "LLMGatewayProviderErrorRate",
        "is silent on clients that leave and on bad requests",
        {**_attempts("cancelled", 50), **_attempts("invalid_request", 50), **_attempts("success", 10)},
        {"12m": ()},
    ),
    Case(
        "LLMGatewayOwnErrors",
        "fires when the gateway is full",
        {**_calls("error", 1, "none"), **_calls("success", 9)},
        {"1m": (), "6m": (Firing(CLUSTER, "10%"),)},
    ),
    Case(
        "LLMGatewayOwnErrors",
        "is silent on what providers do and on what callers do",
        {**_calls("error", 5), **_calls("success", 5), **_calls("client_error", 50, "none")},
        {"6m": ()},
    ),
    Case(
        "LLMGatewayStreamsBroken",
        "fires when one stream in twenty breaks off",
        {**_streams("complete", 19), **_streams("truncated", 1)},
        {"30m": (Firing(OPENAI, "5%"),)},
    ),
    Case(
        "LLMGatewayStreamsBroken",
        "is silent on clients that leave and on streams that were rescued",
        {**_streams("complete", 20), **_streams("client_gone", 20), **_streams("rescued", 20)},
        {"30m": ()},
    ),
    Case(
        "LLMGatewayHealthCheckStale",
        "fires for the provider whose last probe is ten minutes old",
        {of("provider_health_last_check_timestamp_seconds", provider="openai"): "0x60"},
        {"3m": (), "10m": (Firing(OPENAI, "10m 0s"),)},
    ),
    Case(
        "LLMGatewayHealthCheckStale",
        "is silent where probes go on, and where there are none",
        {of("provider_health_last_check_timestamp_seconds", provider="openai"): "0+30x60"},
        {"20m": ()},
    ),
    Case(
        "LLMGatewaySaturated",
        "fires for the replica that is full",
        {
            of("in_flight_requests"): "1900x30",
            of("worker_capacity"): "2000x30",
            of("in_flight_requests", "b:9464"): "5x30",
            of("worker_capacity", "b:9464"): "2000x30",
        },
        {"4m": (), "6m": (Firing(_A, "95%"),)},
    ),
    Case(
        "LLMGatewaySaturated",
        "is silent at 90 %",
        {of("in_flight_requests"): "1800x30", of("worker_capacity"): "2000x30"},
        {"10m": ()},
    ),
    Case(
        "LLMGatewayWorkerCrashes",
        "fires on four workers killed in two minutes",
        {of("worker_exits_total", reason="killed"): "0 1 2 3 4x20"},
        {"9m": (Firing(_A, "4"),)},
    ),
    Case(
        "LLMGatewayWorkerCrashes",
        "is silent on reloads and on one that was killed",
        {of("worker_exits_total", reason="graceful"): "0+5x20", of("worker_exits_total", reason="killed"): "0 1x20"},
        {"9m": ()},
    ),
    Case(
        "LLMGatewayMemcachedDown",
        "fires for the replica that does not reach it",
        {of("memcached_up"): "1x4 0x20", of("memcached_up", "b:9464"): "1x24"},
        {"3m": (), "6m": (Firing(_A),)},
    ),
    Case(
        "LLMGatewayMemcachedDown",
        "is silent on a restart of a minute",
        {of("memcached_up"): "1x4 0 0 1x20"},
        {"4m": ()},
    ),
    Case(
        "LLMGatewayConfigReloadFailed",
        "fires when a file has been refused for five minutes",
        {of("config_last_reload_successful"): "1x4 0x20"},
        {"4m": (), "8m": (Firing(_A),)},
    ),
    Case(
        "LLMGatewayConfigReloadFailed",
        "is silent when it was mended within three",
        {of("config_last_reload_successful"): "1x4 0x5 1x20"},
        {"6m": (), "12m": ()},
    ),
    Case(
        "LLMGatewayConfigurationsDiffer",
        "fires when a replica stays behind",
        {of("config_hash", pid="w0"): "12x60", of("config_hash", "b:9464", pid="w0"): "12x4 13x60"},
        {"10m": (), "20m": (Firing(CLUSTER),)},
    ),
    Case(
        "LLMGatewayConfigurationsDiffer",
        "is silent while a change makes its way",
        {of("config_hash", pid="w0"): "12x6 13x60", of("config_hash", pid="w1"): "12x10 13x60"},
        {"4m": (), "20m": ()},
    ),
)

_BURNS = {"1h": "14.4", "6h": "6", "1d": "3", "3d": "1"}


def _burning(reads: str, *windows: str) -> tuple[Firing, ...]:
    return tuple(Firing(CLUSTER, reads, window) for window in windows)


OBJECTIVES = (
    Case(
        "LLMGatewayErrorBudgetBurn",
        "fires at all paces when one call in ten fails",
        {**_calls("success", 90), **_calls("error", 10)},
        {"1m": (), "15m": _burning("10%", *_BURNS)},
    ),
    Case(
        "LLMGatewayErrorBudgetBurn",
        "fires without paging when one in fifty fails",
        {**_calls("success", 98), **_calls("error", 2)},
        {"15m": _burning("2%", "1d", "3d")},
    ),
    Case(
        "LLMGatewayErrorBudgetBurn",
        "is silent before the first error, when its series is missing, and on callers' faults",
        {**_calls("success", 90), **_calls("client_error", 900)},
        {"15m": ()},
    ),
    Case(
        "LLMGatewayTTFTBudgetBurn",
        "fires at all paces when every stream waits longer than 5 s",
        histogram("ttft_seconds", {"5.0": 0, "7.5": 10, "+Inf": 10}, provider="openai", model="m"),
        {"1m": (), "15m": _burning("100%", *_BURNS)},
    ),
    Case(
        "LLMGatewayTTFTBudgetBurn",
        "is silent when one stream in fifty does, and for what the cache answered",
        {
            **histogram("ttft_seconds", {"5.0": 49, "7.5": 50, "+Inf": 50}, provider="openai", model="m"),
            **histogram("ttft_seconds", {"5.0": 0, "7.5": 50, "+Inf": 50}, provider="cache", model="m"),
        },
        {"15m": ()},
    ),
)

OWN = (*SCRAPE, *SELF, *OBJECTIVES)
