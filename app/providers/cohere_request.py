"""An OpenAI chat request as one of Cohere's second version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.core.errors import invalid
from app.core.json import Json, dumps
from app.core.quoting import quoted
from app.providers import chat_request, fields
from app.providers.anthropic_thinking import BUDGETS, wished

_AS_THEY_ARE = ("seed", "documents", "citation_options", "safety_mode")
_CHOICES: Mapping[str, str] = {"none": "NONE", "required": "REQUIRED", "named": "REQUIRED"}  # auto is said by silence
_BOUNDS: Mapping[str, tuple[str, float, float]] = {
    "temperature": ("temperature", 0, 1),
    "top_p": ("p", 0.01, 0.99),
    "top_k": ("k", 0, 500),
    "frequency_penalty": ("frequency_penalty", 0, 1),
    "presence_penalty": ("presence_penalty", 0, 1),
}
_NEUTRAL: Mapping[str, float] = {"top_p": 1, "frequency_penalty": 0, "presence_penalty": 0}

#: Tokens by effort; above `high` the model is left to itself.
_BUDGETS: Mapping[str, int] = {effort: BUDGETS[effort] for effort in ("minimal", "low", "medium", "high")}

#: Models that cannot be told to think, nor be shown what they thought.
_PLAIN = re.compile(r"command-(?:r|light|nightly|a-03|a-vision|a-translate)|^command$|aya")


def thinks(model: str) -> bool:
    """A name that says nothing is of a newer model, and those think."""
    return _PLAIN.search(model) is None


def to_cohere(body: Json, model: str) -> tuple[Json, tuple[str, ...]]:
    """The request in Cohere's form, and the names of the fields that got lost on the way.

    Raises:
        GatewayError: invalid_request, naming what cannot be left out and cannot be said.
    """
    dropped = list(fields.check(body, "cohere"))
    made: Json = {"model": model, "messages": list(_messages(body, reasoning=thinks(model)))}
    made |= {name: body[name] for name in _AS_THEY_ARE if body.get(name) is not None}
    if (limit := chat_request.limit(body)) is not None:
        made["max_tokens"] = limit
    if stops := chat_request.stops(body):
        made["stop_sequences"] = stops
    _sampling(body, made, dropped)
    _tools(body, made, dropped)
    if form := _form(body):
        made["response_format"] = form
    _thinking(body, model, made, dropped)
    return made, tuple(dict.fromkeys(dropped))


def _messages(body: Json, *, reasoning: bool) -> Iterator[Json]:
    for message, where in chat_request.messages(body):
        role, content, place = message.get("role"), message.get("content"), f"{where}.content"
        if role in ("system", "developer"):
            yield {"role": "system", "content": "\n\n".join(chat_request.texts(content, place))}
        elif role == "user":
            yield {"role": "user", "content": _user(content, place)}
        elif role == "assistant":
            yield _assistant(message, where, reasoning=reasoning)
        elif role == "tool":
            texts = chat_request.texts(content, place)
            one = texts[0] if len(texts) == 1 else [{"type": "text", "text": text} for text in texts]
            yield {"role": "tool", "tool_call_id": chat_request.answered(message, where), "content": one or ""}
        else:
            raise invalid(f"role {quoted(role)} cannot be told to this provider", f"{where}.role")


def _user(content: Any, where: str) -> str | list[Json]:
    if isinstance(content, str):
        return content
    made: list[Json] = []
    for part, place in chat_request.parts(content, where):
        if part.get("type") == "text":
            made.append({"type": "text", "text": chat_request.text_of(part, place)})
        elif part.get("type") == "image_url":
            image = {"url": chat_request.image_url(part, place)}
            given = part["image_url"]
            if isinstance(given, dict) and given.get("detail"):
                image["detail"] = given["detail"]
            made.append({"type": "image_url", "image_url": image})
        else:
            raise chat_request.unknown_part(part, place)
    return made


def _assistant(message: Json, where: str, *, reasoning: bool) -> Json:
    """What is said beside calls of tools is Cohere's `tool_plan`."""
    made: Json = {"role": "assistant"}
    texts = chat_request.texts(message.get("content"), f"{where}.content")
    if isinstance(refusal := message.get("refusal"), str):
        texts.append(refusal)
    text = "".join(texts)
    if calls := list(chat_request.calls(message, where)):
        made["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": dumps(call.arguments).decode()},
            }
            for call in calls
        ]
        if text:
            made["tool_plan"] = text
            text = ""
    content = [{"type": "text", "text": text}] if text else []
    if reasoning and (thought := _thought(message)):
        content.insert(0, {"type": "thinking", "thinking": thought})
    if content:
        made["content"] = text if len(content) == 1 and text else content
    elif not calls:
        made["content"] = ""
    return made


def _thought(message: Json) -> str:
    for name in ("reasoning_content", "reasoning"):
        if isinstance(found := message.get(name), str) and found:
            return found
    return ""


def _sampling(body: Json, made: Json, dropped: list[str]) -> None:
    """OpenAI's ranges are wider: what lies outside of Cohere's is sent as the nearest that it takes."""
    for name, (theirs, least, most) in _BOUNDS.items():
        value = chat_request.number(body, name)
        if value is None:
            continue
        made[theirs] = min(max(value, least), most)
        if made[theirs] != value and value != _NEUTRAL.get(name):
            dropped.append(name)


def _tools(body: Json, made: Json, dropped: list[str]) -> None:
    box = chat_request.toolbox(body)
    functions = [each for each in box.functions if box.name in (None, each.name)]
    if not functions:
        return
    made["tools"] = [
        {
            "type": "function",
            "function": {"name": each.name, "description": each.description, "parameters": each.parameters},
        }
        for each in functions
    ]
    if all(each.strict for each in functions):
        made["strict_tools"] = True
    elif any(each.strict for each in functions):  # Cohere is strict with all of them, or with none
        dropped.append("tools.function.strict")
    if choice := _CHOICES.get(box.choice or ""):
        made["tool_choice"] = choice


def _form(body: Json) -> Json | None:
    if schema := chat_request.schema(body):
        return {"type": "json_object", "json_schema": schema[1]}
    form = body.get("response_format") or {}
    return {"type": "json_object"} if form.get("type") == "json_object" else None


def _thinking(body: Json, model: str, made: Json, dropped: list[str]) -> None:
    """OpenAI's effort, or a `thinking` object in Anthropic's words or Cohere's own."""
    wish = wished(body)
    if wish.on is None:
        return
    if not thinks(model):
        if wish.on:
            dropped.append(wish.name)
        return
    made["thinking"] = {"type": "enabled" if wish.on else "disabled"}
    own = body["thinking"].get("token_budget") if wish.name == "thinking" else None
    if wish.on and (budget := own or wish.budget or _BUDGETS.get(wish.effort or "")):
        made["thinking"]["token_budget"] = budget
