"""Cohere's answers, whole and streamed, as OpenAI's.

A stream: message-start; content-start, -delta and -end for each run of text or thinking; tool-plan-delta;
tool-call-start, -delta and -end; citation-start and -end; message-end with the reason and the counts. Its `index`
counts contents or calls, and is never a choice's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.core.errors import GatewayError
from app.core.json import Json, loads
from app.core.usage import Usage
from app.core.wire import Ask, Event, Frame
from app.providers.chat_writing import Chunks, completion, count, said, tool_call

Failed = Callable[[Json], GatewayError]  # what says that the provider failed, decoded

#: Why an answer ended, in OpenAI's words; ERROR, TIMEOUT and whatever else begins so are failures.
FINISH: Mapping[str, str] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}
_FAILURES = ("ERROR", "TIMEOUT")


def answer(ask: Ask, body: Json, failed: Failed) -> Frame:
    """Raises ValueError where the body is no answer."""
    try:
        message = body["message"]
        finish = _finish(body, failed, called=bool(message.get("tool_calls")))
        contents = message.get("content") or ()
        told: Json = {
            "content": said(message.get("tool_plan")) + _joined(contents, "text"),
            "reasoning_content": _joined(contents, "thinking"),
            "tool_calls": [
                tool_call(call.get("id"), call["function"]["name"], call["function"]["arguments"])
                for call in message.get("tool_calls") or ()
            ],
            "citations": message.get("citations"),
        }
        return completion(ask, told, finish, usage_of(body.get("usage")))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not an answer of Cohere's chat") from error


def usage_of(counts: Any) -> Usage:
    """`tokens` are what the model read and wrote, `billed_units` what of it costs."""
    counts = counts or {}
    tokens = counts.get("tokens") or counts.get("billed_units") or {}
    return Usage(
        input=count(tokens.get("input_tokens")),
        output=count(tokens.get("output_tokens")),
        cached_input=count(counts.get("cached_tokens")),
        reasoning_output=count(tokens.get("reasoning_tokens")),
    )


def _finish(ended: Json, failed: Failed, *, called: bool) -> str:
    reason = ended.get("finish_reason") or ""
    if reason in FINISH:
        return FINISH[reason]
    if reason.startswith(_FAILURES):
        raise failed(ended)
    return "tool_calls" if called else "stop"


def _joined(contents: Sequence[Json], kind: str) -> str:
    return "".join(each[kind] for each in contents if each["type"] == kind)


class ChatReader:
    def __init__(self, ask: Ask, failed: Failed) -> None:
        self.complete = False
        self.done = False
        self._failed = failed
        self._chunks = Chunks(ask)
        self._citations = 0

    def feed(self, event: Event) -> Sequence[Frame]:
        if event.data == b"[DONE]":
            self.done = True
            return (Frame(None, last=True),)
        data = loads(event.data)
        try:
            return self._read(data)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an event of Cohere's chat") from error

    def end(self) -> Sequence[Frame]:
        return (Frame(None, last=True),)

    def _read(self, data: Json) -> Sequence[Frame]:
        kind, delta = data.get("type"), data.get("delta") or {}
        if kind == "message-end":
            return self._end(delta)
        said = delta.get("message") or {}
        if kind in ("content-delta", "content-start"):
            return self._content(said["content"])
        if kind == "tool-plan-delta":
            return self._chunks.text(said["tool_plan"])
        if kind in ("tool-call-start", "tool-call-delta", "tool-call-end"):
            return self._call(kind, said.get("tool_calls") or {})
        return self._beside(kind, data, said)

    def _beside(self, kind: str | None, data: Json, said: Json) -> Sequence[Frame]:
        if kind == "message-start":
            return (self._chunks.begin(),)
        if kind == "citation-start":
            self._citations += 1
            return (self._chunks.entry("citations", said["citations"], self._citations - 1),)
        if kind is None and data.get("message"):  # an error where an event should be
            raise self._failed(data)
        return ()

    def _content(self, content: Json) -> Sequence[Frame]:
        if text := content.get("text"):
            return self._chunks.text(text)
        return self._chunks.thought(content.get("thinking"))

    def _call(self, kind: str, call: Json) -> Sequence[Frame]:
        if kind == "tool-call-end":
            return self._chunks.call_over()
        function = call["function"]
        begun = []
        if kind == "tool-call-start":
            begun = self._chunks.call(call.get("id"), function["name"])
        return [*begun, *self._chunks.arguments(function.get("arguments"))]

    def _end(self, ended: Json) -> Sequence[Frame]:
        finish = _finish(ended, self._failed, called=bool(self._chunks.calls))
        usage = usage_of(ended.get("usage"))
        self.complete = True
        return [*self._chunks.finish(finish, usage), self._chunks.usage(usage)]
