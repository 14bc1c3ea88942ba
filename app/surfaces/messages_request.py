"""A Messages request as an OpenAI chat request.

Whether a model reasons hangs on its name, so `model` should be what the provider calls it. An alias is as good as any
name that says nothing.
"""

from __future__ import annotations

from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.providers import signatures
from app.providers.fields import check_messages
from app.surfaces.messages_history import chat_messages
from app.surfaces.messages_thinking import wants_reasoning, wished
from app.surfaces.messages_tools import choice, functions
from app.surfaces.through_chat import Written

LONGEST_USER = 64  # OpenAI's limit


def to_chat(body: Json, *, marks: bool = False) -> Written:
    """The request in the canonical form. `marks`: with Anthropic's own words for caches and for signed thinking.

    Raises:
        GatewayError: invalid_request, naming what cannot be left out and cannot be said.
    """
    dropped = list(check_messages(body))
    model = body["model"]
    made: Json = {
        "model": model,
        "messages": chat_messages(
            body.get("system"),
            body["messages"],
            reasoning=wants_reasoning(model),
            signatures=signatures.wants(model),
            marks=marks,
        ),
        "max_completion_tokens": body["max_tokens"],  # the older name is refused by models that reason
    }
    tools, names = functions(body.get("tools"), marks=marks)
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
    wish = wished(body, model)
    if wish.effort:
        made["reasoning_effort"] = wish.effort
    if wish.lost:
        dropped.append(wish.lost)
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
        required = schema.get("required")
        known = required if isinstance(required, list) else ()
        if schema.get("additionalProperties") is not False or not all(name in known for name in properties):
            return False
    return all(map(_is_strict, schema.values()))
