"""Where a provider's requests differ from OpenAI's, as data, and the shaping of a body after it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.core.wire import Operation

#: What Mistral takes as the id of a tool call.
_NINE = re.compile(r"[a-zA-Z0-9]{9}")
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """Everything not named here travels as it came.

    A refused field is one that would change the answer if it were left out; a value that asks for nothing (null, false,
    0; for `n`, 1) is dropped in silence.
    """

    asks_usage: bool = True  # a stream's usage comes only if it is asked for
    rename: Mapping[str, str] = field(default_factory=dict)
    rename_embeddings: Mapping[str, str] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()
    refuse: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # field -> theirs for OpenAI's word
    drop_in_messages: Mapping[str, frozenset[str]] = field(default_factory=dict)  # role, or "" for all -> fields
    drop_nulls_in_messages: bool = False
    developer_role: bool = True  # False: its messages are sent as the system's
    short_call_ids: bool = False  # ids of tool calls are nine letters and digits
    int8_embeddings: bool = False  # vectors come as signed bytes, and are asked for as that

    @property
    def touches_messages(self) -> bool:
        return bool(
            self.drop_in_messages or self.drop_nulls_in_messages or self.short_call_ids or not self.developer_role
        )


def shape(body: Json, operation: Operation, quirks: Quirks, provider: str) -> tuple[str, ...]:
    """Fit a body (already a copy, of its top level only) to a provider; the fields that it cannot be told.

    Raises GatewayError (invalid_request) for a field that is refused.
    """
    for name in quirks.refuse & body.keys():
        if body[name] not in (None, False, 0) and not (name == "n" and body[name] == 1):
            raise invalid(f"{provider} has no {name}; leave it out or ask another provider", name)
        del body[name]
    dropped = [name for name in body if name in quirks.drop]
    dropped = [name for name in dropped if body.pop(name) is not None]
    for name, theirs in (quirks.rename_embeddings if operation is Operation.EMBEDDINGS else quirks.rename).items():
        if name in body:
            value = body.pop(name)
            if value is not None:
                body[theirs] = value
    for name, words in quirks.values.items():
        if isinstance(body.get(name), str):
            body[name] = words.get(body[name], body[name])
    if operation is Operation.CHAT and quirks.touches_messages and isinstance(body.get("messages"), list):
        body["messages"] = [_message(each, quirks, dropped) for each in body["messages"]]
    if quirks.int8_embeddings and operation is Operation.EMBEDDINGS and body.get("encoding_format") != "base64_binary":
        body["encoding_format"] = "base64_int8"
    return tuple(dict.fromkeys(dropped))


def _message(message: Any, quirks: Quirks, dropped: list[str]) -> Any:
    if not isinstance(message, dict):
        return message
    role = message.get("role")
    unwanted = quirks.drop_in_messages.get("", frozenset()) | quirks.drop_in_messages.get(str(role), frozenset())
    kept: Json = {}
    for name, value in message.items():
        if name in unwanted:
            if value is not None:
                dropped.append(f"messages[].{name}")
        elif value is not None or name == "content" or not quirks.drop_nulls_in_messages:
            kept[name] = value
    if role == "developer" and not quirks.developer_role:
        kept["role"] = "system"
    if quirks.short_call_ids:
        _shorten(kept)
    return kept


def _shorten(message: Json) -> None:
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        message["tool_calls"] = [
            {**call, "id": short(call["id"])} if isinstance(call, dict) and isinstance(call.get("id"), str) else call
            for call in calls
        ]
    if isinstance(message.get("tool_call_id"), str):
        message["tool_call_id"] = short(message["tool_call_id"])


def short(call_id: str) -> str:
    """The same nine letters and digits for the same id, in every process; ids that have that form stay."""
    if _NINE.fullmatch(call_id):
        return call_id
    number = int.from_bytes(sha256(call_id.encode()).digest()[:8], "big")
    letters = []
    for _ in range(9):
        number, letter = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[letter])
    return "".join(letters)
