"""Gemini's counts of tokens, in the house's form."""

from __future__ import annotations

from typing import Any

from app.core.json import Json
from app.core.usage import Usage

_COUNTS = ("promptTokenCount", "candidatesTokenCount", "totalTokenCount")


def usage_of(counts: Any) -> Usage | None:
    """Gemini counts thoughts beside the answer, and what its own tools read beside the prompt; ours hold both.

    None where nothing was counted, as for a prompt that was blocked.
    """
    if not isinstance(counts, dict) or not any(name in counts for name in _COUNTS):
        return None
    thoughts = _count(counts, "thoughtsTokenCount")
    return Usage(
        input=_count(counts, "promptTokenCount") + _count(counts, "toolUsePromptTokenCount"),
        output=_count(counts, "candidatesTokenCount") + thoughts,
        cached_input=_count(counts, "cachedContentTokenCount"),
        reasoning_output=thoughts,
    )


def _count(counts: Json, name: str) -> int:
    value = counts.get(name)
    return value if isinstance(value, int) and value > 0 else 0
