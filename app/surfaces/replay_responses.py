"""Responses: the whole one that ends a stream, and one told in events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.core.json import Json
from app.core.replay import Collected, pieces
from app.core.wire import Frame

_OVER = ("response.completed", "response.incomplete")


class ResponsesReplay:
    def collect(self) -> Collected:
        return _Last()

    def stream(self, answer: Json, *, usage: bool) -> Sequence[Frame] | None:
        """Usage is always told. Items of the provider's own tools are announced and ended, without what is between."""
        frames: list[Frame] = []
        for number, data in enumerate(_events(answer)):
            chars = len(data["delta"]) if isinstance(data.get("delta"), str) else 0
            kind = data["type"]
            frames.append(Frame({"type": kind, "sequence_number": number, **data}, kind, chars))
        frames[-1].last = True
        return frames


class _Last:
    """The last event of a stream holds all that the others have said."""

    def __init__(self) -> None:
        self._response: Json | None = None

    def add(self, frame: Frame) -> None:
        if frame.event in _OVER and frame.data is not None:
            self._response = frame.data["response"]

    def answer(self) -> Json | None:
        return self._response


def _events(answer: Json) -> Iterator[Json]:
    begun = {**answer, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    begun.pop("completed_at", None)
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for place, item in enumerate(answer["output"]):
        yield {"type": "response.output_item.added", "output_index": place, "item": _bare(item)}
        yield from _inside(item, {"item_id": item.get("id") or "", "output_index": place})
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    end = "incomplete" if answer.get("status") == "incomplete" else "completed"
    yield {"type": f"response.{end}", "response": answer}


def _bare(item: Json) -> Json:
    """An item that has only begun."""
    empty: Json = {}
    if item["type"] == "function_call":
        empty = {"arguments": ""}
    elif item["type"] in ("message", "reasoning"):
        empty = {name: [] for name in ("content", "summary") if item.get(name) is not None}
    return {**item, **empty, **({"status": "in_progress"} if empty else {})}


def _inside(item: Json, here: Json) -> Iterator[Json]:
    if item["type"] == "function_call":
        yield from _told("response.function_call_arguments", here, item["arguments"])
        yield {
            "type": "response.function_call_arguments.done",
            **here,
            "name": item["name"],
            "arguments": item["arguments"],
        }
    elif item["type"] in ("message", "reasoning"):
        for at, part in enumerate(item.get("summary") or ()):
            yield from _part({**here, "summary_index": at}, part)
        for at, part in enumerate(item.get("content") or ()):
            yield from _part({**here, "content_index": at}, part)


def _part(here: Json, part: Json) -> Iterator[Json]:
    kind = part["type"]
    name = "refusal" if kind == "refusal" else "text"
    summary = kind == "summary_text"
    around = "response.reasoning_summary_part" if summary else "response.content_part"
    inner = f"response.reasoning_{kind}" if summary else f"response.{kind}"
    more: Json = {"logprobs": []} if kind == "output_text" else {}
    yield {"type": f"{around}.added", **here, "part": {**part, name: ""}}
    yield from ({**told, **more} for told in _told(inner, here, part[name]))
    yield {"type": f"{inner}.done", **here, name: part[name], **more}
    yield {"type": f"{around}.done", **here, "part": part}


def _told(kind: str, here: Json, text: str) -> Iterator[Json]:
    return ({"type": f"{kind}.delta", **here, "delta": piece} for piece in pieces(text))
