"""A stream of Anthropic's: passed on as it is, with the books read from it; or as chat chunks.

message_start, then blocks one after another (content_block_start, deltas, content_block_stop), message_delta with the
reason and the final counts, message_stop; ping anywhere, and events that we do not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.core.errors import GatewayError
from app.core.ids import completion_id, tool_call_id
from app.core.json import Json, dumps, loads
from app.core.usage import Usage
from app.core.wire import Ask, Event, Frame, is_event_name
from app.providers.anthropic_answer import CALLS, FINISH, annotation, set_right_block, set_right_usage
from app.providers.anthropic_usage import chat_usage, usage_of
from app.providers.chat_writing import said as as_text

Failed = Callable[[bytes], GatewayError]  # an error event, decoded

_CONTENT: Mapping[str, str] = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


class _Counts:
    """Usage over a stream: what message_delta says replaces what message_start said, where it says anything."""

    def __init__(self) -> None:
        self._counts: Json = {}

    def take(self, counts: Any) -> Usage:
        if isinstance(counts, dict):
            self._counts.update({name: value for name, value in counts.items() if value is not None})
        return usage_of(self._counts)


class MessagesReader:
    """For clients who speak Messages themselves."""

    def __init__(self, failed: Failed) -> None:
        self.complete = False
        self.done = False
        self._failed = failed
        self._counts = _Counts()

    def feed(self, event: Event) -> Sequence[Frame]:
        data = loads(event.data)
        try:
            kind = data["type"]
            if kind == "content_block_delta":
                delta = data["delta"]
                text = delta.get(_CONTENT.get(delta["type"]))
                return (Frame(data, kind, len(text) if text else 0),)
            return (self._other(kind, data, event),)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an event of a message") from error

    def end(self) -> Sequence[Frame]:
        return () if self.done else (Frame({"type": "message_stop"}, "message_stop", last=True),)

    def _other(self, kind: str, data: Json, event: Event) -> Frame:
        if kind == "message_start":
            set_right_usage(data["message"]["usage"], "input_tokens", "output_tokens")
            return Frame(data, kind, usage=self._counts.take(data["message"]["usage"]))
        if kind == "content_block_start":
            block = data["content_block"]
            set_right_block(block)
            return Frame(data, kind, len(block["name"]) if block["type"] in CALLS else 0)
        if kind == "message_delta":
            return self._message_delta(data)
        if kind == "message_stop":
            self.complete = self.done = True
            return Frame(data, kind, last=True)
        if kind == "error":
            raise self._failed(event.data)
        if not is_event_name(kind):
            raise ValueError("not an event of a message")
        return Frame(data, kind)

    def _message_delta(self, data: Json) -> Frame:
        set_right_usage(data["usage"], "output_tokens")
        usage = self._counts.take(data["usage"])
        reason = data["delta"].get("stop_reason")
        if reason is None:
            return Frame(data, "message_delta", usage=usage)
        if reason not in FINISH:
            data["delta"]["stop_reason"] = reason = "end_turn"
        self.complete = True
        return Frame(data, "message_delta", finish=FINISH[reason], usage=usage)


class ChatReader:
    """For clients who speak OpenAI's chat."""

    def __init__(self, ask: Ask, failed: Failed) -> None:
        self.complete = False
        self.done = False
        self._failed = failed
        self._wants_usage = ask.wants_usage
        self._counts = _Counts()
        self._envelope: Json = {
            "id": completion_id(),
            "object": "chat.completion.chunk",
            "created": ask.created,
            "model": "",
        }
        if ask.wants_usage:
            self._envelope["usage"] = None
        self._block: Json = {}  # the one that is open
        self._pieces: list[str] = []  # of its thinking
        self._arguments = False  # whether any were sent for it
        self._calls = 0
        self._thoughts = 0
        self._length = 0  # of the text so far
        self._block_began = 0  # the length when it was opened
        self._annotations: list[Json] = []

    def feed(self, event: Event) -> Sequence[Frame]:
        data = loads(event.data)
        try:
            kind = data["type"]
            if kind == "content_block_delta":
                return self._delta(data["delta"])
            if kind == "content_block_start":
                return self._open(data["content_block"])
            if kind == "content_block_stop":
                return self._close()
            return self._about_the_message(kind, data, event)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an event of a message") from error

    def _about_the_message(self, kind: str, data: Json, event: Event) -> Sequence[Frame]:
        if kind == "message_start":
            message = data["message"]
            self._envelope["model"] = message["model"] if isinstance(message.get("model"), str) else ""
            usage = self._counts.take(message.get("usage"))
            return (Frame(self._chunk({"role": "assistant", "content": "", "refusal": None}), usage=usage),)
        if kind == "message_delta":
            return self._finish(data)
        if kind == "message_stop":
            self.done = True
            reason = "tool_use" if self._calls else "end_turn"
            unsaid = () if self.complete else self._finish({"delta": {"stop_reason": reason}})
            return (*unsaid, Frame(None, last=True))
        if kind == "error":
            raise self._failed(event.data)
        return ()

    def _delta(self, delta: Json) -> Sequence[Frame]:
        kind = delta["type"]
        if kind == "text_delta":
            return self._text(delta["text"])
        if kind == "thinking_delta":
            return self._thought(delta["thinking"])
        if kind == "input_json_delta":
            piece = as_text(delta["partial_json"])
            if not piece or self._block["type"] != "tool_use":  # a server's own tool is no call of the client's
                return ()
            self._arguments = True
            return self._call({"function": {"arguments": piece}}, len(piece))
        if kind == "signature_delta":
            self._block["signature"] = as_text(delta["signature"])
        elif kind == "citations_delta":
            self._block.setdefault("citations", []).append(delta["citation"])
        return ()

    def _text(self, given: Any) -> Sequence[Frame]:
        if not (text := as_text(given)):
            return ()
        self._length += len(text)
        return (Frame(self._chunk({"content": text}), None, len(text)),)

    def _thought(self, given: Any) -> Sequence[Frame]:
        if not (thought := as_text(given)):
            return ()
        self._pieces.append(thought)
        return (Frame(self._chunk({"reasoning_content": thought}), None, len(thought)),)

    def _call(self, call: Json, chars: int) -> Sequence[Frame]:
        return (Frame(self._chunk({"tool_calls": [{"index": self._calls - 1, **call}]}), None, chars),)

    def _open(self, block: Json) -> Sequence[Frame]:
        self._block = block
        self._pieces = []
        self._arguments = False
        self._block_began = self._length
        kind = block["type"]
        if kind == "tool_use":
            name, call_id = as_text(block["name"]), as_text(block["id"]) or tool_call_id()
            self._calls += 1
            function = {"name": name, "arguments": ""}
            return self._call({"id": call_id, "type": "function", "function": function}, len(name))
        if kind == "text":
            return self._text(block.get("text"))
        return self._thought(block.get("thinking")) if kind == "thinking" else ()

    def _close(self) -> Sequence[Frame]:
        block, self._block = self._block, {"type": None}
        kind = block["type"]
        if kind == "tool_use" and not self._arguments:  # a call without arguments: `{}`, and never an empty string
            arguments = dumps(block.get("input") or {}).decode()
            return self._call({"function": {"arguments": arguments}}, len(arguments))
        if kind == "thinking":
            signature = as_text(block.get("signature"))
            return self._thinking_block({"type": kind, "thinking": "".join(self._pieces), "signature": signature})
        if kind == "redacted_thinking":
            return self._thinking_block({"type": kind, "data": as_text(block["data"])})
        for citation in block.get("citations") or () if kind == "text" else ():
            if made := annotation(citation, self._block_began, self._length):
                self._annotations.append(made)
        return ()

    def end(self) -> Sequence[Frame]:
        return ()

    def _thinking_block(self, block: Json) -> Sequence[Frame]:
        """A block whole, as it must come back in the next turn. OpenAI's SDK adds lists up by their entries' index."""
        self._thoughts += 1
        return (Frame(self._chunk({"thinking_blocks": [{"index": self._thoughts - 1, **block}]})),)

    def _finish(self, data: Json) -> Sequence[Frame]:
        usage = self._counts.take(data.get("usage"))
        reason = data["delta"].get("stop_reason")
        if reason is None:
            return (Frame(None, usage=usage),)
        self.complete = True
        finish = FINISH.get(reason, "stop")
        frames = [Frame(self._chunk({}, finish), finish=finish, usage=usage)]
        if self._annotations:
            frames.insert(0, Frame(self._chunk({"annotations": self._annotations})))
        if self._wants_usage:
            frames.append(Frame({**self._envelope, "choices": [], "usage": chat_usage(usage)}))
        return frames

    def _chunk(self, delta: Json, finish: str | None = None) -> Json:
        return {**self._envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]}
