"""The configuration's JSON schema: what editors complete and `llm-gateway schema` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.config.kinds import KINDS
from app.config.problems import Path
from app.config.settings import Settings
from app.config.tree import ANY, pattern

Schema = dict[str, Any]


def schema(kinds: Iterable[str] = KINDS) -> Schema:
    """One document without references, so that a key can be described in one place otherwise than in another."""
    raw = Settings.model_json_schema(mode="validation")
    definitions = raw.pop("$defs", {})
    whole = _inlined(raw, definitions)
    for provider in _schemas_at(whole, pattern("providers.*")):
        if kind := provider.get("properties", {}).get("kind"):
            kind["enum"] = sorted(kinds)
            del kind["default"]
    for inherited in ("providers.*.timeouts.*", "models.*.timeouts.*", "tenants.*.limits.*"):
        for each in _schemas_at(whole, pattern(inherited)):
            each.pop("default", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "LLM Inference Gateway configuration",
        **whole,
        "description": "Text values may read the environment: ${NAME} or ${NAME:-default}; $$ is a dollar sign.",
    }


def keys_at(whole: Schema, at: Path) -> list[str]:
    """The keys that a mapping at this place of the file may have; none where any name goes."""
    return [key for found in _schemas_at(whole, at) for key in found.get("properties", {})]


def description_of(whole: Schema, at: Path) -> str | None:
    """What the setting at this place is, in a few words."""
    return next((found["description"] for found in _schemas_at(whole, at) if "description" in found), None)


def _inlined(value: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_inlined(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        target = {**definitions[str(value["$ref"]).rpartition("/")[2]]}
        target.pop("description", None)  # a class's docstring is for its readers
        return _inlined({**target, **{k: v for k, v in value.items() if k != "$ref"}}, definitions)
    return {
        # The names of properties are the file's own: one of them is `default`.
        key: {name: _inlined(one, definitions) for name, one in item.items()}
        if key == "properties"
        else _inlined(item, definitions)
        for key, item in value.items()
        if not (key == "title" and isinstance(item, str)) and not (key == "default" and isinstance(item, dict))
    }


def _schemas_at(found: Schema, at: Path) -> list[Schema]:
    """The schemas that describe the value at this path; several where there is a choice."""
    choices = [found, *found.get("anyOf", [])]
    if not at:
        return choices
    inner = []
    for choice in choices:
        name = at[0]
        if name in choice.get("properties", {}):
            inner.append(choice["properties"][name])
        elif name == ANY and "properties" in choice:
            inner.extend(choice["properties"].values())
        elif isinstance(choice.get("additionalProperties"), dict):
            inner.append(choice["additionalProperties"])
        elif isinstance(choice.get("items"), dict) and (isinstance(name, int) or name == ANY):
            inner.append(choice["items"])
    return [deeper for each in inner for deeper in _schemas_at(each, at[1:])]
