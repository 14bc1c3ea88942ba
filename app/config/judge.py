"""From plain data to Settings: what pydantic finds, told in our words."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.config.problems import Path, Report, suggestion
from app.config.schema import Schema, description_of, keys_at, schema
from app.config.settings import Settings
from app.config.tree import get
from app.config.values import Misfit

#: pydantic's error type -> what was expected. {} is filled from the error's own facts, never from the value.
_EXPECTED: Mapping[str, str] = {
    "bool_type": "expected true or false",
    "dict_type": "expected a mapping (key: value)",
    "mapping_type": "expected a mapping (key: value)",
    "model_type": "expected a mapping (key: value)",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "int_type": "expected a whole number",
    "string_type": "expected text",
    "string_unicode": "expected valid Unicode text",
    "tuple_type": "expected a list",
    "datetime_type": 'expected a time such as "2027-01-31T00:00:00Z"',
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "literal_error": "expected {expected}",
}
_FOLLOWS = "default_factory_not_called"  # a default that depends on a value with an error of its own
_TYPE_NAMES = ((bool, "true or false"), (str, "text"), (int, "a number"), (float, "a number"), (list, "a list"))


def judge(tree: object, origin: Mapping[Path, Path], report: Report) -> Settings | None:
    """None where something is wrong. `origin` leads from a filled-in secret to the key that named its file."""
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        for found in error.errors(include_url=False, include_input=False):
            if found["type"] == _FOLLOWS:
                continue
            at = (*_place(found["loc"], tree), *_blamed(found))
            report.add(_told_at(at, origin), _message(found["type"], found.get("ctx", {}), at, tree))
    return None


def _told_at(at: Path, origin: Mapping[Path, Path]) -> Path:
    """What is wrong with the content of a file is told where the file is named."""
    return next((named for filled, named in origin.items() if at[: len(filled)] == filled), at)


def _blamed(found: ErrorDetails) -> Path:
    error = found.get("ctx", {}).get("error")
    return error.key if isinstance(error, Misfit) else ()


def _place(loc: Path, tree: object) -> Path:
    """Where in the file: without the steps that pydantic adds, and no deeper than what the author wrote."""
    at: Path = ()
    for part in loc:
        if part == "[key]" or not isinstance(get(tree, at), dict | list):
            break
        at = (*at, part)
    return at


@functools.cache
def _shape() -> Schema:
    """Made when it is needed for the first time, since it takes some 50 ms."""
    return schema()


def _message(kind: str, facts: Mapping[str, Any], at: Path, tree: object) -> str:
    value = get(tree, at)
    if kind == "missing":
        what = description_of(_shape(), at)
        return f"missing; expected {what}" if what else "missing"
    if kind == "extra_forbidden":
        name = str(at[-1]) if at else ""
        return f"unknown key{suggestion(name, keys_at(_shape(), at[:-1]))}"
    if kind == "value_error":
        return str(facts.get("error", "not accepted"))
    expected = _EXPECTED.get(kind, "not accepted").format_map({name: _plain(fact) for name, fact in facts.items()})
    if not kind.endswith("_type"):
        return expected
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f"{expected}: write it in quotes"
    return f"{expected}, not {_type_name(value)}"


def _plain(fact: object) -> object:
    return int(fact) if isinstance(fact, float) and fact.is_integer() else fact


def _type_name(value: object) -> str:
    if value is None:
        return "nothing (null)"
    return next((name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "a mapping")
