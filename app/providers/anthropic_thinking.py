"""How much a Claude model is told to think: from OpenAI's `reasoning_effort`, or from a `thinking` object, which
clients of Anthropic, DeepSeek and z.ai send beside OpenAI's fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.providers.claude import Claude, Thinking

#: Tokens of thought by effort, for models that are told a number. LiteLLM's figures: what a client that moves here had.
BUDGETS: Mapping[str, int] = {"minimal": 1024, "low": 1024, "medium": 2048, "high": 4096, "xhigh": 8192, "max": 16384}
LEAST = 1024  # Anthropic takes no smaller budget, and only below max_tokens

_ADAPTIVE: Mapping[str, str] = {"type": "adaptive", "display": "summarized"}
_OFF: Mapping[str, str] = {"type": "disabled"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send. `lost`: the field that the model cannot be told. `on`: it will think, as far as we know.
    `sees_thinking`: its thinking of earlier turns may be sent."""

    thinking: Mapping[str, Any] | None = None
    effort: str | None = None
    lost: str | None = None
    on: bool = False
    sees_thinking: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What the client asked for, and in which field. `on` None: it said nothing."""

    name: str
    on: bool | None = None
    effort: str | None = None
    budget: int | None = None


def plan(body: Json, row: Claude, max_tokens: int, *, forced: bool) -> Plan:
    """`forced`: the model must call a tool, which models with a budget cannot do while they think.

    Raises:
        GatewayError: invalid_request, for an effort that is none.
    """
    wish = wished(body)
    if row.thinking is Thinking.NO:
        return Plan(lost=wish.name if wish.on else None)
    if row.thinking is Thinking.BUDGET:
        return _with_budget(wish, max_tokens, forced=forced)
    return _adaptive(wish, row)


def wished(body: Json) -> Wish:
    """Raises GatewayError (invalid_request) for an effort that is none."""
    own, effort = body.get("thinking"), body.get("reasoning_effort")
    if effort is not None and effort != "default":
        if not isinstance(effort, str) or (effort != "none" and effort not in BUDGETS):
            raise invalid(f"reasoning_effort must be one of none, {', '.join(BUDGETS)}", "reasoning_effort")
        return Wish("reasoning_effort", effort != "none", effort)
    if own is None:
        return Wish("reasoning_effort")
    if not isinstance(own, dict):
        raise invalid("thinking must be an object", "thinking")
    return Wish("thinking", own.get("type") != "disabled", budget=_number(own.get("budget_tokens")))


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _with_budget(wish: Wish, max_tokens: int, *, forced: bool) -> Plan:
    if not wish.on:
        return Plan()
    if forced or max_tokens <= LEAST:
        return Plan(lost=wish.name)
    if wish.budget is not None:
        budget = min(wish.budget, max_tokens - 1)
    else:
        budget = min(BUDGETS[wish.effort or "medium"], max_tokens // 2)  # the answer needs room too
    thinking = {"type": "enabled", "budget_tokens": max(LEAST, budget)}
    return Plan(thinking, on=True, sees_thinking=True)


def _adaptive(wish: Wish, row: Claude) -> Plan:
    if wish.on is None:
        return Plan(on=row.thinking is not Thinking.ADAPTIVE, sees_thinking=True)
    if wish.on:
        effort = wish.effort or (effort_of(wish.budget) if wish.budget else None)
        return Plan(_ADAPTIVE, _nearest(effort, row.efforts) if effort else None, on=True, sees_thinking=True)
    if row.thinking is Thinking.ALWAYS:
        return Plan(lost=wish.name, on=True, sees_thinking=True)
    return Plan(_OFF if row.thinking is Thinking.ADAPTIVE_ON else None, sees_thinking=True)


def effort_of(budget: int) -> str:
    """The effort that a number of tokens stands for. Clients ask for 1,024 to 4,000 where they mean a little thought,
    8,000 to 16,000 for more, and 32,000 for all that there is."""
    return "low" if budget < 4096 else "medium" if budget < 16384 else "high"


def _nearest(effort: str, known: tuple[str, ...]) -> str:
    """The same effort, or the next lower one that the model knows, or its lowest."""
    order = list(BUDGETS)
    lower = [each for each in known if order.index(each) <= order.index(effort)]
    return lower[-1] if lower else known[0]
