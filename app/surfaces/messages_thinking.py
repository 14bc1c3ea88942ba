"""How much a chat model is told to think, from a Messages request.

Whether it can be told hangs on the model: most of those that do not reason refuse the field, as most of those that do
refuse to be silenced. Names that say nothing get what was asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.core.json import Json
from app.providers.anthropic_thinking import effort_of

_PLAIN = re.compile(r"(?:^|/)(?:gpt-3\.5|gpt-4|chatgpt-)")  # refuse reasoning_effort
_CAN_BE_STILLED = re.compile(r"qwen|glm|gpt-5\.\d", re.IGNORECASE)  # take `none`
_WANTS_REASONING = re.compile(r"deepseek|kimi|glm|minimax", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wish:
    """`effort` in OpenAI's words, None where it is left to the model. `lost`: the field that cannot be said."""

    effort: str | None = None
    lost: str | None = None


def wished(body: Json, model: str) -> Wish:
    thinking = body.get("thinking") or {}
    effort = (body.get("output_config") or {}).get("effort")
    if thinking.get("type") == "disabled":
        return Wish("none" if _CAN_BE_STILLED.search(model) else None)
    if not thinking and not effort:
        return Wish()
    if _PLAIN.search(model):
        return Wish(lost="thinking" if thinking else "output_config")
    if effort:
        return Wish(str(effort))
    budget = thinking.get("budget_tokens")
    return Wish(effort_of(budget) if isinstance(budget, int) else "medium")


def wants_reasoning(model: str) -> bool:
    """Whether a model asks, by its documentation, for its own reasoning back within a tool loop."""
    return _WANTS_REASONING.search(model) is not None
