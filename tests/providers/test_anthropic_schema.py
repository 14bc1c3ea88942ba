"""Schemas as far as Anthropic understands them."""

from __future__ import annotations

from typing import Any

import pytest

from app.providers.anthropic_schema import supported_schema


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"type": "string", "format": "email"}, {"type": "string", "format": "email"}),
        ({"type": "string", "format": "color"}, {"type": "string", "description": "{format: color}"}),
        ({"type": "string", "format": {"a": 1}}, {"type": "string", "description": "{format: {'a': 1}}"}),
        (
            {"type": "number", "maximum": 5, "description": "A mark"},
            {"type": "number", "description": "A mark\n\n{maximum: 5}"},
        ),
        ({"type": "array", "minItems": 1, "items": {"type": "string"}}, None),
        ({"enum": ["a", None]}, None),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (
            {"$defs": {"A": {"type": "object", "properties": {}}}, "$ref": "#/$defs/A"},
            {
                "$defs": {"A": {"type": "object", "properties": {}, "additionalProperties": False}},
                "$ref": "#/$defs/A",
            },
        ),
        (
            {"type": "object", "properties": {"minimum": {"type": "integer"}}, "additionalProperties": True},
            {"type": "object", "properties": {"minimum": {"type": "integer"}}, "additionalProperties": False},
        ),
        (True, None),
    ],
)
def test_what_would_be_refused_is_told_in_words(given: Any, made: Any) -> None:
    assert supported_schema(given) == (given if made is None else made)
