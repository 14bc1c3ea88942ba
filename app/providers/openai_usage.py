"""Token counts of providers that speak OpenAI's language: what the books get, and what the client sees."""

from __future__ import annotations

from typing import Any

from app.core.json import Json
from app.core.usage import Usage

_MOST = 2**53  # tokens; what is more is no number of them
_CACHED = ("cached_tokens", "num_cached_tokens", "prompt_cache_hit_tokens")  # of Together, Mistral, DeepSeek
_COUNTS = frozenset({int, type(None)})


def settle(raw: Json) -> Usage:
    """Read a `usage` object and put its sums right, in place.

    Outward `total_tokens == prompt_tokens + completion_tokens`, with the reasoning tokens inside the completion. xAI
    (and its models on Azure) counts them beside it, and Gemini does not name them at all; either shows in the total.
    So does the speech in a prompt, which Mistral counts beside its text.
    """
    prompt = _count(raw, "prompt_tokens")
    completion = _count(raw, "completion_tokens")
    total = _count(raw, "total_tokens")
    of_prompt, of_completion = _details(raw, "prompt_tokens_details"), _details(raw, "completion_tokens_details")
    reasoning = _count(of_completion, "reasoning_tokens") or _count(raw, "reasoning_tokens") or 0
    cached = _count(of_prompt, "cached_tokens")
    if cached is None:
        cached = next(filter(None, (_count(raw, name) for name in _CACHED)), 0)
    if prompt is None:
        prompt = max(0, (total or 0) - (completion or 0))
    if completion is None:
        completion = max(0, (total or 0) - prompt)
    if total is not None and (beside := total - prompt - completion) > 0:
        if beside == _count(of_prompt, "audio_tokens"):
            prompt += beside
        else:
            completion += beside
    raw["prompt_tokens"] = prompt
    raw["completion_tokens"] = completion
    raw["total_tokens"] = prompt + completion
    if cached and not of_prompt:
        raw["prompt_tokens_details"] = {"cached_tokens": cached}
    if reasoning and not of_completion:
        raw["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return Usage(
        input=prompt,
        output=completion,
        cached_input=cached,
        cache_write_input=_count(of_prompt, "cache_write_tokens") or 0,
        reasoning_output=reasoning,
    )


def settle_in(body: Json) -> Usage | None:
    """The same for the usage of a whole answer, which may have none."""
    raw = body.get("usage")
    if isinstance(raw, dict) and raw:
        return settle(raw)
    if raw is not None:
        del body["usage"]
    return None


def settle_input(raw: Json) -> Usage:
    """The same for embeddings, which have no completion."""
    prompt = _count(raw, "prompt_tokens")
    if prompt is None:
        prompt = _count(raw, "total_tokens") or 0
    raw["prompt_tokens"] = prompt
    raw["total_tokens"] = prompt + (_count(raw, "completion_tokens") or 0)
    return Usage(input=prompt, output=0)


def settle_response(body: Json) -> Usage | None:
    """The same for a response, whose counts have other names and details that are all required."""
    raw = body.get("usage")
    if not isinstance(raw, dict) or not raw:
        if raw is not None:
            body["usage"] = None
        return None
    given, made = _count(raw, "input_tokens") or 0, _count(raw, "output_tokens") or 0
    made = max(made, (_count(raw, "total_tokens") or 0) - given)
    of_input, of_output = _details(raw, "input_tokens_details"), _details(raw, "output_tokens_details")
    usage = Usage(
        input=given,
        output=made,
        cached_input=_count(of_input, "cached_tokens") or 0,
        cache_write_input=_count(of_input, "cache_write_tokens") or 0,
        reasoning_output=_count(of_output, "reasoning_tokens") or 0,
    )
    raw |= {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}
    raw["input_tokens_details"] = {
        **of_input,
        "cached_tokens": usage.cached_input,
        "cache_write_tokens": usage.cache_write_input,
    }
    raw["output_tokens_details"] = {**of_output, "reasoning_tokens": usage.reasoning_output}
    return usage


def _details(raw: Json, name: str) -> Json:
    details = raw.get(name)
    if isinstance(details, dict):
        for part in [part for part, count in details.items() if count.__class__ not in _COUNTS]:
            del details[part]
        return details
    if details is not None:
        del raw[name]
    return {}


def _count(raw: Json, name: str) -> int | None:
    value: Any = raw.get(name)
    if value.__class__ is int:
        return min(max(value, 0), _MOST)
    if isinstance(value, float) and 0 <= value < _MOST:
        return int(value)
    return None
