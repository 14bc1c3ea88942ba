"""What a configuration may say, and what comes of it."""

from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from app.config.load import BUILT_IN
from app.config.settings import Settings
from app.core.call import Timeouts
from tests.config.given import BASE, HASH, OTHER_HASH, problems, settings

#: Every key that the configuration has, with a value of its own.
EVERYTHING = f"""
server:     {{open: false, max_body: 10485760, max_in_flight: 1000, queue: 100, drain: 90,
             trusted_proxies: ["127.0.0.1/32", "::1/128"]}}
logging:    {{level: info, format: json}}
metrics:    {{token: null, token_file: null, open: false}}
health:     {{probe: true, interval: 15, timeout: 5}}
timeouts:   {{connect: 5, first_byte: 120, first_token: null, idle: 30, deadline: 600}}
resilience: {{retries: 1, max_attempts: 4, rate_limit_wait: 3, stream_rescue: auto,
             breaker: {{window: 30, min_calls: 20, failure_ratio: 0.5, consecutive: 5, open: 5, open_max: 20,
                       successes: 2}}}}
memcached:  {{servers: [], counters: [], connect_timeout: 0.05, timeout: 0.05, pool: 16}}
cache:      {{ttl: 0, max_ttl: 86400, max_bytes: 900000, jitter: 0.1, secret: null, secret_file: null}}
limits:     {{replicas: 1, default: {{requests_per_minute: null, tokens_per_minute: null, concurrent: null}}}}
providers:
  openai:    {{api_key: "${{OPENAI_API_KEY}}"}}
  azure-eu:  {{kind: azure, base_url: "https://r.openai.azure.com", api_key: "${{AZURE_KEY}}", api_key_file: null,
              headers: {{}}, proxy: null, ca_file: null, models: [], timeouts: {{}}, max_in_flight: null, probe: true,
              api_version: "2024-10-21"}}
  simulated: {{latency: 0.2, tokens_per_second: 50, words: 60, faults: {{}}}}
models:
  fast: {{strategy: priority, targets: [openai/gpt-4.1, {{target: azure-eu/prod, weight: 3, prefill: true}}],
         fallbacks: {{any: [], context_length: [], content_filter: []}}, cache: {{ttl: 0, shared: false}},
         timeouts: {{}}, stream_rescue: auto, context: null, vision: true, tools: true, max_output: null,
         price: {{input: 0, cached_input: 0, output: 0}}}}
tenants:
  acme: {{keys: ["{HASH}", {{hash: "{OTHER_HASH}", name: ci, expires: "2027-01-31T00:00:00Z"}}], models: ["*"],
         limits: {{}}, model_limits: {{fast: {{concurrent: 5}}}}}}
"""
KEYS = {"OPENAI_API_KEY": "o", "AZURE_KEY": "a"}


def sections(found: Settings) -> dict[str, object]:
    top = ("server", "logging", "metrics", "health", "timeouts", "resilience", "memcached", "cache", "limits")
    return {name: getattr(found, name) for name in top}


def test_every_key_of_the_configuration_is_known() -> None:
    found = settings(EVERYTHING, KEYS)

    assert found.providers["azure-eu"].kind == "azure"
    assert [(t.provider, t.model, t.weight, t.prefill) for t in found.models["fast"].targets] == [
        ("openai", "gpt-4.1", 1, False),
        ("azure-eu", "prod", 3, True),
    ]
    assert found.tenants["acme"].keys[1].expires == datetime(2027, 1, 31, tzinfo=UTC)
    assert found.tenants["acme"].model_limits["fast"].concurrent == 5


def test_what_is_left_out_has_the_value_that_the_documentation_shows() -> None:
    spelled_out = settings(EVERYTHING, KEYS)
    left_out = settings(BASE)

    assert sections(left_out) == sections(spelled_out)
    model = left_out.models["fast"]
    assert model.model_dump(exclude={"targets", "stream_rescue", "cache"}) == spelled_out.models["fast"].model_dump(
        exclude={"targets", "stream_rescue", "cache"}
    )
    assert (model.stream_rescue, model.cache.ttl) == (None, None), "the top's"
    assert left_out.providers["simulated"] == spelled_out.providers["simulated"]


def test_without_a_file_there_is_one_simulated_model_and_no_tenant() -> None:
    found = settings(BUILT_IN)

    assert {name: p.kind for name, p in found.providers.items()} == {"simulated": "simulated"}
    assert [t.target for t in found.models["simulated"].targets] == ["simulated/simulated"]
    assert not found.tenants


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings(BASE).server.max_body = 5


@pytest.mark.parametrize(
    ("written", "meant"), [("false", "off"), ("off", "off"), ("'off'", "off"), ("replay", "replay"), ("auto", "auto")]
)
def test_off_may_be_written_without_quotes(written: str, meant: str) -> None:
    found = settings(BASE + f"resilience: {{stream_rescue: {written}}}")

    assert found.resilience.stream_rescue == meant


def test_a_target_is_split_at_its_first_slash() -> None:
    (target,) = settings(BASE + "  x: {targets: [openai/meta-llama/x]}").models["x"].targets

    assert (target.provider, target.model) == ("openai", "meta-llama/x")


def test_targets_may_take_over_what_a_pattern_s_star_stands_for() -> None:
    assert not problems(BASE + "  'gpt-*': {targets: [openai/gpt-*, {target: 'openai/*'}]}")


@pytest.mark.parametrize(
    "name",
    ["fast", "*", "f*", "fast*", "gpt-4", "gpt-*", "gpt-4*", "openai/o3", "openai/o*", "o*", "groq/any", "groq/*"],
)
def test_a_tenant_may_be_given_whatever_can_be_asked_for(name: str) -> None:
    text = f"""
providers:
  openai: {{api_key: k, models: [o3]}}
  groq: {{api_key: k, models: ["*"]}}
models:
  fast: {{targets: [openai/gpt]}}
  "gpt-*": {{targets: [openai/gpt]}}
tenants:
  acme: {{keys: [], models: ["{name}"]}}
"""
    assert not problems(text)


def test_numbers_and_truths_may_come_from_the_environment() -> None:
    text = (
        'server: {open: "${OPEN:-false}", max_body: "${MAX}"}\ntimeouts: {connect: "${CONNECT:-2.5}", idle: "${IDLE}"}'
    )
    found = settings(BASE + text, {"OPEN": "True", "MAX": "5", "IDLE": "7"})

    assert (found.server.open, found.server.max_body) == (True, 5)
    assert (found.timeouts.connect, found.timeouts.idle) == (2.5, 7.0)


@pytest.mark.parametrize("value", ["ten", "", "1e3", "0x10", "1.5", "1 ", "９", "1" * 5000])
def test_what_the_environment_has_must_be_a_number_where_one_is_expected(value: str) -> None:
    assert problems(BASE + 'server: {max_body: "${MAX}"}', {"MAX": value}) == {
        "server.max_body": "expected a whole number, not text"
    }


def test_a_key_that_looks_like_a_number_stays_text() -> None:
    found = settings('providers: {openai: {api_key: "${K}", models: ["*"]}}', {"K": "0123"})

    assert found.providers["openai"].key == "0123"


def test_urls_lose_their_last_slash() -> None:
    found = settings("providers: {vllm: {base_url: 'http://[::1]:8000/v1/', models: ['*']}}")

    assert found.providers["vllm"].base_url == "http://[::1]:8000/v1"


def test_a_provider_at_an_address_of_its_own_may_do_without_a_key() -> None:
    found = settings("providers: {openai: {base_url: 'http://sidecar/v1', models: ['*']}}")

    assert found.providers["openai"].key is None


def test_proxies_and_headers_are_kept_secret_and_can_be_had_in_clear() -> None:
    text = "providers: {openai: {api_key: k, models: ['*'], proxy: 'http://u:pw@p:1', headers: {X-Team: s3}}}"
    provider = settings(text).providers["openai"]

    assert provider.proxy_url == "http://u:pw@p:1"
    assert provider.clear_headers == {"X-Team": "s3"}
    assert not {"pw", "s3"} & set(repr(provider).replace("'", " ").replace("@", " ").replace(":", " ").split())


def test_networks_are_networks() -> None:
    found = settings(BASE + "server: {trusted_proxies: [10.0.0.0/8, 192.168.1.1]}")

    assert found.server.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("192.168.1.1/32"))


def test_hashes_are_written_in_either_case_and_name_a_key_that_has_no_name() -> None:
    found = settings(BASE + f"tenants: {{a: {{keys: ['{HASH.upper().replace('SHA', 'sha')}']}}}}")
    (key,) = found.tenants["a"].keys

    assert (key.digest, key.label) == (bytes.fromhex("ab" * 32), "abababab")


def test_a_secret_may_be_one_or_several() -> None:
    one = settings(BASE + f"cache: {{secret: {'s' * 32}}}").cache.secret
    two = settings(BASE + f"cache: {{secret: [{'s' * 32}, {'t' * 40}]}}").cache.secret

    assert one is not None
    assert [s.get_secret_value() for s in one] == ["s" * 32]
    assert two is not None
    assert [s.get_secret_value() for s in two] == ["s" * 32, "t" * 40]


@pytest.mark.parametrize("server", ["h:1", "10.0.0.1:11211", "[::1]:11211", "a.b-c_d:65535", "unix:/run/m.sock"])
def test_servers_are_addresses_or_sockets(server: str) -> None:
    assert settings(BASE + f"memcached: {{servers: ['{server}']}}").memcached.servers == (server,)


TIMEOUTS = """
timeouts: {connect: 1, first_byte: 2, idle: 3, deadline: 4}
providers:
  a: {kind: ollama, timeouts: {first_byte: 20, idle: null}}
  b: {kind: ollama}
models:
  near: {targets: [a/x, b/x], timeouts: {deadline: 400}}
  nearer: {targets: [b/x], timeouts: {first_byte: null}}
"""


@pytest.mark.parametrize(
    ("provider", "model", "expected", "plain"),
    [
        ("a", None, Timeouts(connect=1, first_byte=20, idle=None, deadline=4), 20),
        ("b", None, Timeouts(connect=1, first_byte=2, idle=3, deadline=4), None),
        ("a", "near", Timeouts(connect=1, first_byte=20, idle=None, deadline=400), 20),
        ("b", "near", Timeouts(connect=1, first_byte=2, idle=3, deadline=400), None),
        ("b", "nearer", Timeouts(connect=1, first_byte=None, idle=3, deadline=4), None),
    ],
)
def test_the_timeout_nearest_to_the_call_wins(
    provider: str, model: str | None, expected: Timeouts, plain: float | None
) -> None:
    found = settings(TIMEOUTS)

    assert found.timeouts_of(provider, model) == expected
    assert found.plain_first_byte(provider, model) == plain


def test_a_null_that_is_nearer_than_a_number_wins_for_plain_calls_too() -> None:
    text = TIMEOUTS.replace("nearer: {targets: [b/x]", "nearer: {targets: [a/x]")

    assert settings(text).plain_first_byte("a", "nearer") is None


def test_cached_tokens_cost_as_much_as_others_unless_their_price_is_given() -> None:
    def price(text: str) -> tuple[float, float, float]:
        found = settings(BASE + f"  x: {{targets: [openai/x], price: {text}}}").models["x"].price
        return found.input, found.cached_input, found.output

    assert price("{input: 2, output: 8}") == (2, 2, 8)
    assert price("{input: 2, cached_input: 0, output: 8}") == (2, 0, 8)


def test_shares_of_faults_may_add_up_to_all_calls_however_they_are_written() -> None:
    shares = "timeout: 0.01, cut: 0.2, slow: 0.68, stall: 0.11"  # of which a computer makes a little more than 1
    assert problems(f"providers: {{simulated: {{models: ['*'], faults: {{{shares}}}}}}}") == {}


def test_each_limit_that_a_tenant_names_is_its_own_null_included_and_the_others_are_the_default_s() -> None:
    found = settings(
        BASE
        + "limits: {default: {requests_per_minute: 10, tokens_per_minute: 20, concurrent: 30}}\n"
        + "tenants: {a: {keys: [], limits: {requests_per_minute: 1, concurrent: null}}, b: {keys: []}}"
    )
    default = found.limits.default

    own = found.tenants["a"].limits.over(default)
    assert (own.requests_per_minute, own.tokens_per_minute, own.concurrent) == (1, 20, None)
    assert found.tenants["b"].limits.over(default) == default


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", False),
        ("limits: {replicas: 3}", False),
        ("limits: {default: {concurrent: 1}}", True),
        ("tenants: {a: {keys: [], limits: {requests_per_minute: 1}}}", True),
        ("tenants: {a: {keys: [], model_limits: {fast: {tokens_per_minute: 1}}}}", True),
    ],
)
def test_it_is_known_whether_anything_is_for_all_workers_together(more: str, expected: bool) -> None:
    assert settings(BASE + more).has_shared_state is expected
