"""How much a model is told to think."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import GatewayError
from app.core.json import Json
from app.providers.anthropic_request import to_messages
from tests.providers.anthropic_given import WEATHER

HELLO = [{"role": "user", "content": "Hello"}]


def translated(model: str, **fields: Any) -> tuple[Json, tuple[str, ...]]:
    return to_messages({"model": "fast", "messages": HELLO, **fields}, model)


def test_older_models_are_given_a_number_of_tokens_that_leaves_room_for_the_answer() -> None:
    made, lost = translated("claude-sonnet-4-5", reasoning_effort="high", max_tokens=3000)

    assert made["thinking"] == {"type": "enabled", "budget_tokens": 1500}
    assert lost == ()


def test_a_budget_is_never_below_what_anthropic_takes_nor_as_large_as_the_limit() -> None:
    assert (
        translated("claude-haiku-4-5", reasoning_effort="low", max_tokens=1025)[0]["thinking"]["budget_tokens"] == 1024
    )
    made, lost = translated("claude-haiku-4-5", reasoning_effort="low", max_tokens=1024)
    assert "thinking" not in made
    assert lost == ("reasoning_effort",)


@pytest.mark.parametrize(
    ("effort", "told"), [("minimal", "low"), ("medium", "medium"), ("xhigh", "high"), ("max", "max")]
)
def test_newer_models_are_given_an_effort_that_they_know(effort: str, told: str) -> None:
    made, _ = translated("claude-opus-4-6", reasoning_effort=effort)

    assert made["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert made["output_config"] == {"effort": told}


def test_models_that_cannot_think_are_not_told_to() -> None:
    made, lost = translated("claude-3-5-haiku-latest", reasoning_effort="high")

    assert "thinking" not in made
    assert lost == ("reasoning_effort",)


@pytest.mark.parametrize(
    ("model", "thinking", "lost"),
    [
        ("claude-sonnet-4-5", None, ()),
        ("claude-opus-4-8", None, ()),
        ("claude-opus-5", {"type": "disabled"}, ()),
        ("claude-fable-5", None, ("reasoning_effort",)),
    ],
)
def test_no_thought_is_said_as_the_model_wants_it(model: str, thinking: Json | None, lost: tuple[str, ...]) -> None:
    made, dropped = translated(model, reasoning_effort="none")

    assert made.get("thinking") == thinking
    assert dropped == lost


def test_a_model_that_thinks_sets_its_own_temperature() -> None:
    made, lost = translated("claude-sonnet-4-5", reasoning_effort="low", temperature=0.2, top_p=0.99, top_k=5)

    assert "temperature" not in made
    assert made["top_p"] == 0.99
    assert lost == ("temperature", "top_k")
    assert translated("claude-sonnet-4-5", reasoning_effort="low", temperature=1)[1] == ()


def test_a_forced_call_leaves_an_older_model_no_time_to_think() -> None:
    made, lost = translated("claude-sonnet-4-5", reasoning_effort="low", tools=[WEATHER], tool_choice="required")

    assert "thinking" not in made
    assert lost == ("reasoning_effort",)


def test_anthropics_own_thinking_object_is_put_in_the_form_of_the_model() -> None:
    """DeepSeek and z.ai have a field of that name too, without a budget."""
    own = {"type": "enabled", "budget_tokens": 5000}

    assert translated("claude-sonnet-4-5", thinking=own)[0]["thinking"] == own
    assert translated("claude-opus-4-7", thinking=own)[0]["output_config"] == {"effort": "medium"}
    assert translated("claude-sonnet-4-5", thinking={"type": "enabled"})[0]["thinking"]["budget_tokens"] == 2048
    assert "thinking" not in translated("claude-sonnet-4-5", thinking={"type": "disabled"})[0]


def test_an_effort_that_nobody_knows_is_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        translated("claude-sonnet-4-5", reasoning_effort="heroic")
    assert caught.value.param == "reasoning_effort"
