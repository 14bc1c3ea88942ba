"""What a request's fields must look like for any provider to make sense of them.

Types, not meanings: which temperature is too hot is the provider's to say, and a field that is not named here may be
one that some provider knows. Null means not given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from app.core.errors import invalid
from app.core.json import Json


class Rule(NamedTuple):
    """`schema` says the same as a JSON schema; null, which is never wrong, is left to who writes it down."""

    holds: Callable[[Any], bool]
    expected: str
    schema: Json


def _whole(least: int) -> Rule:
    schema = {"type": "integer", "minimum": least}
    return Rule(lambda value: value.__class__ is int and value >= least, f"a whole number of at least {least}", schema)


def _texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))


def _strings(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


_STRING: Json = {"type": "string"}
_ANY_OBJECT: Json = {"type": "object"}

WHOLE = Rule(lambda value: value.__class__ is int, "a whole number", {"type": "integer"})
AT_LEAST_0, AT_LEAST_1 = _whole(0), _whole(1)
NUMBER = Rule(lambda value: value.__class__ in (int, float), "a number", {"type": "number"})
FLAG = Rule(lambda value: value.__class__ is bool, "true or false", {"type": "boolean"})
TEXT = Rule(lambda value: isinstance(value, str), "a string", _STRING)
TEXTS = Rule(_texts, "a string or an array of strings", {"anyOf": [_STRING, {"type": "array", "items": _STRING}]})
OBJECT = Rule(lambda value: isinstance(value, dict), "an object", _ANY_OBJECT)
STRINGS = Rule(_strings, "an object of strings", {**_ANY_OBJECT, "additionalProperties": _STRING})
OBJECTS = Rule(_objects, "an array of objects", {"type": "array", "items": _ANY_OBJECT})
TEXT_OR_OBJECT = Rule(
    lambda value: isinstance(value, str | dict), "a string or an object", {"type": ["string", "object"]}
)
TEXT_OR_LIST = Rule(lambda value: isinstance(value, str | list), "a string or an array", {"type": ["string", "array"]})
NEVER = Rule(lambda value: value is False, "left out: this endpoint does not stream", {"const": False})


def check_fields(body: Json, rules: Mapping[str, Rule]) -> None:
    """Raises GatewayError naming the first field that breaks its rule."""
    for name, value in body.items():
        rule = rules.get(name)
        if rule is not None and value is not None and not rule.holds(value):
            raise invalid(f"{name!r} must be {rule.expected}", name)


def check_input(body: Json, name: str) -> None:
    """A text or a list that is not empty."""
    value = body.get(name)
    if value is None:
        raise invalid(f"{name!r} is missing", name)
    if not isinstance(value, str | list):
        raise invalid(f"{name!r} must be a string or an array", name)
    if value == []:
        raise invalid(f"{name!r} is an empty array", name)


def check_documents(documents: Any) -> None:
    """Texts, or objects around one."""
    if documents is None:
        raise invalid("'documents' is missing", "documents")
    if not isinstance(documents, list) or not documents:
        raise invalid("'documents' must be an array with at least one document", "documents")
    for place, document in enumerate(documents):
        text = document.get("text") if isinstance(document, dict) else document
        if not isinstance(text, str):
            raise invalid("a document must be a string, or an object with a text", f"documents[{place}]")


def check_messages(messages: Any) -> None:
    if messages is None:
        raise invalid("'messages' is missing", "messages")
    if not isinstance(messages, list):
        raise invalid("'messages' must be an array of messages", "messages")
    if not messages:
        raise invalid("'messages' is empty: at least one message is needed", "messages")
    for place, message in enumerate(messages):
        if not isinstance(message, dict):
            raise invalid("a message must be an object", f"messages[{place}]")
        if not isinstance(message.get("role"), str):
            raise invalid("a message needs a role, which is a string", f"messages[{place}].role")
        content = message.get("content")
        if content.__class__ is not str and content is not None:
            _check_parts(content, f"messages[{place}].content")
        calls = message.get("tool_calls")
        if calls is not None and not _objects(calls):
            raise invalid("the tool calls of a message must be an array of objects", f"messages[{place}].tool_calls")


def _check_parts(content: Any, where: str) -> None:
    if not isinstance(content, list):
        raise invalid("the content of a message must be a string, or an array of parts", where)
    for place, part in enumerate(content):
        if not isinstance(part, dict):
            raise invalid("a part of the content must be an object", f"{where}[{place}]")
        if not isinstance(part.get("type"), str):
            raise invalid("a part of the content needs a type, which is a string", f"{where}[{place}].type")
