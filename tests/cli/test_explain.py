"""`llm-gateway explain` against a live gateway with one provider down, and without one."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import requests

from app.core import json
from app.core.json import Json
from tests.gunicorn import Server, free_port, gunicorn, until
from tests.memcached import memcached

CONFIG = """
health: {{interval: 1}}
resilience: {{breaker: {{consecutive: 2, open: 60, open_max: 60}}}}
memcached: {{servers: ["127.0.0.1:{memcached}"], connect_timeout: 1, timeout: 1}}
cache: {{secret: "{secret}"}}
limits: {{default: {{requests_per_minute: 5, concurrent: 3}}}}
providers:
  dead: {{kind: compatible, base_url: "http://127.0.0.1:{dead}/v1", api_key: sk-dead}}
  simulated: {{latency: 0.01, tokens_per_second: 10000}}
models:
  fast: {{targets: [dead/a, simulated/x], fallbacks: {{any: [slow], context_length: [big]}}, cache: {{ttl: 60}}}}
  slow: {{targets: [simulated/y], tools: false, context: 8000, max_output: 500}}
  big: {{targets: [{{target: dead/z}}, {{target: simulated/z, weight: 3}}], strategy: weighted, context: 100000}}
tenants:
  acme: {{keys: ["{hash}"], models: [fast, big]}}
"""
KEY = "gk-a-key-of-acme"


def explain(config: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).with_name("llm-gateway"), "explain", "--file", str(config), *arguments],
        env={**os.environ, "GATEWAY_RUN_DIR": "/nonexistent", **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert not done.stderr or done.returncode == 2, done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def live() -> Iterator[Server]:
    """Calls have gone through it: the breaker of dead/a is open, four of five requests are used."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    with memcached() as store:
        text = CONFIG.format(memcached=store.port, secret="s" * 40, dead=free_port(), hash=f"sha256:{digest}")
        with gunicorn(text) as server:
            for number in range(4):
                body = {"model": "fast", "messages": [{"role": "user", "content": str(number)}]}
                headers = {"authorization": f"Bearer {KEY}"}
                answer = requests.post(server.url + "/v1/chat/completions", json=body, headers=headers, timeout=30)
                assert answer.status_code == 200
            yield server


def told(server: Server, *arguments: str) -> Json:
    code, out = explain(server.config, *arguments, "--json", environment={"GATEWAY_RUN_DIR": str(server.run_dir)})
    assert code == 0, out
    found: Json = json.loads(out)
    return found


def test_a_target_whose_breaker_is_open_is_passed_over_and_the_next_one_is_first(live: Server) -> None:
    until(lambda: told(live, "fast")["targets"][0]["turn"] is None, "what the workers know of it in the file")
    dead, simulated = told(live, "fast")["targets"]
    assert dead["target"] == "dead/a"
    assert dead["why"].startswith("breaker open: next try in")
    assert (simulated["target"], simulated["turn"]) == ("simulated/x", 1)


def test_probes_that_fail_are_told(live: Server) -> None:
    def why() -> str:
        return str(next(place["why"] for place in told(live, "big")["targets"] if place["target"] == "dead/z"))

    until(lambda: "failed in a row" in why(), "a second probe")


def test_weights_give_the_order_where_the_strategy_goes_by_them(live: Server) -> None:
    targets = told(live, "big")["targets"]
    assert [place["target"] for place in targets] == ["simulated/z", "dead/z"]
    assert [place["turn"] for place in targets] == [1, 2]


def test_a_fallback_that_the_tenant_may_not_use_is_told_as_such(live: Server) -> None:
    (slow,) = told(live, "fast")["fallbacks"]["any"]
    assert slow["why"] == "never: acme may not use it"
    (big,) = told(live, "fast")["fallbacks"]["context_length"]
    assert big["targets"][0]["target"] == "simulated/z"


def test_how_much_a_model_takes_is_told(live: Server) -> None:
    assert told(live, "fast")["sizes"] is None
    assert told(live, "fast")["fallbacks"]["context_length"][0]["why"] == "reads 100000 tokens at most"
    assert told(live, "big")["sizes"] == "reads 100000 tokens at most"
    _, out = explain(live.config, "big", environment={"GATEWAY_RUN_DIR": str(live.run_dir)})
    assert "\n      reads 100000 tokens at most: not asked for more\n" in out


def test_what_is_left_of_limits_is_read_and_nothing_is_taken(live: Server) -> None:
    for _ in range(2):
        limits = {one["what"]: (one["left"], one["limit"]) for one in told(live, "fast")["limits"]}
        assert limits == {"requests": (1, 5), "concurrency": (3, 3)}


def test_people_read_it_in_lines(live: Server) -> None:
    _, out = explain(live.config, "fast", environment={"GATEWAY_RUN_DIR": str(live.run_dir)})
    assert "4 of 5 requests in any 60 s" in out
    assert " -  dead/a       breaker open" in out
    assert "cache: an answer that this tenant was given within 60 s is given again; kept by memcached" in out


def test_a_model_that_is_not_there_is_refused_as_the_gateway_would(live: Server) -> None:
    code, out = explain(live.config, "nope")
    assert code == 1
    assert out.startswith("refused with 404 model_not_found")


def test_a_model_that_the_tenant_may_not_use_is_refused(live: Server) -> None:
    code, out = explain(live.config, "slow")
    assert code == 1
    assert out.startswith("refused with 403 permission")


def test_without_a_gateway_the_file_alone_is_explained(live: Server) -> None:
    code, out = explain(live.config, "fast")
    assert code == 0
    assert "no gateway runs here" in out
    assert "   1  dead/a" in out


def test_a_tenant_that_is_not_there_is_a_wrong_command_line(live: Server) -> None:
    code, out = explain(live.config, "fast", "--tenant", "acne")
    assert code == 2
    assert "there is no tenant 'acne'" in out
    assert "acme" in out
