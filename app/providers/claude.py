"""What each Claude model takes that others refuse, by the beginning of its name.

A request in Messages form needs none of this: it travels as it is. It is for requests that were written for another
API, whose fields have to be put in the form that the model at hand accepts.

Sources: LiteLLM 1.106's model map (limits, efforts, sampling, system messages), AWS's page on adaptive thinking and
OpenRouter's migration guide for Claude 4.7, all of November 2026; for models that have left the map, their limits of
old. Where they differ (Sonnet 4.6: 64,000 or 128,000) the smaller limit stands here: it only serves as a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum


class Thinking(Enum):
    """How a model is told to think."""

    NO = "cannot"
    BUDGET = "enabled, with a number of tokens"
    ADAPTIVE = "adaptive, with an effort; off where nothing is said"
    ADAPTIVE_ON = "adaptive, on unless it is disabled"
    ALWAYS = "adaptive; refuses to be disabled"


class Sampling(Enum):
    """What a model takes of temperature, top_p and top_k."""

    FREE = "all of them"
    ONE = "temperature or top_p, not both"
    NONE = "none of them"


EFFORTS = ("low", "medium", "high", "xhigh", "max")
NO_XHIGH = ("low", "medium", "high", "max")


@dataclass(frozen=True, slots=True)
class Claude:
    """One row. `max_tokens` is the longest answer; `system_later`: takes a system message after the first turn."""

    max_tokens: int
    thinking: Thinking
    sampling: Sampling
    efforts: tuple[str, ...] = EFFORTS
    strict_tools: bool = True
    system_later: bool = False


def _budget(max_tokens: int, sampling: Sampling, *, strict_tools: bool) -> Claude:
    return Claude(max_tokens, Thinking.BUDGET, sampling, strict_tools=strict_tools)


_EARLY = Claude(4_096, Thinking.NO, Sampling.FREE, strict_tools=False)
_NEWEST = Claude(128_000, Thinking.ALWAYS, Sampling.NONE, system_later=True)
_ON_BY_DEFAULT = Claude(128_000, Thinking.ADAPTIVE_ON, Sampling.NONE, system_later=True)

#: Longest beginning wins. A Claude that is not here is newer than this table and taken for the newest kind.
_MODELS: Mapping[str, Claude] = {
    "claude-": _NEWEST,
    "claude-3-": _EARLY,
    "claude-3-5-": Claude(8_192, Thinking.NO, Sampling.FREE, strict_tools=False),
    "claude-3-7-": _budget(64_000, Sampling.FREE, strict_tools=False),
    "claude-sonnet-4": _budget(64_000, Sampling.FREE, strict_tools=False),
    "claude-opus-4": _budget(32_000, Sampling.FREE, strict_tools=False),
    "claude-opus-4-1": _budget(32_000, Sampling.ONE, strict_tools=True),
    "claude-haiku-4-5": _budget(64_000, Sampling.ONE, strict_tools=True),
    "claude-sonnet-4-5": _budget(64_000, Sampling.ONE, strict_tools=True),
    "claude-opus-4-5": _budget(64_000, Sampling.ONE, strict_tools=True),
    "claude-sonnet-4-6": Claude(64_000, Thinking.ADAPTIVE, Sampling.ONE, NO_XHIGH),
    "claude-opus-4-6": Claude(128_000, Thinking.ADAPTIVE, Sampling.ONE, NO_XHIGH),
    "claude-opus-4-7": Claude(128_000, Thinking.ADAPTIVE, Sampling.NONE),
    "claude-opus-4-8": Claude(128_000, Thinking.ADAPTIVE, Sampling.NONE, system_later=True),
    "claude-mythos-preview": Claude(128_000, Thinking.ALWAYS, Sampling.NONE),
    "claude-haiku-5-5": _ON_BY_DEFAULT,
    "claude-sonnet-5": _ON_BY_DEFAULT,
    "claude-sonnet-5-5": _NEWEST,
    "claude-opus-5": _ON_BY_DEFAULT,
    "claude-opus-5-5": _NEWEST,
}

#: Somebody else's model behind the Messages API: the oldest common form, and an answer that most of them can give.
_STRANGER = Claude(8_192, Thinking.BUDGET, Sampling.FREE)


def claude(model: str, max_output: int | None = None) -> Claude:
    """The row of a model, under any of its names: `claude-opus-4-6`, `anthropic/claude-opus-4.6`,
    `eu.anthropic.claude-opus-4-6-v1`, `claude-opus-4-6@20260205`.

    `max_output`: its longest answer, in tokens, where the configuration knows better.
    """
    row = _row(model)
    return row if max_output is None else replace(row, max_tokens=max_output)


def _row(model: str) -> Claude:
    _, found, rest = model.replace(".", "-").rpartition("claude-")
    if not found:
        return _STRANGER
    name = found + rest
    return _MODELS[max((known for known in _MODELS if name.startswith(known)), key=len)]
