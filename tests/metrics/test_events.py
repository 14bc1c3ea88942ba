"""What each kind of call adds to all the metrics that workers write, through the whole gateway, and nothing else.

Times are left out; of histograms the counts are there. Prices are 1 and 10 USD per million tokens.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.metrics.house import CHAT, House

PRICE = {"input": 1, "cached_input": 0.5, "output": 10}
CUT = 5  # tokens that the first 3 words are taken for
WORDS = 5  # in an answer; the stand-in counts a word as a token
PROMPT = 5  # tokens, as the stand-in counts them

Do = Callable[[House], object]


def model(*targets: Any, **more: Any) -> dict[str, Any]:
    return {"m": {"targets": list(targets), "price": PRICE, **more}}


def usd(input_: float, output: float) -> float:
    return round((input_ * PRICE["input"] + output * PRICE["output"]) / 1e6, 9)


def told(provider: str, input_: int, output: int, *, tenant: tuple[int, int] | None = None) -> dict[str, float]:
    """Tokens and cost, of a provider and of the only tenant."""
    mine, its = tenant if tenant is not None else (input_, output)
    found: dict[str, float] = {
        f"tokens_total{{m,{provider},input}}": input_,
        f"tokens_total{{m,{provider},output}}": output,
        f"cost_usd_total{{m,{provider}}}": usd(input_, output),
        "tenant_tokens_total{anonymous,input}": mine,
        "tenant_tokens_total{anonymous,output}": its,
        "tenant_cost_usd_total{anonymous}": usd(mine, its),
    }
    return {name: value for name, value in found.items() if value}


def attempted(provider: str, outcome: str, times: int = 1, *, content: bool = False) -> dict[str, float]:
    found = {f"upstream_attempts_total{{{provider},m,{outcome}}}": float(times)}
    if outcome != "cancelled":
        found[f"upstream_duration_seconds_count{{{provider},m}}"] = times
    if content:
        found[f"upstream_ttft_seconds_count{{{provider},m}}"] = times
    return found


def ended(provider: str, status: str, stream: str = "false") -> dict[str, float]:
    found = {
        f"requests_total{{m,{provider},{status},{stream}}}": 1.0,
        f"tenant_requests_total{{anonymous,{status}}}": 1.0,
    }
    if status in ("success", "error"):
        found[f"request_duration_seconds_count{{m,{provider},{stream}}}"] = 1
    return found


def failed(provider: str, kind: str, times: int = 1) -> dict[str, float]:
    return {f"errors_total{{{provider},{kind}}}": times}


def streamed(provider: str, outcome: str, tokens: int | None = None) -> dict[str, float]:
    """`tokens`: of an answer that came whole; None: there is no speed to measure."""
    found = {f"streams_total{{{provider},{outcome}}}": 1.0, f"ttft_seconds_count{{m,{provider}}}": 1.0}
    if tokens is not None:
        found[f"stream_output_tokens_total{{m,{provider}}}"] = tokens - 1
        found[f"time_per_output_token_seconds_count{{m,{provider}}}"] = 1
    return found


OVERHEAD = {"overhead_seconds_count{false}": 1.0}
STREAM_OVERHEAD = {"overhead_seconds_count{true}": 1.0}


def plain(house: House) -> None:
    house.call("m")


def stream(house: House) -> None:
    house.call("m", stream=True)


def replayed(house: House) -> None:
    house.call("m", stream=True, temperature=0)


def leave_at_once(house: House) -> None:
    house.begin("m", stream=True).close()


def leave_in_the_middle(house: House) -> None:
    answer = house.begin("m", stream=True)
    next(chunk for chunk in answer.iter_encoded() if b'"content":"alpha0"' in chunk)
    answer.close()


def other_model(house: House) -> None:
    house.call("gpt-9")
    house.call("gpt-10")


def not_json(house: House) -> None:
    house.post(CHAT, b"{").close()


def what_is_no_call(house: House) -> None:
    house.call("m", "/v1/messages/count_tokens")
    for path in ("/v1/models", "/health/live", "/health/ready"):
        house.get(path).close()


ROWS: dict[str, tuple[dict[str, Any], Do, list[dict[str, float]]]] = {
    "a plain success": (
        model("alpha/words-5"),
        plain,
        [ended("alpha", "success"), attempted("alpha", "success"), told("alpha", PROMPT, WORDS), OVERHEAD],
    ),
    "a streamed success": (
        model("alpha/words-5-gap-5"),
        stream,
        [
            ended("alpha", "success", "true"),
            attempted("alpha", "success", content=True),
            told("alpha", PROMPT, WORDS),
            streamed("alpha", "complete", WORDS),
            STREAM_OVERHEAD,
        ],
    ),
    "a retry, then success": (
        model("alpha/first-1-fault-500-then-words-5"),
        plain,
        [
            ended("alpha", "success"),
            attempted("alpha", "success"),
            {"upstream_attempts_total{alpha,m,server_error}": 1, "upstream_duration_seconds_count{alpha,m}": 2},
            {"retries_total{alpha,server_error}": 1},
            failed("alpha", "server_error"),
            told("alpha", PROMPT, WORDS),
        ],
    ),
    "a fallback, after a retry": (
        model("alpha/fault-500", "beta/words-5"),
        plain,
        [
            ended("beta", "success"),
            attempted("alpha", "server_error", 2),
            attempted("beta", "success"),
            failed("alpha", "server_error", 2),
            {"retries_total{alpha,server_error}": 1, "fallbacks_total{alpha,beta,server_error}": 1},
            told("beta", PROMPT, WORDS),
        ],
    ),
    "every candidate fails": (
        model("alpha/fault-404", "beta/fault-402"),
        plain,
        [
            ended("beta", "error"),
            attempted("alpha", "model_not_found"),
            attempted("beta", "quota_exceeded"),
            failed("alpha", "model_not_found"),
            failed("beta", "quota_exceeded"),
            {"fallbacks_total{alpha,beta,model_not_found}": 1},
        ],
    ),
    "the provider refuses the payload": (
        model("alpha/fault-400"),
        plain,
        [ended("alpha", "client_error"), attempted("alpha", "invalid_request"), failed("alpha", "invalid_request")],
    ),
    "the provider's own limit, and nothing left to try": (
        model("alpha/fault-429-after-50"),
        plain,
        [ended("alpha", "error"), attempted("alpha", "rate_limited"), failed("alpha", "rate_limited")],
    ),
    "the provider refuses our key": (
        model("alpha/fault-401"),
        plain,
        [ended("alpha", "error"), attempted("alpha", "authentication"), failed("alpha", "authentication")],
    ),
    "an unknown model": (
        model("alpha/words-5"),
        other_model,
        [
            {"requests_total{other,none,client_error,false}": 2, "tenant_requests_total{anonymous,client_error}": 2},
            failed("none", "model_not_found", 2),
        ],
    ),
    "a body that is not JSON": (
        model("alpha/words-5"),
        not_json,
        [{"requests_total{other,none,client_error,false}": 1}, failed("none", "invalid_request")],
    ),
    "a client that leaves before the first token": (
        model("alpha/words-5-gap-50"),
        leave_at_once,
        [
            ended("alpha", "cancelled", "true"),
            attempted("alpha", "cancelled", content=True),
            {"streams_total{alpha,client_gone}": 1, "client_disconnects_total{alpha,before_first_token}": 1},
            told("alpha", 0, 2, tenant=(0, 0)),
            {"tokens_estimated_total{m,alpha}": 2},
        ],
    ),
    "a client that leaves in the middle": (
        model("alpha/words-5-gap-50"),
        leave_in_the_middle,
        [
            ended("alpha", "cancelled", "true"),
            attempted("alpha", "cancelled", content=True),
            streamed("alpha", "client_gone"),
            {"client_disconnects_total{alpha,streaming}": 1},
            told("alpha", 0, 2),
            {"tokens_estimated_total{m,alpha}": 2},
        ],
    ),
    "the provider dies in the middle of a stream": (
        model("alpha/words-20-gap-5-fault-cut-8", stream_rescue="off"),
        stream,
        [
            ended("alpha", "error", "true"),
            attempted("alpha", "stream_interrupted", content=True),
            streamed("alpha", "truncated"),
            failed("alpha", "stream_interrupted"),
            told("alpha", 0, 13),  # of 50 characters
            {"tokens_estimated_total{m,alpha}": 13, "stream_output_tokens_total{m,alpha}": 12},
        ],
    ),
    "a stream that breaks and is given again": (
        model("alpha/first-1-fault-cut-3-then-words-5-gap-5", stream_rescue="replay"),
        replayed,
        [
            ended("alpha", "success", "true"),
            attempted("alpha", "success", content=True),
            {"upstream_attempts_total{alpha,m,stream_interrupted}": 1},
            {"upstream_duration_seconds_count{alpha,m}": 2, "upstream_ttft_seconds_count{alpha,m}": 2},
            failed("alpha", "stream_interrupted"),
            {"retries_total{alpha,stream_interrupted}": 1},
            streamed("alpha", "rescued", WORDS),
            told("alpha", PROMPT, WORDS + CUT, tenant=(PROMPT, WORDS)),
            {"tokens_estimated_total{m,alpha}": CUT, "stream_output_tokens_total{m,alpha}": WORDS - 1 + CUT - 1},
        ],
    ),
    "a stream that breaks and is continued elsewhere": (
        model("alpha/words-5-gap-5-fault-cut-3", {"target": "claude/words-5-gap-5", "prefill": True}),
        stream,
        [
            ended("claude", "success", "true"),
            attempted("alpha", "stream_interrupted", content=True),
            attempted("claude", "success", content=True),
            failed("alpha", "stream_interrupted"),
            {"fallbacks_total{alpha,claude,stream_interrupted}": 1},
            {"streams_total{claude,rescued}": 1, "ttft_seconds_count{m,alpha}": 1},
            {"stream_output_tokens_total{m,claude}": WORDS - 1, "time_per_output_token_seconds_count{m,claude}": 1},
            # Of what the second one read, 3 words were the answer so far; they are taken for 4 tokens.
            told("claude", PROMPT + 3, WORDS, tenant=(PROMPT + 3 - 4, WORDS + 4)),
            {
                "tokens_total{m,alpha,output}": CUT,
                "tokens_estimated_total{m,alpha}": CUT,
                "cost_usd_total{m,alpha}": usd(0, CUT),
            },
            {"stream_output_tokens_total{m,alpha}": CUT - 1},
        ],
    ),
    "no usage": (
        model("alpha/words-5-nousage"),
        plain,
        [
            ended("alpha", "success"),
            attempted("alpha", "success"),
            OVERHEAD,
            told("alpha", 0, 7),  # of 28 characters
            {"usage_missing_total{m,alpha}": 1, "tokens_estimated_total{m,alpha}": 7},
        ],
    ),
    "cached tokens": (
        model("alpha/words-5-cached-2"),
        plain,
        [
            ended("alpha", "success"),
            attempted("alpha", "success"),
            told("alpha", PROMPT + 2, WORDS),
            OVERHEAD,
            {"token_details_total{m,alpha,cached_input}": 2},
            dict.fromkeys(("cost_usd_total{m,alpha}", "tenant_cost_usd_total{anonymous}"), usd(PROMPT + 1, WORDS)),
        ],
    ),
    "malformed events are skipped": (
        model("alpha/words-5-gap-5-fault-malformed-2-3"),
        stream,
        [
            ended("alpha", "success", "true"),
            attempted("alpha", "success", content=True),
            told("alpha", PROMPT, WORDS),
            streamed("alpha", "complete", WORDS),
            STREAM_OVERHEAD,
            {"stream_malformed_events_total{alpha}": 3},
        ],
    ),
    "what is no call": (model("alpha/words-5"), what_is_no_call, []),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_is_added(tmp_path: Path, name: str) -> None:
    models, do, parts = ROWS[name]
    with House(tmp_path, models) as house:
        do(house)
        assert house.added() == {series: value for part in parts for series, value in part.items()}


def test_where_nobody_could_be_asked_the_first_candidate_is_to_blame_and_nothing_was_attempted(tmp_path: Path) -> None:
    with House(tmp_path, model("alpha/fault-401", "alpha/words-5")) as house:
        house.call("m")
        before = house.added()
        house.call("m")
        after = house.added()
        more = {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name)}
        assert more == ended("alpha", "error") | failed("alpha", "circuit_open")


def test_a_bad_key_counts_nowhere_but_as_a_bad_key(tmp_path: Path) -> None:
    tenants = {"acme": {"keys": ["sha256:" + "0" * 64]}}
    with House(tmp_path, model("alpha/words-5"), tenants=tenants) as house:
        house.call("m")
        assert house.added() == {
            "requests_total{other,none,client_error,false}": 1,
            "errors_total{none,client_authentication}": 1,
        }


def test_ten_thousand_names_of_models_are_one_series(tmp_path: Path) -> None:
    with House(tmp_path, model("alpha/words-5")) as house:
        for number in range(10_000):
            house.call(f"model-{number}")
        assert house.added() == {
            "requests_total{other,none,client_error,false}": 10_000,
            "errors_total{none,model_not_found}": 10_000,
            "tenant_requests_total{anonymous,client_error}": 10_000,
        }


def test_a_call_of_a_model_without_a_price_costs_nothing(tmp_path: Path) -> None:
    with House(tmp_path, {"m": {"targets": ["alpha/words-5"]}}) as house:
        house.call("m")
        assert not any("cost" in name for name in house.added())
