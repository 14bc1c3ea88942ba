"""Gemini's counts of tokens, in the house's form."""

from __future__ import annotations

from typing import Any

from app.core.usage import Usage
from app.providers.chat_writing import count

_COUNTS = ("promptTokenCount", "candidatesTokenCount", "totalTokenCount")


def usage_of(counts: Any) -> Usage | None:
    """Gemini counts thoughts beside the answer, and what its own tools read beside the prompt; ours hold both.

    None where nothing was counted, as for a prompt that was blocked.
    """
    if not isinstance(counts, dict) or not any(name in counts for name in _COUNTS):
        return None
    thoughts = count(counts.get("thoughtsTokenCount"))
    return Usage(
        input=count(counts.get("promptTokenCount")) + count(counts.get("toolUsePromptTokenCount")),
        output=count(counts.get("candidatesTokenCount")) + thoughts,
        cached_input=count(counts.get("cachedContentTokenCount")),
        reasoning_output=thoughts,
    )
