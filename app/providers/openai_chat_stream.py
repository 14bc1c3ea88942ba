"""A chat answer in a stream."""

from __future__ import annotations

from app.core.ids import completion_id
from app.core.json import Json
from app.core.wire import Ask
from app.providers.openai_calls import Calls
from app.providers.openai_parts import chars_of, put_content, put_logprobs, put_reasoning
from app.providers.openai_stream import Fail, StreamReader
from app.providers.openai_values import ROLES


class ChatReader(StreamReader):
    __slots__ = ("_calls",)

    kind = "chat.completion.chunk"

    def __init__(self, ask: Ask, fail: Fail) -> None:
        super().__init__(ask, fail)
        self._calls: dict[int, Calls] = {}  # by choice

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
        if delta.get("role") is not None and delta["role"] not in ROLES:
            delta["role"] = "assistant"
        for name, kind in (("refusal", str), ("reasoning_content", str), ("function_call", dict), ("audio", dict)):
            if name in delta and not isinstance(delta[name], kind | None):
                del delta[name]
        before = self._missing(index, delta.get("tool_calls") or []) if finish is not None else []
        return chars_of(delta), before

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
