"""JSON schemas as Gemini reads them.

`parametersJsonSchema` and `responseJsonSchema` take JSON Schema itself, with references and closed objects; `const` is
not among what they know, and annotations that are none of JSON Schema's only confuse the model.
Source: Google's page on structured output, and the recorded exchanges.
"""

from __future__ import annotations

from typing import Any

from app.core.json import Json

_LEFT_OUT = frozenset({"$schema", "$id", "$comment", "strict", "cache_control", "propertyNames", "examples"})
_BY_NAME = ("properties", "$defs", "definitions")  # maps of schemas: a property may have any name
_VALUES = ("enum", "default", "const", "required")


def readable_schema(schema: Any) -> Any:
    """A copy without what Gemini cannot read; what is no object comes back as it is."""
    if isinstance(schema, list):
        return [readable_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made: Json = {}
    for name, value in schema.items():
        if name in _BY_NAME and isinstance(value, dict):
            made[name] = {key: readable_schema(each) for key, each in value.items()}
        elif name == "const":
            made.setdefault("enum", [value])
        elif name in _VALUES:
            made[name] = value
        elif name not in _LEFT_OUT:
            made[name] = readable_schema(value)
    return made


def is_empty(schema: Json) -> bool:
    """Whether it describes an object that has nothing in it: Gemini wants no parameters then."""
    says_nothing = ("type", "properties", "additionalProperties", "required")
    return not schema.get("properties") and all(name in says_nothing for name in schema)
