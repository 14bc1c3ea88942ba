"""A plain answer of Anthropic's, as it is (put right where it strays from the official types) or as a completion."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.ids import completion_id
from app.core.json import Json, dumps
from app.core.wire import Ask, Frame
from app.providers.anthropic_usage import chat_usage, usage_of
from app.providers.chat_writing import said as as_text
from app.providers.chat_writing import tool_call

#: Why an answer ended, in OpenAI's words.
FINISH: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
CALLS = ("tool_use", "server_tool_use")
THOUGHTS = ("thinking", "redacted_thinking")

_MUST_HAVE: Mapping[str, Json] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    "tool_use": {"input": {}},
}
_SEARCHES: Mapping[str, int] = {"web_search_requests": 0, "web_fetch_requests": 0}
_OF_THE_CACHE = ("cache_read_input_tokens", "cache_creation_input_tokens")
_TIERS = ("standard", "priority", "batch")


def counted(body: Json) -> Frame:
    """An answer of count_tokens."""
    if body.get("input_tokens").__class__ is int:
        return Frame(body, last=True)
    raise ValueError("no count of tokens")


def message(body: Json) -> Frame:
    """A Message, as it is."""
    blocks = _blocks(body)
    set_right_usage(body["usage"], "input_tokens", "output_tokens")
    if body.get("stop_reason") not in FINISH:
        body["stop_reason"] = "end_turn"
    body.setdefault("role", "assistant")
    body.setdefault("stop_sequence", None)
    for block in blocks:
        set_right_block(block)
    finish = FINISH[body["stop_reason"]]
    return Frame(body, chars=sum(map(_chars, blocks)), finish=finish, usage=usage_of(body["usage"]), last=True)


def completion(ask: Ask, body: Json) -> Frame:
    """A Message as a chat completion."""
    blocks = _blocks(body)
    usage = usage_of(body["usage"])
    finish = FINISH.get(body.get("stop_reason") or "", "stop")
    said: Json = {"role": "assistant", "content": text_of(blocks), "refusal": None}
    if thoughts := [block for block in blocks if block["type"] in THOUGHTS]:
        said["reasoning_content"] = "".join(as_text(block.get("thinking")) for block in thoughts)
        said["thinking_blocks"] = thoughts
    if calls := [_call(block) for block in blocks if block["type"] == "tool_use"]:
        said["tool_calls"] = calls
    if sources := _annotations(blocks):
        said["annotations"] = sources
    made = {
        "id": completion_id(),
        "object": "chat.completion",
        "created": ask.created,
        "model": body["model"] if isinstance(body.get("model"), str) else ask.body.get("model", ""),
        "choices": [{"index": 0, "message": said, "finish_reason": finish, "logprobs": None}],
        "usage": chat_usage(usage),
    }
    shown = [block for block in blocks if block["type"] != "server_tool_use"]
    return Frame(made, chars=sum(map(_chars, shown)), finish=finish, usage=usage, last=True)


def text_of(blocks: list[Json]) -> str | None:
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    return "".join(texts) if texts else None


def annotation(citation: Json, start: int, end: int) -> Json | None:
    """A citation in OpenAI's form, which knows sources on the web only. `start`, `end`: the text that it stands for."""
    if citation.get("type") != "web_search_result_location" or not citation.get("url"):
        return None
    source = {"url": citation["url"], "title": citation.get("title") or "", "start_index": start, "end_index": end}
    return {"type": "url_citation", "url_citation": source}


def set_right_block(block: Json) -> None:
    """What the official types require and some servers of this API leave out."""
    for name, value in _MUST_HAVE.get(block["type"], {}).items():
        if block.get(name) is None:
            block[name] = value.copy() if isinstance(value, dict) else value


def set_right_usage(counts: Json, *required: str) -> None:
    for name in required:
        if counts.get(name).__class__ is not int:
            counts[name] = 0
    for name in _OF_THE_CACHE:
        if counts.get(name) is not None and counts[name].__class__ is not int:
            counts[name] = None
    if isinstance(searches := counts.get("server_tool_use"), dict):
        counts["server_tool_use"] = {**_SEARCHES, **searches}
    if counts.get("service_tier") not in (None, *_TIERS):
        del counts["service_tier"]


def _blocks(body: Json) -> list[Json]:
    blocks, counts = body.get("content"), body.get("usage")
    if body.get("type") != "message" or not isinstance(blocks, list) or not isinstance(counts, dict):
        raise ValueError("not a message")
    return blocks


def _call(block: Json) -> Json:
    return tool_call(block["id"], block["name"], dumps(block.get("input") or {}).decode())


def _annotations(blocks: list[Json]) -> list[Json]:
    found, at = [], 0
    for block in blocks:
        if block["type"] == "text":
            end = at + len(block["text"])
            for citation in block.get("citations") or ():
                if made := annotation(citation, at, end):
                    found.append(made)
            at = end
    return found


def _chars(block: Json) -> int:
    """Characters of text, reasoning and calls."""
    kind = block["type"]
    if kind in CALLS:
        return len(block["name"]) + len(dumps(block.get("input") or {}))
    return len(block.get("text" if kind == "text" else "thinking") or "")
