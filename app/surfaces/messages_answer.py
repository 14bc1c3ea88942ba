"""A chat completion as a Message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.ids import message_id, tool_use_id
from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Frame
from app.providers.chat_request import object_of
from app.providers.signatures import marked, of_call

STOP_REASONS: Mapping[str, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


def message(frame: Frame, names: Mapping[str, str]) -> Frame:
    """`names`: the real names of tools whose names were cut for the provider."""
    completion = frame.data or {}
    choice = completion["choices"][0]
    said = choice["message"]
    blocks = list(_blocks(said, names))
    reason, sequence = stop_reason(
        choice.get("finish_reason"),
        called=any(block["type"] == "tool_use" for block in blocks),
        refused=bool(said.get("refusal")),
        sequence=choice.get("stop_reason"),
    )
    made = {
        "id": id_of(completion),
        "type": "message",
        "role": "assistant",
        "model": completion["model"],
        "content": blocks,
        "stop_reason": reason,
        "stop_sequence": sequence,
        "usage": counts(frame.usage),
    }
    return Frame(made, chars=frame.chars, finish=frame.finish, usage=frame.usage, last=True)


def id_of(completion: Json) -> str:
    given = completion.get("id")
    return given if isinstance(given, str) and given.startswith("msg_") else message_id()


def counts(usage: Usage | None) -> Json:
    """Usage in Anthropic's form, whose `input_tokens` are those that no cache had a part in."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    read = min(usage.cached_input, usage.input)  # Azure has been seen to count more cached tokens than tokens
    written = min(usage.cache_write_input, usage.input - read)
    made: Json = {
        "input_tokens": usage.input - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": usage.output,
    }
    if usage.reasoning_output:
        made["output_tokens_details"] = {"thinking_tokens": usage.reasoning_output}
    return made


def stop_reason(finish: Any, *, called: bool, refused: bool, sequence: Any) -> tuple[str, str | None]:
    """Why the answer ended, and the stop sequence where it is known: vLLM tells it beside the finish reason.

    What the message holds counts for more than the reason: with a named tool, OpenAI says `stop` over a call.
    """
    if refused:
        return "refusal", None
    reason = STOP_REASONS.get(finish or "stop", "end_turn")
    if reason == "end_turn" and called:
        return "tool_use", None
    if reason == "end_turn" and isinstance(sequence, str):
        return "stop_sequence", sequence
    return reason, None


def signed(thought: Any) -> Json | None:
    """A thinking block that came back whole, in Anthropic's form; None for what is none."""
    if not isinstance(thought, dict):
        return None
    if thought.get("type") == "redacted_thinking" and isinstance(thought.get("data"), str):
        return {"type": "redacted_thinking", "data": thought["data"]}
    if thought.get("type") == "thinking":
        text, signature = thought.get("thinking") or "", thought.get("signature") or ""
        return {"type": "thinking", "thinking": text, "signature": signature}
    return None


def _blocks(said: Json, names: Mapping[str, str]) -> Iterator[Json]:
    calls = [call for call in said.get("tool_calls") or () if call.get("function") or call.get("custom")]
    thoughts = [block for thought in said.get("thinking_blocks") or () if (block := signed(thought))]
    told = False  # whether the first call's signature stands on a thought
    if thoughts:
        yield from thoughts
    elif reasoning := said.get("reasoning_content"):
        signature = of_call(calls[0]) if calls else None
        told = signature is not None
        yield {"type": "thinking", "thinking": reasoning, "signature": marked(signature) if signature else ""}
    for text in (said.get("content"), said.get("refusal")):
        if text:
            yield {"type": "text", "text": text}
    for at, call in enumerate(calls):
        if (signature := of_call(call)) and not (told and at == 0):
            yield {"type": "redacted_thinking", "data": marked(signature)}
        function = call.get("function") or _custom(call)
        yield {
            "type": "tool_use",
            "id": call.get("id") or tool_use_id(),
            "name": names.get(function["name"], function["name"]),
            "input": object_of(function.get("arguments")),
        }


def _custom(call: Json) -> Json:
    custom = call["custom"]
    return {"name": custom["name"], "arguments": {"input": custom.get("input")}}
