"""An OpenAI chat request as a GenerateContent request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.providers import fields
from app.providers.gemini_history import history
from app.providers.gemini_models import gemini
from app.providers.gemini_schema import readable_schema
from app.providers.gemini_thinking import plan
from app.providers.gemini_tools import toolbox

#: What needs another name and nothing else.
_RENAMED: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "n": "candidateCount",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_TIERS: Mapping[str, str | None] = {
    "auto": None,
    "default": "standard",
    "standard": "standard",
    "flex": "flex",
    "priority": "priority",
}


def to_generate(body: Json, model: str) -> tuple[Json, tuple[str, ...]]:
    """The request in Gemini's form, and the names of the fields that got lost on the way.

    Raises:
        GatewayError: invalid_request, naming what cannot be left out and cannot be said.
    """
    row = gemini(model)
    dropped = list(fields.check(body, "gemini"))
    box = toolbox(body)
    written = history(body.get("messages"), signed=row.signed)
    intent = plan(body, row)
    dropped += [*box.dropped, *([intent.lost] if intent.lost else [])]

    made: Json = {"contents": written.contents}
    if written.system:
        made["systemInstruction"] = {"parts": written.system}
    if box.tools:
        made["tools"] = box.tools
    if box.config:
        made["toolConfig"] = box.config
    if settings := body.get("safety_settings"):
        made["safetySettings"] = settings
    if (tier := body.get("service_tier")) and (tier := _tier(tier, dropped)):
        made["serviceTier"] = tier
    config = {sent: body[name] for name, sent in _RENAMED.items() if body.get(name) is not None}
    config |= _length(body) | _stop(body) | _form(body) | _logprobs(body)
    if intent.config:
        config["thinkingConfig"] = dict(intent.config)
    if config:
        made["generationConfig"] = config
    return made, tuple(dict.fromkeys(dropped))


def _length(body: Json) -> Json:
    name = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    limit = body.get(name)
    return {} if limit is None else {"maxOutputTokens": limit}


def _stop(body: Json) -> Json:
    stop = body.get("stop") or []
    words = [stop] if isinstance(stop, str) else stop
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise invalid("stop must be a string or a list of strings", "stop")
    return {"stopSequences": words} if words else {}


def _form(body: Json) -> Json:
    form = body.get("response_format") or {}
    kind = form.get("type") if isinstance(form, dict) else None
    if kind in (None, "text"):
        return {}
    if kind == "json_object":
        return {"responseMimeType": "application/json"}
    if kind != "json_schema":
        raise invalid("response_format must be of type text, json_object or json_schema", "response_format.type")
    named = form.get("json_schema")
    schema = named.get("schema") if isinstance(named, dict) else None
    if not isinstance(schema, dict):
        raise invalid("json_schema needs a schema", "response_format.json_schema.schema")
    return {"responseMimeType": "application/json", "responseJsonSchema": readable_schema(schema)}


def _logprobs(body: Json) -> Json:
    if not body.get("logprobs"):
        return {}
    top = body.get("top_logprobs")
    return {"responseLogprobs": True, **({"logprobs": top} if top else {})}


def _tier(tier: Any, dropped: list[str]) -> str | None:
    if not isinstance(tier, str) or tier not in _TIERS:
        dropped.append("service_tier")
        return None
    return _TIERS[tier]
