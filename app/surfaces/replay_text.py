"""Text completions: a stream's chunks put together, and a plain answer told in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.core.json import Json
from app.core.replay import Collected
from app.core.wire import Frame
from app.surfaces.replay_chat import Head


class TextReplay:
    def collect(self) -> Collected:
        return _Text()

    def stream(self, answer: Json, *, usage: bool) -> Sequence[Frame] | None:
        """A chunk a choice: only with its finish reason does a chunk keep to the official type."""
        head = {name: value for name, value in answer.items() if name not in ("choices", "usage")}
        frames = []
        for choice in answer["choices"]:
            data = {**head, "choices": [choice]}
            frames.append(Frame(data, chars=len(choice["text"]), finish=choice["finish_reason"]))
        if usage and answer.get("usage") is not None:
            frames.append(Frame({**head, "choices": [], "usage": answer["usage"]}))
        frames[-1].last = True
        return frames


class _Text:
    def __init__(self) -> None:
        self._head = Head()
        self._choices: dict[int, Json] = {}
        self._texts: dict[int, list[str]] = {}

    def add(self, frame: Frame) -> None:
        self._head.add(frame)
        if frame.data is None:
            return
        for choice in frame.data.get("choices") or ():
            index = choice["index"]
            self._texts.setdefault(index, []).append(choice["text"])
            known = self._choices.setdefault(index, {"index": index, "logprobs": None, "finish_reason": None})
            known["finish_reason"] = choice.get("finish_reason") or known["finish_reason"]
            known["logprobs"] = _both(known["logprobs"], choice.get("logprobs"))

    def answer(self) -> Json | None:
        choices = [{**choice, "text": "".join(self._texts[index])} for index, choice in sorted(self._choices.items())]
        if not choices or any(choice["finish_reason"] is None for choice in choices):
            return None
        return self._head.answer("text_completion", choices)


def _both(first: Any, second: Any) -> Any:
    """Log probabilities are lists side by side."""
    if not first or not second:
        return first or second
    return {name: [*(first.get(name) or ()), *(second.get(name) or ())] for name in {**first, **second}}
