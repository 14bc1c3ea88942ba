"""Chat chunks as the events of a Message.

A message_start, blocks one after another, one message_delta, message_stop. A block is open or none is; a chunk with
another kind of content closes it first. Calls that run in parallel wait until the first of them is over, since blocks
never interleave. What ends the message is held back until the chat stream is over, for usage comes last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.ids import tool_use_id
from app.core.json import Json
from app.core.wire import Frame
from app.providers.signatures import marked, of_call
from app.surfaces.messages_answer import counts, id_of, signed, stop_reason
from app.surfaces.through_chat import ChatWriter


@dataclass(slots=True)
class _Call:
    """A tool call under way. `pieces` are arguments that have not been sent."""

    id: str = ""
    name: str = ""
    signature: str | None = None  # of the thought that led to it, where its provider signs
    pieces: list[str] = field(default_factory=list)


class MessageWriter(ChatWriter):
    """`names`: the real names of tools whose names were cut for the provider."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = names
        self._open: str | None = None  # the type of the open block
        self._index = -1  # of the block that is open, or was last
        self._signature = ""
        self._calls: dict[int, _Call] = {}  # begun and not yet closed, in the order in which they began
        self._called = self._refused = False
        self._sequence: Any = None

    def _chunk(self, chunk: Json) -> None:
        choices = chunk.get("choices")
        if not choices:
            return
        choice = choices[0]
        delta = choice.get("delta") or {}
        if thought := delta.get("reasoning_content"):
            self._say("thinking", "thinking_delta", "thinking", thought)
        for block in delta.get("thinking_blocks") or ():
            self._thought(block)
        if text := delta.get("content"):
            self._say("text", "text_delta", "text", text)
        if refusal := delta.get("refusal"):
            self._refused = True
            self._say("text", "text_delta", "text", refusal)
        for fragment in delta.get("tool_calls") or ():
            self._fragment(fragment)
        if finish := choice.get("finish_reason"):
            self._finish = finish
            self._sequence = choice.get("stop_reason")

    def _start(self, chunk: Json) -> None:
        message: Json = {
            "id": id_of(chunk),
            "type": "message",
            "role": "assistant",
            "model": chunk.get("model") or "",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": counts(None),
        }
        self._event({"type": "message_start", "message": message})

    def _say(self, kind: str, delta: str, name: str, text: str) -> None:
        if self._open != kind:
            self._close_all()
            self._open_block({"type": kind, name: ""} if kind == "text" else {"type": kind, name: "", "signature": ""})
        self._delta({"type": delta, name: text}, len(text))

    def _thought(self, block: Any) -> None:
        """A thinking block, whole: its text has been streamed, but for its signature."""
        made = signed(block)
        if made is None:
            return
        if made["type"] == "redacted_thinking":
            self._close_all()
            self._open_block(made)
            self._close()
        else:
            if self._open != "thinking":
                self._close_all()
                self._open_block({"type": "thinking", "thinking": "", "signature": ""})
                if made["thinking"]:
                    self._delta({"type": "thinking_delta", "thinking": made["thinking"]}, len(made["thinking"]))
            self._signature = made["signature"]
            self._close()

    def _fragment(self, fragment: Json) -> None:
        """A piece of a call: sent at once where it belongs to the first of the calls under way."""
        function = fragment.get("function") or {}
        call = self._calls.setdefault(fragment.get("index") or 0, _Call())
        call.id = call.id or fragment.get("id") or ""
        call.name = call.name or function.get("name") or ""
        call.signature = call.signature or of_call(fragment)
        if arguments := function.get("arguments"):
            call.pieces.append(arguments)
        if call.name and call is next(iter(self._calls.values())):
            self._send(call)

    def _send(self, call: _Call) -> None:
        if self._open != "tool_use":
            self._sign(call)
            if self._open is not None:
                self._close()
            self._called = True
            name = self._names.get(call.name, call.name)
            block = {"type": "tool_use", "id": call.id or tool_use_id(), "name": name, "input": {}}
            self._open_block(block, len(call.name))
        for piece in call.pieces:
            self._delta({"type": "input_json_delta", "partial_json": piece}, len(piece))
        call.pieces = []

    def _sign(self, call: _Call) -> None:
        """The signature goes onto the thought that is open, else into a block of its own."""
        if call.signature is None:
            return
        if self._open == "thinking":
            self._signature = marked(call.signature)
            return
        if self._open is not None:
            self._close()
        self._open_block({"type": "redacted_thinking", "data": marked(call.signature)})

    def _close_all(self) -> None:
        """Close what is open; then the calls that waited for it, each as a block of its own."""
        calls, self._calls = self._calls, {}
        for call in calls.values():
            if call.name:
                self._send(call)
                self._close()
        if self._open is not None:
            self._close()

    def _finished(self) -> None:
        self._close_all()
        reason, sequence = stop_reason(
            self._finish, called=self._called, refused=self._refused, sequence=self._sequence
        )
        delta = {"stop_reason": reason, "stop_sequence": sequence}
        last = {"type": "message_delta", "delta": delta, "usage": counts(self._usage)}
        self._out.append(Frame(last, "message_delta", finish=self._finish, usage=self._usage))
        self._out.append(Frame({"type": "message_stop"}, "message_stop", last=True))

    def _open_block(self, block: Json, chars: int = 0) -> None:
        self._open = block["type"]
        self._index += 1
        self._event({"type": "content_block_start", "index": self._index, "content_block": block}, chars)

    def _close(self) -> None:
        if self._open == "thinking":
            self._delta({"type": "signature_delta", "signature": self._signature}, 0)
            self._signature = ""
        self._open = None
        self._event({"type": "content_block_stop", "index": self._index})

    def _delta(self, delta: Json, chars: int) -> None:
        data = {"type": "content_block_delta", "index": self._index, "delta": delta}
        self._out.append(Frame(data, "content_block_delta", chars))

    def _event(self, data: Json, chars: int = 0) -> None:
        self._out.append(Frame(data, data["type"], chars))
