"""Where an answer may differ from the recorded one, in the same language: the ways in which providers stray.

What an answer says (text, tools, usage ...) is held against the recording elsewhere, whatever stands here; this is for
everything else in it, which must come through as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.recorded.leaves import MISSING, Allowed, compared, leaves

_MESSAGE = r"choices\.\d+\.(message|delta)"


def _nothing(one: Any, other: Any) -> bool:
    return one in (MISSING, None, "", [], 0) and not isinstance(one, bool)


def _added(one: Any, other: Any) -> bool:
    return one is MISSING


def _added_empty(one: Any, other: Any) -> bool:
    return one is MISSING and other in (None, "")


def _left_out(one: Any, other: Any) -> bool:
    return other is MISSING


def _no_arguments(one: Any, other: Any) -> bool:
    return one in (MISSING, None, "") and other == "{}"


def _word(*pairs: tuple[str, Any]) -> Any:
    return lambda one, other: (one, other) in pairs


def _object_as_text(one: Any, other: Any) -> bool:
    return isinstance(other, str) and not isinstance(one, str) and bool(json.loads(other) or one == {})


#: Answers, plain ones and the chunks of streams.
ANSWER = (
    Allowed(r"id|created|model", "required, and the provider left it empty", _nothing),
    Allowed(r"object", "the official word", _word(("text.completion", "text_completion"))),
    Allowed(
        r"object",
        "the official word",
        _word(("chat.completion.done", "chat.completion.chunk"), ("", "chat.completion.chunk")),
    ),
    Allowed(
        r"service_tier", "a tier that OpenAI has no word for", _word(("on_demand", "default"), ("standard", "default"))
    ),
    Allowed(r"choices\.\d+\.finish_reason", "OpenAI's word", _word(("eos", "stop"), ("model_length", "length"))),
    Allowed(rf"{_MESSAGE}(\.role|\.content|\.refusal)?", "required", _added),
    Allowed(rf"{_MESSAGE}\.content(\..*)?", "a list of thoughts and texts", lambda *_: True, ("mistral",)),
    Allowed(rf"{_MESSAGE}\.reasoning_content", "the name that most clients read", _added),
    Allowed(rf"{_MESSAGE}\.tool_calls", "none: left out", lambda one, other: one in (None, []) and other is MISSING),
    Allowed(rf"{_MESSAGE}\.tool_calls\.\d+\.(type|index|id)", "required", _nothing),
    Allowed(
        rf"{_MESSAGE}\.tool_calls\.\d+\.function\.arguments", "a call without any has an empty object", _no_arguments
    ),
    Allowed(rf"{_MESSAGE}\.tool_calls\.\d+\.function\.arguments(\..*)?", "JSON as text", _object_as_text),
    Allowed(
        rf"{_MESSAGE}\.annotations\.\d+\.(type|file\..*)",
        "the official ones cite pages only",
        _left_out,
        ("openrouter",),
    ),
    Allowed(r"choices\.\d+\.(index|logprobs)", "required", _added_empty),
    Allowed(
        r"data\.\d+\.embedding(\.\d+)?",
        "signed bytes in base64; held against the recording elsewhere",
        providers=("perplexity",),
    ),
    Allowed(rf"{_MESSAGE}\.annotations\.\d+\.index", "by which the SDK adds lists up", _added),
    Allowed(rf"{_MESSAGE}\.annotations", "the official ones cite pages only", _added, ("openrouter",)),
    Allowed(
        r"usage\.server_tool_use\.web_fetch_requests",
        "required since",
        lambda one, other: one is MISSING and other == 0,
    ),
    Allowed(r"usage\.(prompt|completion|total)_tokens", "the sums are held against the recording elsewhere"),
    Allowed(r"usage\.(prompt|completion)_tokens_details\.(cached|reasoning)_tokens", "where OpenAI has it", _added),
)

_OBJECTS = ("chat.completion.done", "chat.completion.chunk")

#: What a stream may do beyond that. Only one side of each leaf is known: the other is MISSING.
STREAM = (
    *ANSWER,
    Allowed(r"usage(\..*)?|x_groq\.usage\..*", "shown in the last chunk, to who asked"),
    Allowed(
        r"object|id|created|model", "one for all chunks", lambda one, other: _nothing(one, other) or one in _OBJECTS
    ),
    Allowed(
        r"service_tier",
        "a tier that OpenAI has no word for",
        lambda one, other: one == "on_demand" or other == "default",
    ),
    Allowed(
        r"choices",
        "a chunk for usage alone has none, and there is one of those",
        lambda one, other: not one or not other,
    ),
    Allowed(r"choices\.\d+\.finish_reason", "held against the recording elsewhere; null where it is required"),
    Allowed(rf"{_MESSAGE}\.role", "said once"),
    Allowed(
        rf"{_MESSAGE}\.tool_calls\.\d+\.(id|type|function\.name)",
        "said once, never null",
        lambda one, other: one is None or other is MISSING,
    ),
    Allowed(rf"{_MESSAGE}\.tool_calls\.\d+\.function\.arguments", "never null", lambda one, other: one is None),
    Allowed(r"choices\.\d+\.message\.content", "all that was said so far, in each chunk", _left_out, ("perplexity",)),
    Allowed(r"error\..*", "an error that came after the finish reason took nothing back", _left_out, ("openrouter",)),
)


def answered_otherwise(recorded: Any, found: Any, provider: str) -> list[str]:
    """Plain answers, leaf by leaf."""
    return compared(recorded, found, ANSWER, provider)


def streamed_otherwise(recorded: list[Any], found: list[Any], provider: str, *, usage: bool = True) -> list[str]:
    """Whatever any recorded chunk had must be in some chunk of the answer, and the other way round.

    `usage` False: the client did not ask for it, so that a chunk that is there for nothing else is not shown.
    """
    chunks = [chunk for chunk, tells in _telling(recorded) if tells or (usage and chunk.get("usage"))]
    one = {(path, json.dumps(value)): value for chunk in chunks for path, value in leaves(chunk)}
    other = {(path, json.dumps(value)): value for chunk in found for path, value in leaves(chunk)}
    told = []
    for (path, text), value in one.items():
        if (path, text) not in other and not any(rule.covers(provider, path, value, MISSING) for rule in STREAM):
            told.append(f"{path}: recorded {text[:200]}, found in no chunk")
    for (path, text), value in other.items():
        if (path, text) not in one and not any(rule.covers(provider, path, MISSING, value) for rule in STREAM):
            told.append(f"{path}: found {text[:200]}, recorded in no chunk")
    return told


def _telling(chunks: list[Any]) -> Iterator[tuple[Any, bool]]:
    """Each chunk, and whether it says anything beside its usage that was not said before."""
    finished: set[int] = set()
    for chunk in chunks:
        tells = not chunk.get("choices") and not chunk.get("usage")
        for choice in chunk.get("choices", ()):
            index, finish = choice.get("index", 0), choice.get("finish_reason")
            said = choice["text"] if "delta" not in choice and "text" in choice else choice.get("delta")
            spoken = any(value for name, value in said.items() if name != "role") if isinstance(said, dict) else said
            tells = tells or bool(spoken) or index not in finished
            if finish:
                finished.add(index)
        yield chunk, tells
