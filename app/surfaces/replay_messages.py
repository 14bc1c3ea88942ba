"""Messages: a stream's events put together to a Message, and a Message told in events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.core.json import Json, NotJson, dumps, loads
from app.core.replay import Collected, pieces
from app.core.wire import Frame

#: Type of a delta -> the field of its block that it goes on with, which has the same name in the delta.
_TEXTS: Mapping[str, str] = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}

#: Of a Message, but not of the counts that end its stream.
_ONCE = frozenset({"cache_creation", "inference_geo", "service_tier"})


class MessagesReplay:
    def collect(self) -> Collected:
        return _Message()

    def stream(self, answer: Json, *, usage: bool) -> Sequence[Frame] | None:
        """Usage is always told."""
        counts = answer["usage"]
        ends = {name: answer.get(name) for name in ("stop_reason", "stop_sequence")}
        ends |= {name: answer[name] for name in ("stop_details", "container") if name in answer}
        begun = {**answer, "content": [], **dict.fromkeys(ends), "usage": {**counts, "output_tokens": 0}}
        frames = [_event({"type": "message_start", "message": begun})]
        for index, block in enumerate(answer["content"]):
            frames += _told(index, block)
        last = {name: value for name, value in counts.items() if name not in _ONCE}
        frames.append(_event({"type": "message_delta", "delta": ends, "usage": last}))
        frames.append(_event({"type": "message_stop"}))
        frames[-1].last = True
        return frames


class _Message:
    def __init__(self) -> None:
        self._message: Json | None = None
        self._blocks: list[_Block] = []
        self._usage: Json = {}
        self._whole = False
        self._strange = False  # something that nobody here knows how to put together

    def add(self, frame: Frame) -> None:
        data = frame.data
        if data is None:
            return
        kind = data.get("type")
        if kind == "content_block_delta":
            self._strange |= not self._blocks or not self._blocks[-1].add(data["delta"])
        elif kind == "content_block_start":
            self._blocks.append(_Block(data["content_block"]))
        elif kind == "message_start":
            self._message = data["message"]
            self._usage.update(data["message"].get("usage") or {})
        elif kind == "message_delta":
            self._end(data)
        elif kind == "message_stop":
            self._whole = True
        elif kind not in ("content_block_stop", "ping"):
            self._strange = True

    def answer(self) -> Json | None:
        if self._message is None or not self._whole or self._strange:
            return None
        blocks = [block.whole() for block in self._blocks]
        content = [block for block in blocks if block is not None]
        if len(content) < len(blocks):
            return None
        return {**self._message, "content": content, "usage": self._usage}

    def _end(self, data: Json) -> None:
        if self._message is not None:
            beside = {name: value for name, value in data.items() if name not in ("type", "delta", "usage")}
            said = {name: value for name, value in data["delta"].items() if value is not None}
            self._message = {**self._message, **beside, **said}
        counts = data.get("usage") or {}
        self._usage.update({name: value for name, value in counts.items() if value is not None})


class _Block:
    def __init__(self, begun: Json) -> None:
        self._begun = begun
        self._texts: dict[str, list[str]] = {}
        self._input: list[str] = []
        self._citations: list[Json] = []

    def add(self, delta: Json) -> bool:
        """Whether it is known what to do with it."""
        kind = delta.get("type")
        name = _TEXTS.get(str(kind))
        if name is not None:
            self._texts.setdefault(name, []).append(delta[name])
        elif kind == "input_json_delta":
            self._input.append(delta["partial_json"])
        elif kind == "citations_delta":
            self._citations.append(delta["citation"])
        else:
            return False
        return True

    def whole(self) -> Json | None:
        """None where the input of a tool came out as something else than an object."""
        made = dict(self._begun)
        for name, said in self._texts.items():
            made[name] = (made.get(name) or "") + "".join(said)
        if self._citations:
            made["citations"] = [*(made.get("citations") or ()), *self._citations]
        if text := "".join(self._input):
            try:
                made["input"] = loads(text)
            except NotJson:
                return None
            if not isinstance(made["input"], dict):
                return None
        return made


def _told(index: int, block: Json) -> Iterator[Frame]:
    kind = block["type"]
    begun, deltas, chars = dict(block), list[Json](), 0
    if kind == "text":
        begun["text"] = ""
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
        if block.get("citations"):
            begun["citations"] = []
            deltas += [{"type": "citations_delta", "citation": each} for each in block["citations"]]
    elif kind == "thinking":
        begun |= {"thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block.get("signature") or ""})
    elif isinstance(block.get("input"), dict):  # a call of whatever kind
        begun["input"] = {}
        chars = len(block.get("name") or "")
        text = dumps(block["input"]).decode() if block["input"] else ""
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(text) or [""]]
    yield _event({"type": "content_block_start", "index": index, "content_block": begun}, chars)
    for delta in deltas:
        yield _event({"type": "content_block_delta", "index": index, "delta": delta}, _chars(delta))
    yield _event({"type": "content_block_stop", "index": index})


def _chars(delta: Json) -> int:
    said: Any = delta.get("text") or delta.get("thinking") or delta.get("partial_json") or ""
    return len(said)


def _event(data: Json, chars: int = 0) -> Frame:
    return Frame(data, data["type"], chars)
