"""The table of events: what is configured, what a client does, and all that it adds."""

from collections.abc import Callable
from typing import Any

from tests.metrics.house import CHAT, House
from tests.metrics.parts import (
    CUT,
    GUESS,
    OVERHEAD,
    PROMPT,
    STREAM_OVERHEAD,
    WORDS,
    attempted,
    ended,
    failed,
    model,
    streamed,
    told,
    usd,
)

Do = Callable[[House], object]


def plain(house: House) -> None:
    house.call("m")


def stream(house: House) -> None:
    house.call("m", stream=True)


def twice(house: House) -> None:
    house.call("m")
    house.call("m")


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
            told("alpha", GUESS, 2, tenant=(0, 0)),
            {"tokens_estimated_total{m,alpha}": GUESS + 2},
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
            told("alpha", GUESS, 2),
            {"tokens_estimated_total{m,alpha}": GUESS + 2},
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
            told("alpha", GUESS, 13),  # of 50 characters
            {"tokens_estimated_total{m,alpha}": GUESS + 13, "stream_output_tokens_total{m,alpha}": 12},
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
            told("alpha", PROMPT + GUESS, WORDS + CUT, tenant=(PROMPT, WORDS)),
            {
                "tokens_estimated_total{m,alpha}": GUESS + CUT,
                "stream_output_tokens_total{m,alpha}": WORDS - 1 + CUT - 1,
            },
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
                "tokens_total{m,alpha,input}": GUESS,
                "tokens_total{m,alpha,output}": CUT,
                "tokens_estimated_total{m,alpha}": GUESS + CUT,
                "cost_usd_total{m,alpha}": usd(GUESS, CUT),
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
            told("alpha", GUESS, 7),  # of 28 characters
            {"usage_missing_total{m,alpha}": 1, "tokens_estimated_total{m,alpha}": GUESS + 7},
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
    "an answer from the cache, the second time": (
        model("alpha/words-5", cache={"ttl": 60}),
        twice,
        [
            ended("alpha", "success"),
            attempted("alpha", "success"),
            told("alpha", PROMPT, WORDS),
            OVERHEAD,
            {"requests_total{m,cache,success,false}": 1, "request_duration_seconds_count{m,cache,false}": 1},
            {"tenant_requests_total{anonymous,success}": 2},
            {"cache_operations_total{get,miss}": 1, "cache_operations_total{set,ok}": 1},
            {"cache_operations_total{get,hit}": 1},
            {"cache_saved_tokens_total{m,input}": PROMPT, "cache_saved_tokens_total{m,output}": WORDS},
            {"cache_saved_cost_usd_total{m}": usd(PROMPT, WORDS)},
        ],
    ),
    "what is no call": (model("alpha/words-5"), what_is_no_call, []),
}
