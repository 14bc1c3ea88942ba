"""The items of a response while they are streamed: each announces itself, grows, and ends."""

from __future__ import annotations

from typing import Any, Protocol

from app.core.ids import item_id, thought_id
from app.core.json import Json
from app.surfaces.responses_answer import call_item, message_item, reasoning_item, text_part


class Emit(Protocol):
    """Where events go: type, what they say, and the characters of content in it."""

    def __call__(self, kind: str, said: Json, chars: int = 0) -> None: ...


class Item:
    """`done` is what became of it, once it has ended."""

    def __init__(self, place: int, emit: Emit, begun: Json, chars: int = 0) -> None:
        self.done = begun
        self._emit = emit
        self._place: Json = {"output_index": place, "item_id": begun["id"]}
        emit("response.output_item.added", {"output_index": place, "item": {**begun, "status": "in_progress"}}, chars)

    def _end(self, item: Json) -> None:
        self.done = item
        self._emit("response.output_item.done", {"output_index": self._place["output_index"], "item": item})


class Reasoning(Item):
    """In one part, which is content or, where that was asked for, a summary."""

    def __init__(self, place: int, emit: Emit, *, summarised: bool) -> None:
        super().__init__(place, emit, reasoning_item(thought_id(), "", [], summarised=summarised))
        self._summarised = summarised
        self._texts: list[str] = []
        self._blocks: list[Json] = []
        self._part = {**self._place, ("summary_index" if summarised else "content_index"): 0}
        self._name = "response.reasoning_summary_text" if summarised else "response.reasoning_text"
        self._around = "response.reasoning_summary_part" if summarised else "response.content_part"
        self._kind = "summary_text" if summarised else "reasoning_text"

    def say(self, text: str) -> None:
        if not self._texts:
            self._emit(f"{self._around}.added", {**self._part, "part": {"type": self._kind, "text": ""}})
        self._texts.append(text)
        self._emit(f"{self._name}.delta", {**self._part, "delta": text}, len(text))

    def sign(self, blocks: list[Json]) -> None:
        """Blocks that came back whole; their text has been streamed."""
        self._blocks += blocks

    def end(self, status: str) -> None:
        text = "".join(self._texts)
        if self._texts:
            self._emit(f"{self._name}.done", {**self._part, "text": text})
            self._emit(f"{self._around}.done", {**self._part, "part": {"type": self._kind, "text": text}})
        item = reasoning_item(self.done["id"], text, self._blocks, summarised=self._summarised)
        self._end({**item, "status": status})


class Message(Item):
    """In parts of text and refusals; one is open or none is."""

    def __init__(self, place: int, emit: Emit) -> None:
        super().__init__(place, emit, message_item(item_id("msg"), [], "in_progress"))
        self._parts: list[Json] = []  # that are over
        self._kind: str | None = None  # of the open part
        self._texts: list[str] = []
        self._annotations: list[Json] = []
        self._logprobs: list[Json] = []

    def say(self, text: str, logprobs: list[Json]) -> None:
        self._turn_to("output_text")
        self._texts.append(text)
        self._logprobs += logprobs
        told: Json = {**self._here, "delta": text, "logprobs": [_bare(token) for token in logprobs]}
        self._emit("response.output_text.delta", told, len(text))

    def refuse(self, text: str) -> None:
        self._turn_to("refusal")
        self._texts.append(text)
        self._emit("response.refusal.delta", {**self._here, "delta": text}, len(text))

    def cite(self, annotations: list[Json]) -> None:
        self._turn_to("output_text")
        for annotation in annotations:
            told = {**self._here, "annotation": annotation, "annotation_index": len(self._annotations)}
            self._annotations.append(annotation)
            self._emit("response.output_text.annotation.added", told)

    def end(self, status: str) -> None:
        self._close()
        self._end(message_item(self.done["id"], self._parts, status))

    @property
    def _here(self) -> Json:
        return {**self._place, "content_index": len(self._parts)}

    def _turn_to(self, kind: str) -> None:
        if self._kind == kind:
            return
        self._close()
        self._kind = kind
        self._emit("response.content_part.added", {**self._here, "part": self._part("")})

    def _part(self, text: str) -> Json:
        if self._kind == "refusal":
            return {"type": "refusal", "refusal": text}
        return text_part(text, self._annotations, self._logprobs)

    def _close(self) -> None:
        if self._kind is None:
            return
        text = "".join(self._texts)
        part = self._part(text)
        if self._kind == "refusal":
            self._emit("response.refusal.done", {**self._here, "refusal": text})
        else:
            told: Json = {**self._here, "text": text, "logprobs": [_bare(token) for token in self._logprobs]}
            self._emit("response.output_text.done", told)
        self._emit("response.content_part.done", {**self._here, "part": part})
        self._parts.append(part)
        self._kind, self._texts, self._annotations, self._logprobs = None, [], [], []


class Call(Item):
    """`begun`: the first fragment with its name."""

    def __init__(self, place: int, emit: Emit, begun: Json) -> None:
        item = call_item(item_id("fc"), begun, "", "in_progress")
        super().__init__(place, emit, item, len(item["name"]))
        self._pieces: list[str] = []

    def say(self, arguments: str) -> None:
        self._pieces.append(arguments)
        self._emit("response.function_call_arguments.delta", {**self._place, "delta": arguments}, len(arguments))

    def end(self, status: str) -> None:
        arguments = "".join(self._pieces)
        told = {**self._place, "name": self.done["name"], "arguments": arguments}
        self._emit("response.function_call_arguments.done", told)
        self._end({**self.done, "arguments": arguments, "status": status})


def _bare(token: Json) -> dict[str, Any]:
    """A token's probability as events have it: without its bytes."""
    bare = {"token": token["token"], "logprob": token["logprob"]}
    return {**bare, "top_logprobs": [{"token": t["token"], "logprob": t["logprob"]} for t in token["top_logprobs"]]}
