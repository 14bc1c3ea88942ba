"""Whether a model can take a call, by what the configuration says of it: images, tools, how much it reads, writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.call import Call, Route, Target
from app.core.errors import ErrorType, GatewayError, invalid
from app.core.text import least_tokens
from app.core.wire import Operation

_IMAGES = frozenset({"image_url", "image", "input_image"})

#: Where a call says how long its answer may be, the first that is there.
_ASKED: Mapping[Operation, tuple[str, ...]] = {
    Operation.CHAT: ("max_completion_tokens", "max_tokens"),
    Operation.COMPLETIONS: ("max_tokens",),
    Operation.RESPONSES: ("max_output_tokens",),
    Operation.MESSAGES: ("max_tokens",),
}


def takes(route: Route, call: Call) -> bool:
    """Whether the model can take such a call, as a fallback of another."""
    body = call.body
    if not route.tools and (body.get("tools") or body.get("functions")):
        return False
    if not route.vision and any(_shows(body.get(name)) for name in ("messages", "input")):
        return False
    return refusal(route, call) is None


def refusal(route: Route, call: Call) -> GatewayError | None:
    """What every target of this model would answer if it were asked; None where that cannot be known beforehand.

    invalid_request where the answer may be longer than the model can write, context_length where the prompt is longer
    than it can read. Whatever may fit is for the provider to judge.
    """
    refused = None
    for target in route.targets:
        if target.context is None and target.max_output is None:
            return None
        refused = _too_much(target, route.label, call)
        if refused is None:
            return None
    return refused


def reads_more(route: Route, context: int | None) -> bool:
    """Whether there is a target that may read more than `context` tokens."""
    return context is None or any(target.context is None or target.context > context for target in route.targets)


def _too_much(target: Target, label: str, call: Call) -> GatewayError | None:
    names, body = _ASKED.get(call.language.operation), call.body
    if names is None:
        return None
    field = next((name for name in names if body.get(name) is not None), None)
    most = target.max_output
    if field is not None and most is not None and isinstance(asked := body[field], int) and asked > most:
        return invalid(f"{field} is {asked}, and model {label!r} writes {most} tokens at most", field)
    if target.context is not None and (least := least_tokens(body, target.context)) > target.context:
        message = f"the prompt has at least {least} tokens, and model {label!r} reads {target.context} at most"
        return GatewayError(ErrorType.CONTEXT_LENGTH, message, param="input" if "input" in body else "messages")
    return None


def _shows(said: Any, deeper: int = 3) -> bool:
    """Whether there is an image among messages or their parts; those that a tool gave are one step further in."""
    if not isinstance(said, list) or not deeper:
        return False
    return any(
        isinstance(part, dict)
        and (part.get("type") in _IMAGES or any(_shows(part.get(name), deeper - 1) for name in ("content", "output")))
        for part in said
    )
