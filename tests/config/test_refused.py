"""What a configuration must not say: where it says so, and what was expected."""

import pytest

from app.config.kinds import FAULTS
from tests.config.given import BASE, HASH, OTHER_HASH, one, problems

URL = "expected http(s)://host[:port][/path], without user, password, query or fragment"
MAPPING = "expected a mapping (key: value)"
KEY_TEXT = "expected a key of visible ASCII characters"
NAME = "expected a name of at most 128 characters without spaces"
HASHED = "expected sha256:<64 hex digits>, as `llm-gateway key` prints it"
OFFERS = "providers: {simulated: {models: ['*']}}\n"

TOP = [
    one("[]", "the file", f"{MAPPING}, not a list"),
    one("hello", "the file", f"{MAPPING}, not text"),
    one("", "providers", "expected at least one provider"),
    one("providers: {}", "providers", "expected at least one provider"),
    one("providers:", "providers", f"{MAPPING}, not nothing (null)"),
    one("providers: [openai]", "providers", f"{MAPPING}, not a list"),
    one("providers: {openai: {api_key: k}}", "models", "expected at least one model here, or `models` in a provider"),
    one(OFFERS + "tenants:", "tenants", f"{MAPPING}, not nothing (null)"),
    one(OFFERS + "servr: {}", "servr", "unknown key; did you mean 'server'?"),
    one(
        OFFERS + "zzz: {}",
        "zzz",
        "unknown key; known here: cache, health, limits, logging, memcached, metrics, models, providers, resilience, "
        "server, tenants, timeouts",
    ),
    one(
        BASE + "cache: {ttl: 100, max_ttl: 10}",
        "cache.max_ttl",
        "expected at least the longest ttl of the cache and of all models",
    ),
    one(BASE + "cache: {ttl: 2592001}", "cache.ttl", "expected at most 2592000"),
    one(BASE + "cache: {ttl: -1}", "cache.ttl", "expected at least 0"),
    one(BASE + "cache: {ttl: 1.5}", "cache.ttl", "expected a whole number, not a number"),
    one(BASE + "cache: {max_bytes: 0}", "cache.max_bytes", "expected at least 1"),
    one(BASE + "cache: {jitter: 2}", "cache.jitter", "expected at most 1"),
    one(BASE + "cache: {tll: 5}", "cache.tll", "unknown key; did you mean 'ttl'?"),
    one(
        BASE + "  x: {targets: [openai/x], cache: {ttl: on}}",
        "models.x.cache.ttl",
        "expected a whole number, not true or false",
    ),
    one(
        BASE + "  x: {targets: [openai/x], cache: {shared: 1}}",
        "models.x.cache.shared",
        "expected true or false, not a number",
    ),
    one(
        BASE + "  x: {targets: [openai/x], cache: {ttl: 90000}}",
        "cache.max_ttl",
        "expected at least the longest ttl of the cache and of all models",
    ),
    one(
        BASE + "  x: {targets: [openai/x], cache: 300}",
        "models.x.cache",
        "expected a mapping (key: value), not a number",
    ),
    one(BASE + "cache: {secret: short}", "cache.secret", "expected at least 32 bytes"),
    one(BASE + "cache: {secret: []}", "cache.secret", "expected at least one in this list"),
    one(BASE + f"cache: {{secret: [{'s' * 32}, short]}}", "cache.secret[1]", "expected at least 32 bytes"),
    one(
        BASE + "cache: {ttl: 5}\nmemcached: {servers: ['h:1']}",
        "cache.secret",
        "missing; answers that memcached keeps are signed with it",
    ),
    one(
        BASE + "  x: {targets: [openai/x], cache: {ttl: 5}}\nmemcached: {servers: ['h:1']}",
        "cache.secret",
        "missing; answers that memcached keeps are signed with it",
    ),
    one(OFFERS + "server: {max_bdy: 1}", "server.max_bdy", "unknown key; did you mean 'max_body'?"),
    one(OFFERS + "server: {max_body: 0}", "server.max_body", "expected at least 1"),
    one(OFFERS + "server: {max_body: 1.5}", "server.max_body", "expected a whole number, not a number"),
    one(OFFERS + "server: {max_body: true}", "server.max_body", "expected a whole number, not true or false"),
    one(OFFERS + "server: {max_body: '5'}", "server.max_body", "expected a whole number, not text"),
    one(OFFERS + "server: {open: 1}", "server.open", "expected true or false, not a number"),
    one(OFFERS + "server: {open: 'yes'}", "server.open", "expected true or false, not text"),
    one(OFFERS + "timeouts: {connect: 0}", "timeouts.connect", "expected more than 0"),
    one(OFFERS + "timeouts: {connect: null}", "timeouts.connect", "expected a number, not nothing (null)"),
    one(OFFERS + "timeouts: {idle: .inf}", "timeouts.idle", "expected a finite number"),
    one(OFFERS + "timeouts: {idle: .nan}", "timeouts.idle", "expected a finite number"),
    one(OFFERS + "timeouts: {deadline: 86401}", "timeouts.deadline", "expected at most 86400"),
    one(OFFERS + "timeouts: {idle: 5s}", "timeouts.idle", "expected a number, not text"),
    one(
        OFFERS + "logging: {level: loud}",
        "logging.level",
        "expected 'debug', 'info', 'warning', 'error' or 'critical'",
    ),
    one(OFFERS + "logging: {format: xml}", "logging.format", "expected 'json' or 'console'"),
    one(OFFERS + "metrics: {token: ''}", "metrics.token", "expected a key, found it empty"),
    one(OFFERS + "metrics: {token: 'a b'}", "metrics.token", KEY_TEXT),
    one(OFFERS + "metrics: {token: 5}", "metrics.token", "expected text: write it in quotes"),
]

PROVIDERS = [
    one("providers: {openai: null}", "providers.openai", f"{MAPPING}, not nothing (null)"),
    one("providers: {openai: k}", "providers.openai", f"{MAPPING}, not text"),
    one("providers: {openai: {}}", "providers.openai.api_key", "missing; expected this or api_key_file"),
    one("providers: {openai: {api_key: null}}", "providers.openai.api_key", "missing; expected this or api_key_file"),
    one("providers: {openai: {api_key: ''}}", "providers.openai.api_key", "expected a key, found it empty"),
    one("providers: {openai: {api_key: \"k\\n\"}}", "providers.openai.api_key", KEY_TEXT),
    one("providers: {openai: {api_key: kéy}}", "providers.openai.api_key", KEY_TEXT),
    one("providers: {openai: {api_key: [k]}}", "providers.openai.api_key", "expected text, not a list"),
    one("providers: {azure: {api_key: k}}", "providers.azure.base_url", "missing; providers of the kind azure need it"),
    one("providers: {vllm: {}}", "providers.vllm.base_url", "missing; providers of the kind vllm need it"),
    one(
        "providers: {compatible: {base_url: null}}",
        "providers.compatible.base_url",
        "missing; providers of the kind compatible need it",
    ),
    one("providers: {opnai: {api_key: k}}", "providers.opnai.kind",
        "missing; expected a kind of provider, since the entry's name is none; did you mean 'openai'?"),
    one("providers: {mine: {kind: opnai}}", "providers.mine.kind",
        "expected a kind of provider; did you mean 'openai'?"),
    one("providers: {mine: {kind: [openai]}}", "providers.mine.kind", "expected text, not a list"),
    one("providers: {openai: {kind: null}}", "providers.openai.kind", "expected text, not nothing (null)"),
    one("providers: {My-One: {kind: ollama}}", "providers.My-One",
        "expected a name of a-z, 0-9 and -, a letter first, at most 32 characters"),
    one(f"providers: {{{'a' * 33}: {{kind: ollama}}}}", f"providers.{'a' * 33}",
        "expected a name of a-z, 0-9 and -, a letter first, at most 32 characters"),
    one("providers: {none: {kind: ollama}}", "providers.none",
        "this name is taken: metrics use it for answers that no provider gave"),
    one("providers: {openai: {api_key: k, api_version: '1'}}", "providers.openai.api_version",
        "not a setting of providers of the kind openai"),
    one("providers: {openai: {api_key: k, latency: 1}}", "providers.openai.latency",
        "not a setting of providers of the kind openai"),
    one("providers: {simulated: {api_key: k}}", "providers.simulated.api_key",
        "not a setting of providers of the kind simulated"),
    one("providers: {simulated: {base_url: 'http://h'}}", "providers.simulated.base_url",
        "not a setting of providers of the kind simulated"),
    one("providers: {simulated: {words: -1}}", "providers.simulated.words", "expected at least 0"),
    one("providers: {simulated: {tokens_per_second: 0}}", "providers.simulated.tokens_per_second",
        "expected more than 0"),
    one("providers: {openai: {api_key: k, models: '*'}}", "providers.openai.models", "expected a list, not text"),
    one("providers: {openai: {api_key: k, models: ['gpt-*']}}", "providers.openai.models[0]",
        "expected the provider's own name of a model, or \"*\" for all of them"),
    one("providers: {openai: {api_key: k, models: [4.1]}}", "providers.openai.models[0]",
        "expected text: write it in quotes"),
    one("providers: {openai: {api_key: k, headers: {x y: z}}}", 'providers.openai.headers."x y"',
        "expected the name of an HTTP header"),
    one("providers: {openai: {api_key: k, headers: {Host: z}}}", "providers.openai.headers.Host",
        "this header is set by the gateway itself"),
    one('providers: {openai: {api_key: k, headers: {x: "a\\r\\nb: c"}}}', "providers.openai.headers.x",
        "expected ASCII text on one line, without spaces around it"),
    one("providers: {openai: {api_key: k, headers: {X: a, x: b}}}", "providers.openai.headers",
        "expected each header once, whatever its case"),
    one("providers: {openai: {api_key: k, headers: {x: 5}}}", "providers.openai.headers.x",
        "expected text: write it in quotes"),
    one("providers: {openai: {api_key: k, timeouts: {total: 5}}}", "providers.openai.timeouts.total",
        "unknown key; known here: connect, deadline, first_byte, first_token, idle"),
    one("providers: {openai: {api_kye: k, api_key: k}}", "providers.openai.api_kye",
        "unknown key; did you mean 'api_key'?"),
    *(
        one(f"providers: {{vllm: {{base_url: '{url}'}}}}", "providers.vllm.base_url", URL)
        for url in (
            "localhost:8000", "ftp://h/v1", "http://", "http:///v1", "http://u@h", "http://u:p@h/v1", "http://h/v1?k=v",
            "http://h/#f", "http://h:99999", "http://h:x", "http://h h/", "http://[::1", "", "http://h\\v1", "http://é",
        )
    ),
    *(
        one(f"providers: {{openai: {{api_key: k, proxy: '{url}'}}}}", "providers.openai.proxy",
            "expected http(s)://[user:password@]host[:port]")
        for url in ("proxy:3128", "socks5://h:1", "http://h/path", "http://h?x", "")
    ),
    one("providers: {simulated: {models: ['*'], faults: {timeout: 0.6, cut: 0.6}}}", "providers.simulated.faults",
        "expected shares that add up to at most 1"),
    one("providers: {simulated: {models: ['*'], faults: {timeout: 1.5}}}", "providers.simulated.faults.timeout",
        "expected at most 1"),
    one("providers: {simulated: {models: ['*'], faults: {timeuot: 0.5}}}", "providers.simulated.faults.timeuot",
        "not a fault that can be simulated; did you mean 'timeout'?"),
    one("providers: {simulated: {models: ['*'], faults: {saturated: 0.5}}}", "providers.simulated.faults.saturated",
        "not a fault that can be simulated; known here: " + ", ".join(sorted(FAULTS))),
    one("providers: {openai: {api_key: k, models: ['*'], faults: {cut: 0.5}}}", "providers.openai.faults",
        "not a setting of providers of the kind openai"),
]  # fmt: skip

MODELS = [
    one(BASE + "  x: null", "models.x", f"{MAPPING}, not nothing (null)"),
    one(BASE + "  x: {}", "models.x.targets", "missing; expected provider/model, in the order of trying"),
    one(BASE + "  x: {targets: []}", "models.x.targets", "expected at least one in this list"),
    one(BASE + "  x: {targets: openai/gpt}", "models.x.targets", "expected a list, not text"),
    one(BASE + "  x: {targets: [openai]}", "models.x.targets[0]", "expected provider/model"),
    one(BASE + "  x: {targets: [openai/]}", "models.x.targets[0]", "expected provider/model"),
    one(BASE + "  x: {targets: [/gpt]}", "models.x.targets[0]", "expected provider/model"),
    one(BASE + "  x: {targets: [openai/gpt, opnai/gpt]}", "models.x.targets[1]",
        "no such provider; did you mean 'openai'?"),
    one(BASE + "  x: {targets: [zzz/gpt]}", "models.x.targets[0]", "no such provider; known here: openai, simulated"),
    one(BASE + "  x: {targets: [{target: opnai/gpt}]}", "models.x.targets[0].target",
        "no such provider; did you mean 'openai'?"),
    one(BASE + "  x: {targets: [{}]}", "models.x.targets[0].target", "missing; expected provider/model"),
    one(BASE + "  x: {targets: [5]}", "models.x.targets[0]",
        "expected provider/model, or {target: provider/model, ...}"),
    one(BASE + "  x: {targets: ['openai/a b']}", "models.x.targets[0]", NAME),
    one(BASE + "  x: {targets: [openai/gpt, openai/gpt]}", "models.x.targets[1]", "named twice in this model"),
    one(BASE + "  x: {targets: [openai/gpt-*]}", "models.x.targets[0]",
        "expected one model; a * at the end takes over what a * at the end of this name stands for"),
    one(BASE + "  x*: {targets: [openai/*-x]}", 'models.x*.targets[0]',
        "expected one model; a * at the end takes over what a * at the end of this name stands for"),
    one(BASE + "  a*b: {targets: [openai/gpt]}", "models.a*b", "expected a name with at most one *, at its end"),
    one(BASE + "  '': {targets: [openai/gpt]}", 'models.""', NAME),
    one(BASE + "  'a b': {targets: [openai/gpt]}", 'models."a b"', NAME),
    one(BASE + f"  {'m' * 129}: {{targets: [openai/gpt]}}", f"models.{'m' * 80}...", NAME),
    one(BASE + "  x: {targets: [openai/gpt], strategy: fastest}", "models.x.strategy",
        "expected 'priority', 'weighted' or 'least_busy'"),
    one(BASE + "  gpt-4.1: {targets: [openai/gpt], target: 5}", 'models."gpt-4.1".target',
        "unknown key; did you mean 'targets'?"),
]  # fmt: skip

TENANTS = [
    one(BASE + "tenants: {acme: {}}", "tenants.acme.keys",
        "missing; expected hashes of the keys; several, so that a new one can be handed out before the old one goes"),
    one(BASE + "tenants: {acme: {keys: gk-1}}", "tenants.acme.keys", "expected a list, not text"),
    one(BASE + "tenants: {acme: {keys: [gk-1]}}", "tenants.acme.keys[0]", HASHED),
    one(BASE + f"tenants: {{acme: {{keys: ['{HASH}0']}}}}", "tenants.acme.keys[0]", HASHED),
    one(BASE + f"tenants: {{acme: {{keys: ['{HASH[7:]}']}}}}", "tenants.acme.keys[0]", HASHED),
    one(BASE + f"tenants: {{acme: {{keys: ['{HASH}\\n']}}}}".replace("'", '"'), "tenants.acme.keys[0]", HASHED),
    one(BASE + "tenants: {acme: {keys: [{hash: gk-1}]}}", "tenants.acme.keys[0].hash", HASHED),
    one(BASE + "tenants: {acme: {keys: [{name: ci}]}}", "tenants.acme.keys[0].hash",
        "missing; expected sha256:<64 hex digits>"),
    one(BASE + "tenants: {acme: {keys: [7]}}", "tenants.acme.keys[0]",
        'expected "sha256:<64 hex digits>", or {hash: "sha256:...", name: ..., expires: ...}'),
    one(BASE + "tenants: {acme: {keys: ['sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855']}}",
        "tenants.acme.keys[0]", "expected the hash of a key; this is the hash of no text at all"),
    one(BASE + f"tenants: {{acme: {{keys: ['{HASH}', '{HASH.upper().replace('SHA', 'sha')}']}}}}",
        "tenants.acme.keys[1]", "the same key stands above, too; every key belongs to one tenant, once"),
    one(BASE + f"tenants: {{a: {{keys: ['{HASH}']}}, b: {{keys: [{{hash: '{HASH}'}}]}}}}", "tenants.b.keys[0]",
        "the same key stands above, too; every key belongs to one tenant, once"),
    one(BASE + f"tenants: {{acme: {{keys: [{{hash: '{HASH}', expires: 2027-01-31}}]}}}}",
        "tenants.acme.keys[0].expires", 'expected a time with its zone, such as "2027-01-31T00:00:00Z"'),
    one(BASE + f"tenants: {{acme: {{keys: [{{hash: '{HASH}', expires: soon}}]}}}}", "tenants.acme.keys[0].expires",
        'expected a time such as "2027-01-31T00:00:00Z"'),
    one(BASE + f"tenants: {{acme: {{keys: [{{hash: '{HASH}', expires: 5}}]}}}}", "tenants.acme.keys[0].expires",
        'expected a time such as "2027-01-31T00:00:00Z", not a number'),
    one(BASE + "tenants: {acme: {keys: [], models: [fsat]}}", "tenants.acme.models[0]",
        "no such model; did you mean 'fast'?"),
    one(BASE + "tenants: {acme: {keys: [], models: [slow*]}}", "tenants.acme.models[0]",
        "no such model; known here: fast"),
    one(BASE + "tenants: {acme: {keys: [], models: [openai/gpt]}}", "tenants.acme.models[0]",
        "no such model; known here: fast"),
    one(BASE + "tenants: {acme: {keys: [], models: ['f*t']}}", "tenants.acme.models[0]",
        "no such model; known here: fast"),
    one(BASE + "tenants: {acme: {keys: [], models: '*'}}", "tenants.acme.models", "expected a list, not text"),
    one(BASE + "tenants: {anonymous: {keys: []}}", "tenants.anonymous",
        "this name is taken: metrics and logs use it for callers without a tenant"),
    one(BASE + "tenants: {'a b': {keys: []}}", 'tenants."a b"',
        "expected a name of letters, digits and . _ - @, at most 64 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [*TOP, *MODELS, *TENANTS])
def test_each_mistake_is_told_at_its_path(text: str, expected: dict[str, str]) -> None:
    assert problems(text) == expected


@pytest.mark.parametrize(("text", "expected"), PROVIDERS)
def test_each_mistake_in_a_provider_is_told_at_its_path(text: str, expected: dict[str, str]) -> None:
    model = "\nmodels: {m: {targets: [some/model]}}"
    found = problems(text + model)
    found.pop("models.m.targets[0]")  # there to have a model at all

    assert found == expected


def test_all_mistakes_are_told_at_once_whatever_finds_them() -> None:
    text = f"""
server: {{max_body: 0, max_bodyy: 5}}
providers:
  openai: {{api_key: "${{OPENAI_API_KEY}}", api_key: again}}
  azure-eu: {{kind: azure, api_key_file: nowhere}}
models:
  fast: {{targets: [opnai/gpt], context: 0}}
tenants:
  acme: {{keys: ["{OTHER_HASH}", 5], models: [fsat]}}
"""
    assert set(problems(text)) == {
        "server.max_body",
        "server.max_bodyy",
        "models.fast.context",
        "providers.openai.api_key",
        "providers.azure-eu.base_url",
        "providers.azure-eu.api_key_file",
        "models.fast.targets[0]",
        "tenants.acme.keys[1]",
        "tenants.acme.models[0]",
    }
