"""How much a Gemini is told to think: by level where it knows levels, else by a budget of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.json import Json
from app.providers.anthropic_thinking import Wish, effort_of, wished
from app.providers.gemini_models import LEVELS, Gemini

#: Tokens of thought by effort: what Google's own OpenAI-compatible endpoint makes of it.
BUDGETS: Mapping[str, int] = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576}
DYNAMIC = -1  # as much as the model finds right


@dataclass(frozen=True, slots=True)
class Plan:
    """`config` is thinkingConfig, None where the model is left to itself. `lost`: the field that it cannot be told."""

    config: Mapping[str, Any] | None = None
    lost: str | None = None


def plan(body: Json, row: Gemini) -> Plan:
    """Raises GatewayError (invalid_request) for an effort that is none."""
    wish = wished(body)
    if wish.on is None:
        return Plan()
    if not row.thinks:
        return Plan(lost=wish.name if wish.on else None)
    if not wish.on:
        return _stilled(wish, row)
    return Plan({**(_level(wish, row) if row.levels else _budget(wish, row)), "includeThoughts": True})


def _stilled(wish: Wish, row: Gemini) -> Plan:
    """As little thought as the model can do with."""
    if row.levels:
        return Plan({"thinkingLevel": row.levels[0].upper()}, lost=wish.name)
    if row.can_be_stilled:
        return Plan({"thinkingBudget": 0})
    return Plan({"thinkingBudget": row.least}, lost=wish.name)


def _level(wish: Wish, row: Gemini) -> Mapping[str, Any]:
    effort = wish.effort or (effort_of(wish.budget) if wish.budget else None)
    if effort is None:
        return {}
    at = LEVELS.index(effort) if effort in LEVELS else len(LEVELS) - 1
    known = [each for each in row.levels if LEVELS.index(each) <= at]
    return {"thinkingLevel": (known[-1] if known else row.levels[0]).upper()}


def _budget(wish: Wish, row: Gemini) -> Mapping[str, Any]:
    budget = wish.budget if wish.budget is not None else BUDGETS.get(wish.effort or "", None)
    if budget is None:  # some thought, however much; or all that there is
        budget = row.most if wish.effort else DYNAMIC
    return {"thinkingBudget": budget if budget == DYNAMIC else min(max(budget, row.least), row.most)}
