"""What a provider says that an answer took, by each provider's own arithmetic."""

from __future__ import annotations

from typing import Any

from tests.recorded.reading import Tokens


def openai_tokens(usage: dict[str, Any] | None, *, beside: bool) -> Tokens | None:
    """`beside`: this provider counts the reasoning tokens beside the completion's and not among them (xAI's models;
    Google, which does not even name them).

    Mistral counts speech beside the prompt's text, which its total shows.
    """
    if not usage:
        return None
    of_prompt = usage.get("prompt_tokens_details") or {}
    of_completion = usage.get("completion_tokens_details") or {}
    cached = (
        of_prompt.get("cached_tokens")
        or usage.get("num_cached_tokens")  # Mistral
        or usage.get("cached_tokens")  # Together
        or usage.get("prompt_cache_hit_tokens")  # DeepSeek
        or 0
    )
    reasoning = of_completion.get("reasoning_tokens") or usage.get("reasoning_tokens") or 0
    speech = of_prompt.get("audio_tokens") or 0 if "prompt_audio_seconds" in usage else 0
    output = usage.get("completion_tokens") or 0  # embeddings have none, and completions that say nothing
    beside_it = (reasoning or usage["total_tokens"] - usage["prompt_tokens"] - output) if beside else 0
    return Tokens(
        input=usage["prompt_tokens"] + speech,
        output=output + beside_it,
        cached=cached,
        written=of_prompt.get("cache_write_tokens") or 0,
        reasoning=reasoning,
    )


def counts_beside(provider: str, model: str | None) -> bool:
    """xAI's models, also where Azure hosts them, and Google's where they are asked in OpenAI's language."""
    return provider in ("xai", "gemini") or (provider == "azure" and "grok" in (model or ""))


def anthropic_tokens(usage: dict[str, Any] | None) -> Tokens | None:
    """Input is what was neither read from the cache nor written to it; in OpenAI's words it holds all three."""
    if not usage:
        return None
    cached, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    details = usage.get("output_tokens_details") or {}
    return Tokens(
        input=(usage.get("input_tokens") or 0) + cached + written,
        output=usage["output_tokens"],
        cached=cached,
        written=written,
        reasoning=details.get("thinking_tokens") or 0,
    )
