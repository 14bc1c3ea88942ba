"""A Responses request as an OpenAI chat request."""

from __future__ import annotations

from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.providers import signatures
from app.providers.fields import check_responses
from app.surfaces.messages_thinking import wants_reasoning
from app.surfaces.responses_history import Wanted, chat_messages
from app.surfaces.responses_tools import choice, functions
from app.surfaces.through_chat import Written

#: Fields that mean the same in chat, under the same name.
_ALIKE = (
    *("temperature", "top_p", "stream", "service_tier", "user", "safety_identifier"),
    *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
)
_VERBOSITIES = ("low", "medium", "high")
_LOGPROBS = "message.output_text.logprobs"


def to_chat(body: Json, *, marks: bool = False) -> Written:
    """The request in the canonical form. `marks`: with Anthropic's own words for signed thinking.

    Raises:
        GatewayError: invalid_request, naming what cannot be left out and cannot be said.
    """
    dropped = check_responses(body)
    model = body["model"]
    wanted = Wanted(wants_reasoning(model), marks, signatures.wants(model))
    messages = chat_messages(body.get("instructions"), body.get("input"), wanted)
    made: Json = {"model": model, "messages": messages}
    for name in _ALIKE:
        if body.get(name) is not None:
            made[name] = body[name]
    if body.get("max_output_tokens") is not None:
        made["max_completion_tokens"] = body["max_output_tokens"]
    tools = functions(body.get("tools"))
    chosen, allowed = choice(body.get("tool_choice"), tools)
    if tools:
        made["tools"] = allowed
        if chosen is not None:
            made["tool_choice"] = chosen
        if body.get("parallel_tool_calls") is not None:
            made["parallel_tool_calls"] = body["parallel_tool_calls"]
    effort = (body.get("reasoning") or {}).get("effort")
    if effort is not None:
        if not isinstance(effort, str):
            raise invalid("effort must be a string", "reasoning.effort")
        made["reasoning_effort"] = effort
    _put_text(made, body.get("text") or {})
    _put_logprobs(made, body)
    return Written(made, dropped)


def _put_text(made: Json, text: Json) -> None:
    if (verbosity := text.get("verbosity")) is not None:
        if verbosity not in _VERBOSITIES:
            raise invalid(f"verbosity must be one of {', '.join(_VERBOSITIES)}", "text.verbosity")
        made["verbosity"] = verbosity
    form = text.get("format")
    if form is None:
        return
    kind = form.get("type") if isinstance(form, dict) else None
    if kind == "json_object":
        made["response_format"] = {"type": "json_object"}
    elif kind == "json_schema":
        made["response_format"] = {"type": "json_schema", "json_schema": _schema(form)}
    elif kind != "text":
        raise invalid("format must be of type text, json_object or json_schema", "text.format.type")


def _schema(form: Json) -> Json:
    if not isinstance(form.get("name"), str):
        raise invalid("a json_schema needs a name", "text.format.name")
    if not isinstance(form.get("schema"), dict):
        raise invalid("a json_schema needs a schema, which is an object", "text.format.schema")
    if not isinstance(form.get("strict"), bool | None):
        raise invalid("strict must be true or false", "text.format.strict")
    if not isinstance(form.get("description"), str | None):
        raise invalid("description must be a string", "text.format.description")
    kept: dict[str, Any] = {name: form[name] for name in ("description", "strict") if form.get(name) is not None}
    return {"name": form["name"], "schema": form["schema"], **kept}


def _put_logprobs(made: Json, body: Json) -> None:
    include = body.get("include") or ()
    if body.get("top_logprobs") or _LOGPROBS in include:
        made["logprobs"] = True
    if body.get("top_logprobs"):
        made["top_logprobs"] = body["top_logprobs"]
