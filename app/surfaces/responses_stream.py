"""Chat chunks as the events of a Response.

A response begins, its items come one after another, each announced and each ended, and one event with the whole of it
ends the stream. Text, refusals and thoughts end when something else begins. Calls may run side by side, which the
events allow: each has its place and its id in every one of them; they all end with the answer.
"""

from __future__ import annotations

from typing import Any

from app.core.json import Json
from app.core.wire import Frame
from app.surfaces.responses_answer import Outline, citations, incomplete, logprobs_of
from app.surfaces.responses_items import Call, Emit, Item, Message, Reasoning
from app.surfaces.through_chat import ChatWriter


class ResponseWriter(ChatWriter):
    def __init__(self, outline: Outline) -> None:
        super().__init__()
        self._outline = outline
        self._number = 0  # of the next event
        self._items: list[Item] = []  # in the order of their places
        self._open: Message | Reasoning | None = None
        self._calls: dict[int, Call] = {}
        self._tier: Any = None

    def _chunk(self, chunk: Json) -> None:
        self._tier = chunk.get("service_tier") or self._tier
        choices = chunk.get("choices")
        if not choices:
            return
        choice = choices[0]
        delta = choice.get("delta") or {}
        if thought := delta.get("reasoning_content"):
            self._thinking().say(thought)
        if blocks := delta.get("thinking_blocks"):
            self._thinking().sign([block for block in blocks if isinstance(block, dict)])
        if text := delta.get("content"):
            self._speaking().say(text, logprobs_of(choice))
        if cited := citations(delta.get("annotations")):
            self._speaking().cite(cited)
        if refusal := delta.get("refusal"):
            self._speaking().refuse(refusal)
        for fragment in delta.get("tool_calls") or ():
            self._fragment(fragment)
        self._finish = choice.get("finish_reason") or self._finish

    def _start(self, chunk: Json) -> None:
        self._outline.begin(chunk)
        self._emit("response.created", {"response": self._outline.now()})
        self._emit("response.in_progress", {"response": self._outline.now()})

    def _thinking(self) -> Reasoning:
        if not isinstance(self._open, Reasoning):
            self._close("completed")
            self._open = Reasoning(len(self._items), self._emit, summarised=self._outline.summarised)
            self._items.append(self._open)
        return self._open

    def _speaking(self) -> Message:
        if not isinstance(self._open, Message):
            self._close("completed")
            self._open = Message(len(self._items), self._emit)
            self._items.append(self._open)
        return self._open

    def _fragment(self, fragment: Json) -> None:
        function = fragment.get("function")
        if not isinstance(function, dict):
            return
        call = self._calls.get(index := fragment.get("index") or 0)
        if call is None:
            if not function.get("name"):
                return
            self._close("completed")
            call = self._calls[index] = Call(len(self._items), self._emit, fragment)
            self._items.append(call)
        if arguments := function.get("arguments"):
            call.say(arguments)

    def _close(self, status: str) -> None:
        if self._open is not None:
            self._open.end(status)
            self._open = None

    def _finished(self) -> None:
        if not self._items:
            self._speaking()
        status = "incomplete" if incomplete(self._finish) else "completed"
        self._close("completed" if self._calls else status)
        for call in self._calls.values():
            call.end(status if call is self._items[-1] else "completed")
        output = [item.done for item in self._items]
        whole = self._outline.end(output, self._finish, self._usage, self._tier)
        self._emit(f"response.{whole['status']}", {"response": whole})
        last = self._out[-1]
        last.finish, last.usage, last.last = self._finish, self._usage, True

    def _emit(self, kind: str, said: Json, chars: int = 0) -> None:
        data = {"type": kind, "sequence_number": self._number, **said}
        self._number += 1
        self._out.append(Frame(data, kind, chars))


__all__ = ["Emit", "ResponseWriter"]
