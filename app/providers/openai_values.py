"""The closed sets of OpenAI's answers, and which of their values other providers' words mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.json import Json

#: Finish reasons that the official types know.
FINISHES = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})

#: What the model did not mean: the provider's own failure, told as a finish reason.
FAILURES = frozenset({"error", "network_error", "insufficient_system_resource", "abort", "engine_overloaded"})

_FINISHES: Mapping[str, str] = {
    "model_length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "sensitive": "content_filter",
    "content_filtered": "content_filter",
    "safety": "content_filter",
    "refusal": "content_filter",
}

TIERS = frozenset({"auto", "default", "flex", "scale", "priority"})
_TIERS: Mapping[str, str] = {
    "on_demand": "default",
    "standard": "default",
    "performance": "priority",
    "fast": "priority",
}

ROLES = frozenset({"developer", "system", "user", "assistant", "tool"})


def finish_of(reason: Any) -> str | None:
    """The canonical finish reason; None for none at all. An unknown one is `stop`: the answer did end."""
    if not isinstance(reason, str) or not reason or reason == "null":
        return None
    if reason in FINISHES:
        return reason
    return _FINISHES.get(reason.lower(), "stop")


def failure_of(choice: Json) -> Any:
    """What a choice says went wrong with it, None where nothing did."""
    reason = choice.get("finish_reason")
    if choice.get("error"):
        return choice["error"]
    return f"the answer ended with {reason!r}" if isinstance(reason, str) and reason in FAILURES else None


def put_tier(body: Json) -> None:
    """Map the provider's service tier to OpenAI's words, in place; one without a counterpart is left out."""
    tier = body["service_tier"]
    if tier is None:
        return
    mapped = (tier if tier in TIERS else _TIERS.get(tier)) if isinstance(tier, str) else None
    if mapped is None:
        del body["service_tier"]
    else:
        body["service_tier"] = mapped
