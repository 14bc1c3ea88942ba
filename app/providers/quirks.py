"""Where a provider's requests differ from OpenAI's, as data, and the shaping of a body after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.core.wire import Operation

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
    call_ids: Callable[[str], str] | None = None  # what an id of a tool call must be made to be
    int8_embeddings: bool = False  # vectors come as signed bytes, and are asked for as that

    @property
    def touches_fields(self) -> bool:
        return bool(
            self.drop or self.rename or self.rename_embeddings or self.refuse or self.values or self.int8_embeddings
        )

    @property
    def touches_messages(self) -> bool:
        return bool(self.drop_in_messages or self.drop_nulls_in_messages or not self.developer_role)


def shape(body: Json, operation: Operation, quirks: Quirks, provider: str) -> tuple[str, ...]:
    """Fit a body (already a copy, of its top level only) to a provider; the fields that it cannot be told.

    Raises GatewayError (invalid_request) for a field that is refused.
    """
    dropped: list[str] = []
    if quirks.touches_fields:
        _fit_fields(body, operation, quirks, provider, dropped)
    if operation is Operation.CHAT and isinstance(body.get("messages"), list):
        if quirks.touches_messages:
            body["messages"] = [_message(each, quirks, dropped) for each in body["messages"]]
        if quirks.call_ids is not None:
            _fit_ids(body, quirks.call_ids)
    return tuple(dict.fromkeys(dropped))


def _fit_fields(body: Json, operation: Operation, quirks: Quirks, provider: str, dropped: list[str]) -> None:
    embeddings = operation is Operation.EMBEDDINGS
    for name in quirks.refuse & body.keys():
        if body[name] not in (None, False, 0) and not (name == "n" and body[name] == 1):
            raise invalid(f"{provider} has no {name}; leave it out or ask another provider", name)
        del body[name]
    for name in [name for name in body if name in quirks.drop]:
        if body.pop(name) is not None:
            dropped.append(name)
    for name, theirs in (quirks.rename_embeddings if embeddings else quirks.rename).items():
        value = body.pop(name, None)
        if value is not None:
            body[theirs] = value
    for name, words in quirks.values.items():
        if isinstance(body.get(name), str):
            body[name] = words.get(body[name], body[name])
    if quirks.int8_embeddings and embeddings and body.get("encoding_format") != "base64_binary":
        body["encoding_format"] = "base64_int8"


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
    return kept


def _fit_ids(body: Json, fit: Callable[[str], str]) -> None:
    """Put ids that must be others into copies of their messages: the same for the same id in each of them."""
    messages: list[Any] = body["messages"]
    changed = {place: told for place, each in enumerate(messages) if (told := _with_ids(each, fit)) is not None}
    if changed:
        body["messages"] = [changed.get(place, each) for place, each in enumerate(messages)]


def _with_ids(message: Any, fit: Callable[[str], str]) -> Json | None:
    """A copy of the message with other ids, None where they may stay."""
    if not isinstance(message, dict):
        return None
    calls, answered = message.get("tool_calls"), message.get("tool_call_id")
    changed: Json = {}
    if isinstance(answered, str) and (fitted := fit(answered)) != answered:
        changed["tool_call_id"] = fitted
    if isinstance(calls, list):
        names = [_id_of(call) for call in calls]
        fits = [fit(name) if name else name for name in names]
        if fits != names:
            changed["tool_calls"] = [
                {**call, "id": name} if name else call for call, name in zip(calls, fits, strict=True)
            ]
    return {**message, **changed} if changed else None


def _id_of(call: Any) -> str:
    name = call.get("id") if isinstance(call, dict) else None
    return name if isinstance(name, str) else ""


def at_most_40(call_id: str) -> str:
    """What OpenAI takes; vLLM's are longer, and a conversation may begin there and go on here."""
    return call_id if len(call_id) <= 40 else f"call_{sha256(call_id.encode()).hexdigest()[:24]}"


def nine(call_id: str) -> str:
    """What Mistral takes: nine letters and digits. The same for the same id, in every process."""
    if _NINE.fullmatch(call_id):
        return call_id
    number = int.from_bytes(sha256(call_id.encode()).digest()[:8], "big")
    letters = []
    for _ in range(9):
        number, letter = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[letter])
    return "".join(letters)
