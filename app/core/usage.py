"""Tokens, as a provider counted them, and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

CHARS_A_TOKEN = 4  # English prose; code and other scripts have fewer

_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Usage:
    """`input` holds the cached and cache-written tokens, `output` the reasoning ones: the details are subsets."""

    input: int
    output: int
    cached_input: int = 0
    cache_write_input: int = 0
    reasoning_output: int = 0


NOTHING = Usage(0, 0)


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input: float = 0.0
    cached_input: float = 0.0
    output: float = 0.0

    def of(self, usage: Usage) -> float:
        """USD. What is written to a provider's cache costs what it costs to read: the table has no price for it."""
        cached = min(usage.cached_input, usage.input)
        read = (usage.input - cached) * self.input + cached * self.cached_input
        return (read + usage.output * self.output) / _MILLION


FREE = Price()


def at_least(reported: Usage | None, chars: int, prompt: int) -> Usage:
    """Of an answer that broke off, or of one that was never counted: what so many characters must have cost.

    A broken stream's usage may be of its beginning. `prompt` is a guess at its tokens: for where none were reported,
    and something was answered.
    """
    guessed = math.ceil(chars / CHARS_A_TOKEN)
    if reported is None:
        return Usage(prompt, guessed) if guessed else NOTHING
    return reported if reported.output >= guessed else replace(reported, output=guessed)
