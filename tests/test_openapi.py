"""The published OpenAPI document says what the code does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import GatewayError
from app.openapi import text
from app.surfaces import LANGUAGES, checks
from app.surfaces.checks import Rule

PATH = Path(__file__).parent.parent / "docs" / "openapi.json"
DOCUMENT = json.loads(PATH.read_text())
RULES = {name: rule for name, rule in vars(checks).items() if isinstance(rule, Rule)}
VALUES: tuple[Any, ...] = (
    0,
    1,
    -1,
    5,
    0.5,
    True,
    False,
    "",
    "x",
    [],
    ["x"],
    [1],
    [{}],
    ["x", 1],
    {},
    {"a": "b"},
    {"a": 1},
)
GOOD: Mapping[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hi"}]},
    "/v1/completions": {},
    "/v1/embeddings": {"input": "Hi"},
    "/v1/moderations": {"input": ["Hi"]},
    "/v1/rerank": {"query": "Hi", "documents": ["Hi"]},
    "/v1/responses": {"input": "Hi"},
    "/v1/messages": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5},
    "/v1/messages/count_tokens": {"messages": [{"role": "user", "content": "Hi"}]},
}


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """As much of JSON Schema as the document uses."""
    if "anyOf" in schema:
        return any(fits(value, each) for each in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        allowed = schema.get("enum", [schema.get("const")])
        return any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in allowed)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_is(value, kind) for kind in kinds):
        return False
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(fits(each, schema.get("items", ANY)) for each in value)
    if isinstance(value, dict):
        named = schema.get("properties", {})
        rest = schema.get("additionalProperties", True)
        return all(name in value for name in schema.get("required", ())) and all(
            fits(each, named.get(name) or (ANY if rest is True else rest)) for name, each in value.items()
        )
    return not isinstance(value, int) or value >= schema.get("minimum", value)


ANY: Mapping[str, Any] = {"type": ["object", "array", "string", "number", "boolean", "null"]}


def _is(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
    known = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}
    return isinstance(value, known[kind])


def body_of(path: str) -> Any:
    return DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]


def is_taken(path: str, body: dict[str, Any]) -> bool:
    try:
        LANGUAGES[path].check(body)
    except GatewayError:
        return False
    return True


def test_it_is_what_the_code_makes_of_its_routes() -> None:
    assert PATH.read_text() == text(), "write it with `python -m app.openapi`"


def test_every_route_is_in_it() -> None:
    assert set(LANGUAGES) < set(DOCUMENT["paths"])
    assert {"/v1/models", "/v1/models/{name}", "/health", "/metrics"} < set(DOCUMENT["paths"])
    assert set(GOOD) == set(LANGUAGES)


def test_every_reference_leads_somewhere() -> None:
    text = PATH.read_text()
    for kind in ("responses", "schemas"):
        for name in DOCUMENT["components"][kind]:
            assert f"#/components/{kind}/{name}" in text


@pytest.mark.parametrize("name", RULES)
def test_a_rule_and_its_schema_agree(name: str) -> None:
    rule = RULES[name]

    assert [fits(value, rule.schema) for value in VALUES] == [bool(rule.holds(value)) for value in VALUES]


@pytest.mark.parametrize("path", GOOD)
def test_a_good_body_is_good_in_the_document_too(path: str) -> None:
    body = {"model": "fast", **GOOD[path]}

    assert is_taken(path, body)
    assert fits(body, body_of(path))
    assert body_of(path)["required"] == [
        "model",
        *(name for name in GOOD[path] if name != "input" or "resp" not in path),
    ]


@pytest.mark.parametrize("path", GOOD)
def test_what_the_document_forbids_is_refused(path: str) -> None:
    wrong = []
    for name, schema in body_of(path)["properties"].items():
        if name in ("model", "stream"):  # looked at for all languages alike, before the language is asked
            continue
        for value in VALUES:
            if not fits(value, schema) and is_taken(path, {"model": "fast", **GOOD[path], name: value}):
                wrong.append((name, value))
    assert wrong == []
