"""A Messages request as an OpenAI chat request.

Whether a model reasons hangs on its name, so `model` should be what the provider calls it. An alias is as good as any
name that says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.providers.fields import check_messages
from app.surfaces.messages_history import chat_messages
from app.surfaces.messages_tools import choice, functions

_NAMED = r"(?:^|/)"  # a model's own name, whatever stands before it
_PLAIN = re.compile(_NAMED + r"(?:gpt-3\.5|gpt-4|chatgpt-)")  # refuse reasoning_effort
_WANTS_REASONING = re.compile(r"deepseek|kimi|glm|minimax", re.IGNORECASE)  # within a tool loop, by their documentation
LONGEST_USER = 64  # OpenAI's limit

_MEDIUM_FROM, _HIGH_FROM = 4_096, 16_384  # tokens of thought: clients ask for 4,000, 10,000 and 32,000


@dataclass(frozen=True, slots=True)
class Written:
    """`names`: the real names of tools whose names had to be cut. `dropped`: fields that chat cannot say."""

    body: Json
    dropped: tuple[str, ...]
    names: Mapping[str, str]


def to_chat(body: Json) -> Written:
    """Raises:
    GatewayError: invalid_request, naming what cannot be left out and cannot be said.
    """
    dropped = list(check_messages(body))
    model = body["model"]
    reasoning = _WANTS_REASONING.search(model) is not None
    made: Json = {
        "model": model,
        "messages": chat_messages(body.get("system"), body["messages"], reasoning=reasoning),
        "max_completion_tokens": body["max_tokens"],  # the older name is refused by models that reason
    }
    tools, names = functions(body.get("tools"))
    if tools:
        made["tools"] = tools
        made.update(choice(body.get("tool_choice")))
    for name in ("temperature", "top_p", "stream"):
        if body.get(name) is not None:
            made[name] = body[name]
    if stops := body.get("stop_sequences"):
        made["stop"] = stops
    if user := (body.get("metadata") or {}).get("user_id"):
        made["user"] = str(user)[:LONGEST_USER]
    if form := _form(body):
        made["response_format"] = form
    if effort := _effort(body):
        if _PLAIN.search(model):
            dropped.append("thinking" if body.get("thinking") else "output_config")
        else:
            made["reasoning_effort"] = effort
    return Written(made, tuple(dropped), names)


def _form(body: Json) -> Json | None:
    form = (body.get("output_config") or {}).get("format") or body.get("output_format")
    if not form:
        return None
    if not isinstance(form, dict) or form.get("type") != "json_schema" or not isinstance(form.get("schema"), dict):
        raise invalid("format must be of type json_schema, with a schema", "output_config.format")
    named = {"name": "answer", "schema": form["schema"]}
    return {"type": "json_schema", "json_schema": {**named, "strict": True} if _is_strict(form["schema"]) else named}


def _is_strict(schema: Any) -> bool:
    """Whether OpenAI takes the schema as strict: every object closed, and all its properties required."""
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, dict):
        return True
    if isinstance(properties := schema.get("properties"), dict):
        required = schema.get("required") or ()
        if schema.get("additionalProperties") is not False or not all(name in required for name in properties):
            return False
    return all(map(_is_strict, schema.values()))


def _effort(body: Json) -> str | None:
    """How much to think, in OpenAI's words; None where the request leaves it to the model."""
    thinking = body.get("thinking") or {}
    effort = (body.get("output_config") or {}).get("effort")
    if thinking.get("type") == "disabled":
        return None
    if effort:
        return str(effort)
    if thinking.get("type") == "enabled":
        budget = thinking.get("budget_tokens") or 0
        return "low" if budget < _MEDIUM_FROM else "medium" if budget < _HIGH_FROM else "high"
    return "medium" if thinking else None
