"""Anthropic's counts of tokens, in the house's and in OpenAI's form."""

from __future__ import annotations

from typing import Any

from app.core.json import Json
from app.core.usage import Usage
from app.providers.chat_writing import count


def usage_of(counts: Json) -> Usage:
    """Anthropic's `input_tokens` hold neither what was read from the cache nor what was written to it; ours hold both.

    Where an answer took several rounds (`iterations`), the counts outside are those of the last one alone.
    """
    rounds = counts.get("iterations")
    if isinstance(rounds, list) and rounds:
        return _sum([_one(each) for each in rounds], counts)
    return _one(counts)


def chat_usage(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input, "cache_write_tokens": usage.cache_write_input},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_output},
    }


def _one(counts: Json) -> Usage:
    cached, written = count(counts.get("cache_read_input_tokens")), count(counts.get("cache_creation_input_tokens"))
    return Usage(
        input=count(counts.get("input_tokens")) + cached + written,
        output=count(counts.get("output_tokens")),
        cached_input=cached,
        cache_write_input=written,
        reasoning_output=_reasoning(counts),
    )


def _sum(rounds: list[Usage], counts: Json) -> Usage:
    return Usage(
        input=sum(each.input for each in rounds),
        output=sum(each.output for each in rounds),
        cached_input=sum(each.cached_input for each in rounds),
        cache_write_input=sum(each.cache_write_input for each in rounds),
        reasoning_output=_reasoning(counts),
    )


def _reasoning(counts: Json) -> int:
    details: Any = counts.get("output_tokens_details") or {}
    return count(details.get("thinking_tokens"))
