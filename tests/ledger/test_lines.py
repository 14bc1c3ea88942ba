"""The line of a call: as it is documented, and as a real gunicorn writes it."""

import hashlib
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.metrics.house import House
from tests.metrics.page import page_of

ROOT = Path(__file__).parents[2]
FIELDS = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
PRICE = {"input": 1, "cached_input": 0.5, "output": 10}
KEYS = {"acme": "gk-" + "a" * 40, "zeta": "gk-" + "z" * 40}

CONFIG = f"""
providers: {{simulated: {{latency: 0, tokens_per_second: 100000, words: 7}}}}
models:
  fast: {{targets: [simulated/x], price: {{input: 2.5, output: 10}}}}
  free: {{targets: [simulated/x]}}
tenants:
  acme: {{keys: [{{hash: "sha256:{hashlib.sha256(KEYS["acme"].encode()).hexdigest()}", name: ci}}]}}
  zeta: {{keys: ["sha256:{hashlib.sha256(KEYS["zeta"].encode()).hexdigest()}"]}}
"""


def only(house: House) -> dict[str, Any]:
    (line,) = house.lines()
    return line


def test_a_line_has_the_fields_that_are_documented(tmp_path: Path) -> None:
    documented = set(FIELDS.findall((ROOT / "docs" / "logs.md").read_text()))
    with House(tmp_path, {"m": {"targets": ["alpha/words-5"], "price": PRICE}}) as house:
        house.call("m")
        assert set(only(house)) == documented
        house.post("/v1/chat/completions", "{").close()
        refused = {"request_id", "client", "operation", "status", "error_type", "param", "attempts"}
        assert set(house.lines()[1]) == refused | {"event", "level", "timestamp"}


def test_a_line_says_what_a_plain_call_was_and_cost(tmp_path: Path) -> None:
    with House(tmp_path, {"m": {"targets": ["alpha/words-5-cached-2"], "price": PRICE}}) as house:
        house.call("m")
        line = only(house)
    cost = (5 * 1 + 2 * 0.5 + 5 * 10) / 1e6
    assert (
        line.items()
        >= {
            "event": "call",
            "operation": "chat",
            "tenant": "anonymous",
            "key": None,
            "model": "m",
            "provider": "alpha",
            "stream": False,
            "status": "success",
            "error_type": None,
            "attempts": ["alpha/words-5-cached-2"],
            "input_tokens": 7,
            "cached_input_tokens": 2,
            "output_tokens": 5,
            "reasoning_tokens": 0,
            "guessed": False,
            "cost_usd": round(cost, 9),
            "provider_cost_usd": round(cost, 9),
        }.items()
    )


def test_a_rescued_stream_costs_the_provider_twice_and_the_tenant_once(tmp_path: Path) -> None:
    models = {"m": {"targets": ["alpha/first-1-fault-cut-3-then-words-5"], "price": PRICE, "stream_rescue": "replay"}}
    with House(tmp_path, models) as house:
        house.call("m", stream=True)
        line = only(house)
    assert line["attempts"][0].endswith(": stream_interrupted")
    assert (line["rescued"], line["guessed"]) == (1, False)
    assert (line["input_tokens"], line["output_tokens"]) == (5, 5)
    assert line["cost_usd"] == round((5 * 1 + 5 * 10) / 1e6, 9)
    assert line["provider_cost_usd"] == round(((5 + 7) * 1 + 10 * 10) / 1e6, 9), "7: the first one's prompt, guessed"


def test_a_fallback_costs_what_the_model_does_that_answered(tmp_path: Path) -> None:
    models = {
        "m": {"targets": ["alpha/fault-404"], "price": PRICE, "fallbacks": {"any": ["dear"]}},
        "dear": {"targets": ["beta/words-5"], "price": {"input": 100, "output": 100}},
    }
    with House(tmp_path, models) as house:
        house.call("m")
        line = only(house)
    assert (line["model"], line["provider"]) == ("m", "beta")
    assert line["cost_usd"] == line["provider_cost_usd"] == 0.001


def test_tokens_that_nobody_counted_are_marked_as_a_guess(tmp_path: Path) -> None:
    models = {"m": {"targets": ["alpha/words-20-fault-cut-8"], "price": PRICE, "stream_rescue": "off"}}
    with House(tmp_path, models) as house:
        house.call("m", stream=True)
        line = only(house)
    assert line["guessed"]
    assert (line["status"], line["input_tokens"], line["output_tokens"]) == ("error", 7, 13)


def usage(server: Server, *arguments: str) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("llm-gateway")), "usage", "--json", *arguments, str(server.log_file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("worker_class", CLASSES)
def test_sums_over_the_log_of_a_real_gunicorn_are_what_clients_were_told(worker_class: str) -> None:
    with gunicorn(CONFIG, workers=3, worker_class=worker_class) as server, requests.Session() as session:

        def call(number: int) -> tuple[str, str, int]:
            """Tenant, model, and tokens of the prompt."""
            tenant, model = ("acme", "zeta")[number % 2], ("fast", "free")[number % 3 == 0]
            body = {"model": model, "messages": [{"role": "user", "content": "word " * (number % 7 + 1)}]}
            headers = {"Authorization": f"Bearer {KEYS[tenant]}"}
            answer = session.post(f"{server.url}/v1/chat/completions", json=body, headers=headers, timeout=30).json()
            assert answer["usage"]["completion_tokens"] == 7
            return tenant, model, answer["usage"]["prompt_tokens"]

        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(call, range(300)))
        session.post(f"{server.url}/v1/chat/completions", json={}, timeout=30)

        until(lambda: usage(server)["total"]["calls"] == 301, "line of every call")
        rows = {(row["tenant"], row["model"]): row for row in usage(server, "--by", "tenant,model")["rows"]}
        assert rows.pop((None, None))["succeeded"] == 0
        assert set(rows) == {(tenant, model) for tenant in KEYS for model in ("fast", "free")}
        for (tenant, model), row in rows.items():
            inputs = [tokens for *who, tokens in told if who == [tenant, model]]
            assert (row["calls"], row["input_tokens"], row["output_tokens"]) == (
                len(inputs),
                sum(inputs),
                7 * len(inputs),
            )
            cost = (sum(inputs) * 25 + 7 * len(inputs) * 100) / 10**7 if model == "fast" else 0
            assert row["cost_usd"] == row["provider_cost_usd"] == cost
        keys = usage(server, "--by", "tenant,key", "--since", "2020-01-01")["rows"]
        nameless = hashlib.sha256(KEYS["zeta"].encode()).hexdigest()[:8]
        assert [(row["tenant"], row["key"]) for row in keys] == [(None, None), ("acme", "ci"), ("zeta", nameless)]

        page = page_of(server)
        for tenant in KEYS:
            mine = [row for (who, _), row in rows.items() if who == tenant]
            assert page.sum("tenant_requests_total", tenant=tenant) == sum(row["calls"] for row in mine)
            assert page.sum("tenant_cost_usd_total", tenant=tenant) == pytest.approx(sum(r["cost_usd"] for r in mine))
