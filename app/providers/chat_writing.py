"""Chat answers, whole and in chunks, written from nothing: for providers whose own language is another one."""

from __future__ import annotations

from typing import Any

from app.core.ids import completion_id, tool_call_id
from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Ask, Frame

_MOST = 2**53  # tokens; what is more is no number of them


def said(value: Any) -> str:
    """A text, or nothing. Raises TypeError for anything else: it is no answer then."""
    if value is None or value.__class__ is str:
        return value or ""
    raise TypeError("not a text")


def count(value: Any) -> int:
    """Tokens; 0 for what is no number of them."""
    return int(value) if value.__class__ in (int, float) and 0 <= value < _MOST else 0


def usage_as_chat(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input, "cache_write_tokens": usage.cache_write_input},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_output},
    }


def tool_call(call_id: Any, name: Any, arguments: Any) -> Json:
    function = {"name": said(name), "arguments": said(arguments) or "{}"}
    return {"id": said(call_id) or tool_call_id(), "type": "function", "function": function}


def completion(ask: Ask, message: Json, finish: str, usage: Usage) -> Frame:
    """A whole answer. `message` is what was said, without its role; None and empty fields of it are left out."""
    told = {"role": "assistant", "content": None, "refusal": None}
    told |= {name: value for name, value in message.items() if value}
    calls = message.get("tool_calls") or ()
    chars = sum(len(call["function"]["name"]) + len(call["function"]["arguments"]) for call in calls)
    made = {
        "id": completion_id(),
        "object": "chat.completion",
        "created": ask.created,
        "model": ask.body.get("model", ""),
        "choices": [{"index": 0, "message": told, "finish_reason": finish, "logprobs": None}],
        "usage": usage_as_chat(usage),
    }
    chars += len(message.get("content") or "") + len(message.get("reasoning_content") or "")
    return Frame(made, chars=chars, finish=finish, usage=usage, last=True)


class Chunks:
    """The chunks of one stream. Calls are counted here: providers number text, reasoning and calls together."""

    def __init__(self, ask: Ask) -> None:
        self._wants_usage = ask.wants_usage
        self._envelope: Json = {
            "id": completion_id(),
            "object": "chat.completion.chunk",
            "created": ask.created,
            "model": ask.body.get("model", ""),
        }
        if ask.wants_usage:
            self._envelope["usage"] = None
        self.calls = 0  # begun so far
        self._argued = True  # whether the last of them has arguments

    def begin(self) -> Frame:
        return Frame(self._chunk({"role": "assistant", "content": "", "refusal": None}))

    def text(self, text: Any) -> list[Frame]:
        return [Frame(self._chunk({"content": text}), chars=len(text))] if said(text) else []

    def thought(self, text: Any) -> list[Frame]:
        return [Frame(self._chunk({"reasoning_content": text}), chars=len(text))] if said(text) else []

    def call(self, call_id: Any, name: Any) -> list[Frame]:
        """A call begins; the one before is over."""
        call_id, name = said(call_id) or tool_call_id(), said(name)
        ended = self.call_over()
        self.calls += 1
        self._argued = False
        begun = {"index": self.calls - 1, "id": call_id, "type": "function"}
        begun["function"] = {"name": name, "arguments": ""}
        return [*ended, Frame(self._chunk({"tool_calls": [begun]}), chars=len(name))]

    def arguments(self, piece: Any) -> list[Frame]:
        """More of the last call's; without one they belong to nothing. Raises TypeError then."""
        if not said(piece):
            return []
        if not self.calls:
            raise TypeError("arguments of no call")
        self._argued = True
        return [Frame(self._chunk({"tool_calls": [self._more(piece)]}), chars=len(piece))]

    def call_over(self) -> list[Frame]:
        """A call without arguments is told `{}`, and never an empty string."""
        return [] if self._argued else self.arguments("{}")

    def entry(self, name: str, entry: Json, index: int) -> Frame:
        """One entry of a list that the official chunk does not have. OpenAI's SDK adds lists up by their `index`."""
        return Frame(self._chunk({name: [{"index": index, **entry}]}))

    def finish(self, reason: str, usage: Usage | None = None) -> list[Frame]:
        return [*self.call_over(), Frame(self._chunk({}, reason), finish=reason, usage=usage)]

    def usage(self, usage: Usage) -> Frame:
        """For the books, and for a client who asked."""
        shown = {**self._envelope, "choices": [], "usage": usage_as_chat(usage)} if self._wants_usage else None
        return Frame(shown, usage=usage)

    def _more(self, piece: str) -> Json:
        return {"index": self.calls - 1, "function": {"arguments": piece}}

    def _chunk(self, delta: Json, finish: str | None = None) -> Any:
        return {**self._envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]}
