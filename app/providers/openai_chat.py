"""A whole chat answer in OpenAI's language, put right so that it validates as an official ChatCompletion."""

from __future__ import annotations

from typing import Any

from app.core.ids import completion_id, tool_call_id
from app.core.json import Json
from app.core.wire import Ask, Frame
from app.providers.openai_faults import Failed, NoAnswer
from app.providers.openai_parts import (
    arguments_of,
    chars_of,
    put_content,
    put_head,
    put_logprobs,
    put_reasoning,
)
from app.providers.openai_usage import settle_in
from app.providers.openai_values import failure_of, finish_of, put_tier


def chat_answer(ask: Ask, body: Json) -> Frame:
    """Raises NoAnswer where the body is not an answer, Failed where it says that there is none."""
    choices = choices_of(body)
    chars = 0
    for place, choice in enumerate(choices):
        chars += _put_choice(choice, place)
    put_head(body, "chat.completion", completion_id, ask.created, ask.body.get("model", ""))
    if "service_tier" in body:
        put_tier(body)
    return Frame(body, chars=chars, finish=choices[0]["finish_reason"], usage=settle_in(body), last=True)


def choices_of(body: Any) -> list[Json]:
    """The choices of a plain answer: at least one, each an object."""
    if not isinstance(body, dict):
        raise NoAnswer("the body is not an object")
    if body.get("error"):
        raise Failed(body)
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        raise NoAnswer("the body has no choices")
    for choice in choices:
        if not isinstance(choice, dict):
            raise NoAnswer("a choice is not an object")
        if failure := failure_of(choice):
            raise Failed({"error": failure})
    return choices


def _put_choice(choice: Json, place: int) -> int:
    if choice.get("index").__class__ is not int:
        choice["index"] = place
    if choice.get("logprobs") is not None:
        put_logprobs(choice)
    finish = finish_of(choice.get("finish_reason"))
    message = choice.get("message")
    if message is None and finish == "content_filter":  # Azure, where it blocked all of the answer
        message = choice["message"] = {"role": "assistant", "content": None, "refusal": None}
    if not isinstance(message, dict):
        raise NoAnswer("a choice has no message")
    _put_message(message)
    choice["finish_reason"] = finish or ("tool_calls" if message.get("tool_calls") else "stop")
    return chars_of(message)


def _put_message(message: Json) -> None:
    message["role"] = "assistant"
    if message.get("content").__class__ is not str:
        message.setdefault("content", None)
        put_content(message)
    if "reasoning" in message:
        put_reasoning(message)
    if message.get("tool_calls") is not None:
        _put_calls(message)
    if not isinstance(message.get("refusal"), str | None):
        message["refusal"] = None
    if message.get("function_call") is not None:
        _put_function(message)
    if message.get("annotations") is not None:
        _put_annotations(message)
    if message.get("audio") is not None and not _is_audio(message["audio"]):
        message["audio"] = None


def _put_calls(message: Json) -> None:
    """An empty list says the same as none at all, and clients that look for the key must not be misled."""
    given = message["tool_calls"]
    calls = [call for call in given if _put_call(call)] if isinstance(given, list) else []
    if calls:
        message["tool_calls"] = calls
    else:
        del message["tool_calls"]


def _put_call(call: Any) -> bool:
    """Whether this is a call at all."""
    if not isinstance(call, dict):
        return False
    if not isinstance(call.get("id"), str) or not call["id"]:
        call["id"] = tool_call_id()
    function = call.get("function")
    if isinstance(function, dict):
        call["type"] = "function"
        function["arguments"] = arguments_of(function.get("arguments"))
        return isinstance(function.get("name"), str)
    custom = call.get("custom")
    if not isinstance(custom, dict):
        return False
    call["type"] = "custom"
    return isinstance(custom.get("name"), str) and isinstance(custom.get("input"), str)


def _put_function(message: Json) -> None:
    function = message["function_call"]
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        function["arguments"] = arguments_of(function.get("arguments"))
    else:
        message["function_call"] = None


def _put_annotations(message: Json) -> None:
    """Only citations of pages are official; OpenRouter has annotations of files beside them."""
    given = message["annotations"]
    message["annotations"] = [each for each in given if _is_citation(each)] if isinstance(given, list) else []


def _is_citation(annotation: Any) -> bool:
    cited = annotation.get("url_citation") if isinstance(annotation, dict) else None
    if not isinstance(cited, dict) or annotation.get("type") != "url_citation" or not isinstance(cited.get("url"), str):
        return False
    if not isinstance(cited.get("title"), str):
        cited["title"] = ""
    for name in ("start_index", "end_index"):
        if cited.get(name).__class__ is not int:
            cited[name] = 0
    return True


def _is_audio(audio: Any) -> bool:
    return (
        isinstance(audio, dict)
        and all(isinstance(audio.get(name), str) for name in ("id", "data", "transcript"))
        and audio.get("expires_at").__class__ is int
    )
