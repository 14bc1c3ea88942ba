"""Mistakes in what guards, keeps and limits calls."""

import pytest

from tests.config.given import BASE, one, problems

SERVER = 'expected "host:port" or "unix:/path"'

NETWORK = 'expected an address or a network such as "10.0.0.0/8", no bits set after its prefix'

GUARDS = [
    one(BASE + "server: {trusted_proxies: 10.0.0.1}", "server.trusted_proxies", "expected a list, not text"),
    one(BASE + "server: {trusted_proxies: [10.0.0.1/8]}", "server.trusted_proxies[0]", NETWORK),
    one(BASE + "server: {trusted_proxies: ['::1', nginx]}", "server.trusted_proxies[1]", NETWORK),
    one(BASE + "server: {trusted_proxies: [5]}", "server.trusted_proxies[0]", NETWORK),
    one(BASE + "server: {trusted_proxies: ['*']}", "server.trusted_proxies[0]", NETWORK),
    one(BASE + "resilience: {breaker: {open: 30}}", "resilience.breaker.open_max",
        "expected at least as much as open"),
    one(BASE + "resilience: {breaker: {failure_ratio: 0}}", "resilience.breaker.failure_ratio", "expected more than 0"),
    one(BASE + "resilience: {breaker: {failure_ratio: 1.1}}", "resilience.breaker.failure_ratio",
        "expected at most 1"),
    one(BASE + "resilience: {max_attempts: 0}", "resilience.max_attempts", "expected at least 1"),
    one(BASE + "resilience: {stream_rescue: always}", "resilience.stream_rescue",
        "expected 'off', 'continue', 'replay' or 'auto'"),
    one(BASE + "resilience: {stream_rescue: true}", "resilience.stream_rescue",
        "expected 'off', 'continue', 'replay' or 'auto'"),
    one(BASE + "health: {interval: 0}", "health.interval", "expected more than 0"),
    one(BASE + "memcached: {servers: [h]}", "memcached.servers[0]", SERVER),
    one(BASE + "memcached: {servers: ['h:0']}", "memcached.servers[0]", SERVER),
    one(BASE + "memcached: {servers: ['h:65536']}", "memcached.servers[0]", SERVER),
    one(BASE + "memcached: {servers: ['unix:relative']}", "memcached.servers[0]", SERVER),
    one(BASE + "memcached: {counters: ['h:1']}", "memcached.counters", "expected servers, too"),
    one(BASE + "memcached: {servers: ['h:1', 'g:1', 'h:1']}", "memcached.servers", "expected each server once"),
    one(BASE + "memcached: {servers: 'h:1'}", "memcached.servers", "expected a list, not text"),
    one(BASE + "memcached: {timeout: 0}", "memcached.timeout", "expected more than 0"),
    one(BASE + "memcached: {timeout: fast}", "memcached.timeout", "expected a number, not text"),
    one(BASE + "limits: {default: {requests_per_minute: 0}}", "limits.default.requests_per_minute",
        "expected at least 1"),
    one(BASE + "limits: {default: {tokens_per_minute: 1.5}}", "limits.default.tokens_per_minute",
        "expected a whole number, not a number"),
    one(
        BASE + "limits: {default: {rpm: 5}}",
        "limits.default.rpm",
        "unknown key; known here: concurrent, requests_per_minute, tokens_per_minute",
    ),
    one(BASE + "tenants: {a: {keys: [], limits: {concurrent: -1}}}", "tenants.a.limits.concurrent",
        "expected at least 1"),
    one(BASE + "tenants: {a: {keys: [], model_limits: {fast: {concurrent: many}}}}",
        "tenants.a.model_limits.fast.concurrent", "expected a whole number, not text"),
    one(BASE + "tenants: {a: {keys: [], model_limits: {fast: 5}}}", "tenants.a.model_limits.fast",
        "expected a mapping (key: value), not a number"),
    one(BASE + "memcached: {pool: 0}", "memcached.pool", "expected at least 1"),
    one(BASE + "limits: {default: {concurrent: 0}}", "limits.default.concurrent", "expected at least 1"),
    one(BASE + "limits: {replicas: 0}", "limits.replicas", "expected at least 1"),
    one(BASE + "tenants: {a: {keys: [], model_limits: {fats: {}}}}", "tenants.a.model_limits.fats",
        "no such model; did you mean 'fast'?"),
    one(BASE + "  x: {targets: [openai/x], fallbacks: {any: [fsat]}}", "models.x.fallbacks.any[0]",
        "no such model; did you mean 'fast'?"),
    one(BASE + "  x: {targets: [openai/x], fallbacks: {any: [fast, x]}}", "models.x.fallbacks.any[1]",
        "a model cannot be its own fallback"),
    one(BASE + "  x: {targets: [openai/x], fallbacks: {any: ['fa*']}}", "models.x.fallbacks.any[0]",
        "no such model; known here: fast, x"),
    one(BASE + "  x: {targets: [openai/x], fallbacks: {timeout: []}}", "models.x.fallbacks.timeout",
        "unknown key; known here: any, content_filter, context_length"),
    one(BASE + "  x: {targets: [{target: openai/x, weight: 0}]}", "models.x.targets[0].weight", "expected at least 1"),
    one(BASE + "  x: {targets: [openai/x], strategy: fastest}", "models.x.strategy",
        "expected 'priority', 'weighted' or 'least_busy'"),
    one(BASE + "  x: {targets: [openai/x], context: 0}", "models.x.context", "expected at least 1"),
    one(BASE + "  x: {targets: [openai/x], max_output: 8k}", "models.x.max_output",
        "expected a whole number, not text"),
    one(BASE + "  x: {targets: [openai/x], price: {input: -1}}", "models.x.price.input", "expected at least 0"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), GUARDS)
def test_each_mistake_in_what_guards_calls_is_told_at_its_path(text: str, expected: dict[str, str]) -> None:
    assert problems(text) == expected
