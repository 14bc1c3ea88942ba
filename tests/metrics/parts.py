"""What calls of a model `m` add to the metrics, in pieces: `name{values of the labels}` to how much.

Prices are 1 and 10 USD per million tokens.
"""

from typing import Any

PRICE = {"input": 1, "cached_input": 0.5, "output": 10}
CUT = 5  # tokens that the first 3 words are taken for
WORDS = 5  # in an answer; the stand-in counts a word as a token
PROMPT = 5  # tokens, as the stand-in counts them
GUESS = 7  # the same, as we guess them where nobody counts


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
