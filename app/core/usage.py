"""Tokens, as a provider counted them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """`input` holds the cached and cache-written tokens, `output` the reasoning ones: the details are subsets."""

    input: int
    output: int
    cached_input: int = 0
    cache_write_input: int = 0
    reasoning_output: int = 0
