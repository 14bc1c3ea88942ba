"""Pieces that a whole chat answer and a chunk of a stream share, put in the form of the official types, in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.core.json import Json, dumps
from app.providers.openai_faults import NoAnswer

_LATEST = 2**40  # a Unix second far enough away


def put_head(body: Json, kind: str, mint: Callable[[], str], created: int, model: str) -> None:
    """Fill what every answer has at its top, and drop what would not validate. `mint` makes an id."""
    body["object"] = kind
    if not isinstance(body.get("id"), str) or not body["id"]:
        body["id"] = mint()
    if body.get("created").__class__ is not int:
        given = body.get("created")
        body["created"] = int(given) if isinstance(given, float) and 0 < given < _LATEST else created
    if not isinstance(body.get("model"), str) or not body["model"]:
        body["model"] = model
    for part in ("system_fingerprint", "obfuscation"):
        if not isinstance(body.get(part), str | None):
            del body[part]
    metadata = body.get("metadata")
    if metadata is not None and not (
        isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())
    ):
        del body["metadata"]


def put_content(part: Json) -> None:
    """Content that came as a list (Mistral's thinking models) becomes text and reasoning."""
    content = part["content"]
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        raise NoAnswer(f"content is {type(content).__name__}")
    text, thoughts = _split(content)
    if thoughts and not part.get("reasoning_content"):
        part["reasoning_content"] = thoughts
    if text is None and thoughts:
        part["content"] = None
    else:
        part["content"] = text or ""


def put_reasoning(part: Json) -> None:
    """`reasoning` (Groq, Ollama, vLLM, Together, OpenRouter ...) is shown as the more widely read name too."""
    reasoning = part.get("reasoning")
    if reasoning and isinstance(reasoning, str) and not part.get("reasoning_content"):
        part["reasoning_content"] = reasoning


def put_logprobs(choice: Json) -> None:
    """Log probabilities of another shape than OpenAI's are left out, lists that may be missing are filled."""
    logprobs = choice["logprobs"]
    if logprobs is None:
        return
    if not isinstance(logprobs, dict):
        choice["logprobs"] = None
        return
    for name in ("content", "refusal"):
        tokens = logprobs.get(name)
        if tokens is not None and not (isinstance(tokens, list) and all(_token(token) for token in tokens)):
            choice["logprobs"] = None
            return


def arguments_of(value: Any) -> str:
    """Arguments of a call as a JSON text: a call without any has none, which is not the same as no text."""
    if isinstance(value, str):
        return value or "{}"
    return "{}" if value is None else dumps(value).decode()


def chars_of(part: Json) -> int:
    """Characters of what the model said in a message or a delta: text, reasoning, refusal, calls, speech."""
    count = 0
    for name in ("content", "refusal"):
        value = part.get(name)
        if value.__class__ is str:
            count += len(value)
    thoughts = part.get("reasoning_content") or part.get("reasoning")
    if isinstance(thoughts, str):
        count += len(thoughts)
    for call in part.get("tool_calls") or ():
        count += _spoken(call.get("function")) + _spoken(call.get("custom"))
    count += _spoken(part.get("function_call"))
    audio = part.get("audio")
    if isinstance(audio, dict):
        said = audio.get("transcript")
        count += len(said) if isinstance(said, str) and said else bool(audio.get("data"))
    return count


def _spoken(function: Any) -> int:
    if not isinstance(function, dict):
        return 0
    said = (function.get(name) for name in ("name", "arguments", "input"))
    return sum(len(each) for each in said if isinstance(each, str))


def _split(content: Any) -> tuple[str | None, str]:
    """Text, None where there is no part of text at all, and thoughts."""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            thinking = part.get("thinking")
            if thinking is not None:
                thoughts.append(thinking if isinstance(thinking, str) else _split(thinking)[0] or "")
            elif isinstance(part.get("text"), str):
                texts.append(part["text"])
    return ("".join(texts) if texts else None), "".join(thoughts)


def _token(token: Any) -> bool:
    if not isinstance(token, dict) or not isinstance(token.get("token"), str):
        return False
    if not isinstance(token.get("logprob"), int | float):
        return False
    if not isinstance(token.setdefault("top_logprobs", []), list):
        token["top_logprobs"] = []
    return True
