"""A chat answer in a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.core.ids import completion_id
from app.core.json import Json
from app.core.wire import Ask
from app.providers.openai_calls import Calls
from app.providers.openai_parts import chars_of, put_content, put_logprobs, put_reasoning
from app.providers.openai_stream import Fail, StreamReader
from app.providers.openai_values import ROLES


def _is_function(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str | None) for name in ("name", "arguments"))


def _is_audio(value: Any) -> bool:
    texts = ("id", "data", "transcript")
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(name), str | None) for name in texts)
        and value.get("expires_at").__class__ in (int, type(None))
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


#: Of a delta: what makes it sound; what is not, is left out.
_PARTS: Mapping[str, Callable[[Any], bool]] = {
    "refusal": _is_text,
    "reasoning_content": _is_text,
    "function_call": _is_function,
    "audio": _is_audio,
}


class ChatReader(StreamReader):
    __slots__ = ("_calls", "_numbers")

    kind = "chat.completion.chunk"

    def __init__(self, ask: Ask, fail: Fail) -> None:
        super().__init__(ask, fail)
        self._calls: dict[int, Calls] = {}  # by choice
        self._numbers: dict[tuple[int, str], int] = {}  # entries so far of each list in the deltas of a choice

    def _plain(self, choice: Json) -> int | None:
        chars = 0
        thoughts = None
        delta = choice["delta"]
        for name, value in delta.items():
            if value is None:
                continue
            if name in ("content", "reasoning_content", "refusal"):
                if value.__class__ is not str:
                    return None
                chars += len(value)
            elif name == "reasoning" and value.__class__ is str:
                thoughts = value
            elif name == "tool_calls":
                said = self._calls[choice["index"]].plain(value)
                if said is None:
                    return None
                chars += said
            elif name != "role" or value != "assistant":
                return None
        if thoughts and not delta.get("reasoning_content"):
            delta["reasoning_content"] = thoughts
            chars += len(thoughts)
        return chars

    def _put(self, choice: Json, index: int, finish: str | None) -> tuple[int, list[Json]]:
        if choice.get("logprobs") is not None:
            put_logprobs(choice)
        delta = choice.get("delta")
        whole = choice.pop("message", None)  # Perplexity repeats all that it has said so far
        if not isinstance(delta, dict):
            delta = choice["delta"] = whole if isinstance(whole, dict) and not self._seen else {}
        if delta.get("content") is not None:
            put_content(delta)
        if "reasoning" in delta:
            put_reasoning(delta)
        if "tool_calls" in delta:
            self._put_calls(delta, index)
        role = delta.get("role")
        if role is not None and not (isinstance(role, str) and role in ROLES):
            delta["role"] = "assistant"
        self._put_rest(delta, index)
        before = self._missing(index, delta.get("tool_calls") or []) if finish is not None else []
        return chars_of(delta), before

    def _put_rest(self, delta: Json, index: int) -> None:
        for name, fits in _PARTS.items():
            if delta.get(name) is not None and not fits(delta[name]):
                del delta[name]
        for name, value in delta.items():
            if isinstance(value, list) and name != "tool_calls":
                self._number(value, index, name)

    def _number(self, entries: list[Any], index: int, name: str) -> None:
        """Lists in deltas (citations ...) are added up by the `index` of their entries: the official SDK insists."""
        for entry in entries:
            if isinstance(entry, dict) and "index" not in entry:
                entry["index"] = self._numbers.get((index, name), 0)
                self._numbers[index, name] = entry["index"] + 1

    def _put_calls(self, delta: Json, index: int) -> None:
        fragments = delta["tool_calls"]
        if fragments:
            delta["tool_calls"] = self._calls.setdefault(index, Calls()).put(fragments)
        elif fragments is not None:
            del delta["tool_calls"]

    def _missing(self, index: int, within: list[Json]) -> list[Json]:
        """What the calls of a choice still lack when it ends, as a choice of its own."""
        calls = self._calls.get(index)
        added = calls.missing(within) if calls is not None else []
        return [{"index": index, "delta": {"tool_calls": added}, "finish_reason": None}] if added else []

    def _last(self, index: int) -> tuple[list[Json], Json]:
        reason = "tool_calls" if self._calls.get(index) else "stop"
        return self._missing(index, []), {"index": index, "delta": {}, "finish_reason": reason}

    def _mint(self) -> str:
        return completion_id()
