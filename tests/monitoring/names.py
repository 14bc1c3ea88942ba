"""What the dashboards and alerts are called from outside: other people's files name these."""

ELEVEN = (
    *(
        "requests_total",
        "request_duration_seconds",
        "tokens_total",
        "active_requests",
        "provider_health",
        "errors_total",
    ),
    *("circuit_breaker_state", "rate_limit_hits_total", "cache_operations_total", "ttft_seconds", "tokens_per_second"),
)

FIFTEEN_NAMES = [
    "LLMGatewayProviderUnhealthy",
    "LLMGatewayAllProvidersUnhealthy",
    "LLMGatewayCircuitBreakerOpen",
    "LLMGatewayHighLatencyP95",
    "LLMGatewayHighLatencyP99",
    "LLMGatewayHighTTFT",
    "LLMGatewayHighErrorRate",
    "LLMGatewayCriticalErrorRate",
    "LLMGatewayAuthenticationErrors",
    "LLMGatewayRateLimitErrors",
    "LLMGatewayHighActiveRequests",
    "LLMGatewayRateLimitHits",
    "LLMGatewayHighTokenUsage",
    "LLMGatewayLowTokenThroughput",
    "LLMGatewayLowCacheHitRate",
]
