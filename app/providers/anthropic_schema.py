"""JSON schemas as far as Anthropic's structured outputs understand them.

OpenAI takes bounds and patterns that Anthropic answers with a 400. They are told to the model in the description
instead, as Anthropic's own SDK does, and every object is closed.
Source: anthropic 2.12, `lib/_parse/_transform.py`.
"""

from __future__ import annotations

from typing import Any

from app.core.json import Json

_BY_NAME = ("properties", "$defs", "definitions")  # maps of schemas
_LISTS = ("anyOf", "allOf")
_KEPT = frozenset(
    {"type", "description", "title", "enum", "const", "default", "$ref", "required", "items", *_BY_NAME, *_LISTS}
)
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})


def supported_schema(schema: Any) -> Any:
    """A copy without what would be refused; what is not an object comes back as it is."""
    if not isinstance(schema, dict):
        return schema
    made: Json = {}
    untold: Json = {}
    for name, value in schema.items():
        if name in _BY_NAME and isinstance(value, dict):
            made[name] = {key: supported_schema(each) for key, each in value.items()}
        elif name in (*_LISTS, "oneOf") and isinstance(value, list):
            made["anyOf" if name == "oneOf" else name] = [supported_schema(each) for each in value]
        elif name == "items":
            made[name] = supported_schema(value)
        elif _is_kept(name, value):
            made[name] = value
        elif name not in ("additionalProperties", "$schema", "strict"):
            untold[name] = value
    if made.get("type") == "object" or "properties" in made:
        made["additionalProperties"] = False
    if untold:
        told = "{" + ", ".join(f"{name}: {value}" for name, value in untold.items()) + "}"
        made["description"] = f"{made['description']}\n\n{told}" if made.get("description") else told
    return made


def _is_kept(name: str, value: Any) -> bool:
    if name == "format":
        return isinstance(value, str) and value in _FORMATS
    return name in _KEPT or (name == "minItems" and value in (0, 1))
