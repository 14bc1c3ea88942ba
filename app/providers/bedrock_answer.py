"""Converse's answers, whole and streamed, as OpenAI's.

A stream: messageStart; for each block its deltas and contentBlockStop, with a contentBlockStart before them if it is a
tool's; messageStop with the reason; and last the counts, in `metadata`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from app.aws.frames import EXCEPTION
from app.core.errors import GatewayError
from app.core.json import Json, dumps, loads
from app.core.usage import Usage
from app.core.wire import Ask, Event, Frame
from app.providers.chat_writing import Chunks, completion, count, said, tool_call

Failed = Callable[[str, bytes], GatewayError]  # an exception by its name, decoded

#: Why an answer ended, in OpenAI's words; the malformed ones are failures.
FINISH: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
_MALFORMED = ("malformed_model_output", "malformed_tool_use")


def answer(ask: Ask, body: Json, failed: Failed) -> Frame:
    """Raises ValueError where the body is no answer."""
    try:
        blocks = body["output"]["message"]["content"]
        calls = [block["toolUse"] for block in blocks if "toolUse" in block]
        finish = _finish(body["stopReason"], failed, called=bool(calls))
        thoughts = [_thought(block["reasoningContent"]) for block in blocks if "reasoningContent" in block]
        told: Json = {
            "content": "".join(map(_text, blocks)),
            "reasoning_content": "".join(thought.get("thinking", "") for thought in thoughts),
            "thinking_blocks": thoughts if any(map(_is_to_be_kept, thoughts)) else None,
            "tool_calls": [
                tool_call(call["toolUseId"], call["name"], dumps(call.get("input") or {}).decode()) for call in calls
            ],
        }
        return completion(ask, told, finish, usage_of(body["usage"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not an answer of Converse") from error


def usage_of(counts: Json) -> Usage:
    """Converse's `inputTokens` hold neither what was read from the cache nor what was written to it; ours hold both."""
    read, written = count(counts.get("cacheReadInputTokens")), count(counts.get("cacheWriteInputTokens"))
    return Usage(
        input=count(counts.get("inputTokens")) + read + written,
        output=count(counts.get("outputTokens")),
        cached_input=read,
        cache_write_input=written,
    )


def _finish(reason: str, failed: Failed, *, called: bool) -> str:
    if reason in _MALFORMED:
        raise failed("modelErrorException", dumps({"message": f"the model's answer cannot be read: {reason}"}))
    return FINISH.get(reason) or ("tool_calls" if called else "stop")


def _text(block: Json) -> str:
    if "citationsContent" in block:
        return "".join(said(part.get("text")) for part in block["citationsContent"].get("content") or ())
    return said(block.get("text"))


def _thought(content: Json) -> Json:
    """As a block that can come back."""
    if "redactedContent" in content:
        return {"type": "redacted_thinking", "data": said(content["redactedContent"])}
    text = content["reasoningText"]
    return {"type": "thinking", "thinking": said(text.get("text")), "signature": said(text.get("signature"))}


def _is_to_be_kept(thought: Json) -> bool:
    return bool(thought.get("signature") or thought.get("data"))


class ChatReader:
    def __init__(self, ask: Ask, failed: Failed) -> None:
        self.complete = False
        self.done = False
        self._failed = failed
        self._chunks = Chunks(ask)
        self._thought: Json | None = None  # the block of reasoning that is open
        self._thoughts = 0  # given out whole

    def feed(self, event: Event) -> Sequence[Frame]:
        name = event.name or b""
        if name.startswith(EXCEPTION):
            raise self._failed(name.removeprefix(EXCEPTION).decode("utf-8", "replace"), event.data)
        data = loads(event.data)
        try:
            return self._read(name, data)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an event of Converse") from error

    def end(self) -> Sequence[Frame]:
        return (Frame(None, last=True),)

    def _read(self, name: bytes, data: Json) -> Sequence[Frame]:
        if name == b"contentBlockDelta":
            return self._delta(data["delta"])
        if name == b"contentBlockStart":
            call = data["start"].get("toolUse")
            return self._chunks.call(call["toolUseId"], call["name"]) if call else ()
        if name == b"contentBlockStop":
            return [*self._chunks.call_over(), *self._thought_over()]
        return self._about_the_message(name, data)

    def _about_the_message(self, name: bytes, data: Json) -> Sequence[Frame]:
        if name == b"messageStart":
            return (self._chunks.begin(),)
        if name == b"messageStop":
            finish = _finish(data["stopReason"], self._failed, called=bool(self._chunks.calls))
            self.complete = True
            return self._chunks.finish(finish)
        if name == b"metadata":
            self.done = self.complete
            return (self._chunks.usage(usage_of(data["usage"])), Frame(None, last=self.done))
        return ()

    def _delta(self, delta: Json) -> Sequence[Frame]:
        if "text" in delta:
            return self._chunks.text(delta["text"])
        if "toolUse" in delta:
            return self._chunks.arguments(delta["toolUse"]["input"])
        if "reasoningContent" in delta:
            return self._think(delta["reasoningContent"])
        return ()

    def _think(self, content: Json) -> Sequence[Frame]:
        open_ = self._thought or {"type": "thinking", "thinking": "", "signature": ""}
        self._thought = open_
        if redacted := said(content.get("redactedContent")):
            self._thought = {"type": "redacted_thinking", "data": open_.get("data", "") + redacted}
            return ()
        if open_["type"] != "thinking":
            raise TypeError("thoughts in what only their author can read")
        open_["signature"] += said(content.get("signature"))
        open_["thinking"] += said(content.get("text"))
        return self._chunks.thought(content.get("text"))

    def _thought_over(self) -> Sequence[Frame]:
        """Given out whole where it must come back."""
        block, self._thought = self._thought, None
        if block is None or not _is_to_be_kept(block):
            return ()
        self._thoughts += 1
        return (self._chunks.entry("thinking_blocks", block, self._thoughts - 1),)
