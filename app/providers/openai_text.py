"""Text completions, whole and in streams, so that they validate as an official Completion."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from types import NoneType
from typing import Any

from app.core.json import Json
from app.core.wire import Ask, Frame
from app.providers.openai_chat import choices_of
from app.providers.openai_faults import NoAnswer
from app.providers.openai_parts import put_head
from app.providers.openai_stream import StreamReader
from app.providers.openai_usage import settle_in
from app.providers.openai_values import finish_of

KIND = "text_completion"

_LOGPROBS: Mapping[str, tuple[type, ...]] = {
    "tokens": (str,),
    "token_logprobs": (int, float, NoneType),
    "text_offset": (int,),
    "top_logprobs": (dict, NoneType),
}


def text_answer(ask: Ask, body: Json) -> Frame:
    """Raises NoAnswer where the body is not an answer, Failed where it says that there is none."""
    choices = choices_of(body)
    chars = 0
    for place, choice in enumerate(choices):
        if not isinstance(choice.get("text"), str):
            raise NoAnswer("a choice has no text")
        if choice.get("index").__class__ is not int:
            choice["index"] = place
        choice["finish_reason"] = _finish(finish_of(choice.get("finish_reason"))) or "stop"
        _put_logprobs(choice)
        chars += len(choice["text"])
    put_head(body, KIND, _mint, ask.created, ask.body.get("model", ""))
    return Frame(body, chars=chars, finish=choices[0]["finish_reason"], usage=settle_in(body), last=True)


class TextReader(StreamReader):
    """A running choice has the finish reason null, against the official types but as OpenAI itself sends it."""

    __slots__ = ()

    kind = KIND

    def _plain(self, choice: Json) -> int | None:
        text = choice["text"]
        return len(text) if text.__class__ is str and "finish_reason" in choice else None

    def _put(self, choice: Json, index: int, finish: str | None) -> tuple[int, list[Json]]:
        if not isinstance(choice.get("text"), str):
            choice["text"] = ""
        _put_logprobs(choice)
        return len(choice["text"]), []

    def _last(self, index: int) -> tuple[list[Json], Json]:
        return [], {"index": index, "text": "", "logprobs": None, "finish_reason": "stop"}

    def _reason(self, choice: Json) -> str | None:
        return _finish(super()._reason(choice))

    def _mint(self) -> str:
        return _mint()

    def _choices_asked(self, body: Json) -> int:
        """One for each prompt of a batch, n times."""
        prompt = body.get("prompt")
        batch = isinstance(prompt, list) and bool(prompt) and isinstance(prompt[0], str | list)
        return super()._choices_asked(body) * (len(prompt) if batch else 1)  # type: ignore[arg-type] # a list, if so


def _put_logprobs(choice: Json) -> None:
    """What has another shape than OpenAI's is left out. The first token of an echoed prompt has no probability."""
    logprobs = choice.get("logprobs")
    if logprobs is not None and not (isinstance(logprobs, dict) and all(map(_is_list, logprobs.items()))):
        choice["logprobs"] = None


def _is_list(item: tuple[str, Any]) -> bool:
    name, values = item
    kinds = _LOGPROBS.get(name)
    return (
        kinds is None
        or values is None
        or (isinstance(values, list) and all(each.__class__ in kinds for each in values))
    )


def _finish(reason: str | None) -> str | None:
    """A text completion calls no tools."""
    return "stop" if reason in ("tool_calls", "function_call") else reason


def _mint() -> str:
    return f"cmpl-{secrets.token_hex(15)[:29]}"
