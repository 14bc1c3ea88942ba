"""What calls have found shows in the gauges, beside what probes find."""

from collections.abc import Iterator

import pytest
import requests

from tests.gunicorn import Server, gunicorn, until
from tests.health.house import KEY, OFTEN, chat, checks, gauges, health
from tests.standin import StandIn

CHAT = "/v1/chat/completions"


def configured(a: StandIn, key: str = KEY) -> str:
    return f"""
{OFTEN}
providers:
  a: {{kind: compatible, base_url: "{a.url}/v1", api_key: {key}, models: ["*"]}}
  b: {{kind: compatible, base_url: "{a.url}/v1", api_key: {key}}}
models: {{one: {{targets: [a/words-1]}}, both: {{targets: [b/words-1, b/words-2]}}}}
resilience: {{retries: 0, breaker: {{consecutive: 2, open: 3, open_max: 3, successes: 1}}}}
"""


@pytest.fixture
def a() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


@pytest.fixture
def server(a: StandIn) -> Iterator[Server]:
    with gunicorn(configured(a)) as running:
        yield running


def ask(server: Server, model: str = "one") -> int:
    return requests.post(server.url + CHAT, json=chat(model), timeout=30).status_code


def state(server: Server, name: str = "a") -> tuple[float, float]:
    return gauges(server, "circuit_breaker_state")[name], gauges(server, "provider_health")[name]


def test_a_breaker_that_traffic_opens_is_seen_open_then_half_open_then_closed(server: Server, a: StandIn) -> None:
    assert state(server) == (0, 1)
    a.script("fault-500", path=CHAT, times=2)
    assert [ask(server), ask(server), ask(server)] == [502, 502, 503]
    until(lambda: state(server) == (1, 0), "an open one")
    found = health(server, "a")
    assert (found["healthy"], found["breaker"]) == (False, "open")
    until(lambda: state(server) == (2, 1), "one that waits for its probe")
    assert health(server, "a")["breaker"] == "half_open"
    probed = checks(server, "a")["success"]
    until(lambda: checks(server, "a")["success"] >= probed + 4, "more free probes")
    assert state(server) == (2, 1), "they close nothing, and open nothing"
    assert set(checks(server, "a")) == {"success"}
    assert ask(server) == 200
    until(lambda: state(server) == (0, 1), "a closed one")


def test_a_provider_is_open_only_when_all_its_targets_are(server: Server, a: StandIn) -> None:
    a.script("fault-500", path=CHAT, model="words-1", times=2)
    assert [ask(server, "both"), ask(server, "both")] == [200, 200]
    assert server.log().count("the breaker of b/words-1 is open") == 1
    assert health(server, "b")["breaker"] == "closed"
    assert health(server, "b")["healthy"]


def test_names_that_a_star_stands_for_count_once_somebody_has_asked_for_one(server: Server, a: StandIn) -> None:
    assert ask(server, "a/words-3") == 200
    a.script("fault-500", path=CHAT, times=2)
    assert [ask(server), ask(server)] == [502, 502]
    assert health(server, "a")["breaker"] == "closed"
    a.script("fault-500", path=CHAT, times=2)
    assert [ask(server, "a/words-3"), ask(server, "a/words-4")] == [502, 502]
    assert health(server, "a")["breaker"] == "open"


def test_a_key_that_calls_find_refused_is_no_health_until_there_is_another(server: Server, a: StandIn) -> None:
    """Though lists of models are to be had without a good one."""
    a.script("fault-key-401", path=CHAT, header_authorization=f"Bearer {KEY}", times=None)
    until(lambda: checks(server, "a"), "a probe")
    assert [ask(server), ask(server)] == [502, 503]
    until(lambda: state(server) == (0, 0), "a quarantine")
    found = health(server, "a")
    assert 50 < found["quarantine"] <= 60
    assert (found["healthy"], found["probe"]["result"]) == (False, "success")
    assert health(server, "b")["healthy"], "the same key, but another account may stand behind it"
    server.config.write_text(configured(a, key="sk-another-0123456789"))
    until(lambda: state(server) == (0, 1), "its end")
    until(lambda: ask(server) == 200, "an answer")
