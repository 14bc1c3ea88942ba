"""A chat completion as a Response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.ids import item_id, response_id, thought_id, tool_call_id
from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Frame
from app.surfaces.responses_reasoning import sealed

#: What a finish reason of chat says of a response that is not complete.
_INCOMPLETE: Mapping[str, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SUMMARIES = ("auto", "concise", "detailed")
_TIERS = ("auto", "default", "flex", "scale", "priority")


class Outline:
    """Everything of a response but its output: what its request asked for, and how it ended."""

    def __init__(self, asked: Json, created: int) -> None:
        reasoning = asked.get("reasoning") or {}
        effort, summary = reasoning.get("effort"), reasoning.get("summary") or reasoning.get("generate_summary")
        #: Whether thoughts are looked for where OpenAI's models have a summary of theirs.
        self.summarised = summary is not None
        text = asked.get("text") or {}
        self._asked = asked
        self._made: Json = {
            "id": response_id(),
            "object": "response",
            "created_at": created,
            "status": "in_progress",
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": asked.get("instructions"),
            "max_output_tokens": asked.get("max_output_tokens"),
            "metadata": asked.get("metadata") or {},
            "model": asked.get("model", ""),
            "output": [],
            "parallel_tool_calls": asked.get("parallel_tool_calls") is not False,
            "previous_response_id": None,
            "reasoning": {
                "effort": effort if effort in _EFFORTS else None,
                "summary": summary if summary in _SUMMARIES else None,
            },
            "service_tier": None,
            "store": False,
            "temperature": asked.get("temperature"),
            "text": {**text, "format": text.get("format") or {"type": "text"}},
            "tool_choice": asked.get("tool_choice") or "auto",
            "tools": [{"strict": None, "parameters": None, **tool} for tool in asked.get("tools") or ()],
            "top_p": asked.get("top_p"),
            "truncation": "disabled",
            "usage": None,
            "user": asked.get("user"),
        }

    def begin(self, answer: Json) -> None:
        """From a completion, or the first chunk of one."""
        if isinstance(model := answer.get("model"), str) and model:
            self._made["model"] = model

    def now(self) -> Json:
        """The response while it is made."""
        return {**self._made}

    def end(self, output: list[Json], finish: str | None, usage: Usage | None, tier: Any) -> Json:
        """The response when it is over: complete, or the reason why not."""
        reason = incomplete(finish)
        made = {**self._made, "output": output, "status": "incomplete" if reason else "completed"}
        if reason:
            made["incomplete_details"] = {"reason": reason}
        made["service_tier"] = tier if tier in _TIERS else None
        made["usage"] = counts(usage)
        return made


def incomplete(finish: str | None) -> str | None:
    return _INCOMPLETE.get(finish or "")


def response(frame: Frame, outline: Outline) -> Frame:
    completion = frame.data or {}
    choice = completion["choices"][0]
    finish = choice.get("finish_reason")
    outline.begin(completion)
    output = list(_items(choice, "incomplete" if incomplete(finish) else "completed", summarised=outline.summarised))
    made = outline.end(output, finish, frame.usage, completion.get("service_tier"))
    return Frame(made, chars=frame.chars, finish=frame.finish, usage=frame.usage, last=True)


def counts(usage: Usage | None) -> Json | None:
    """Usage in the form of a response; None where nobody counted."""
    if usage is None:
        return None
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached_input, "cache_write_tokens": usage.cache_write_input},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_output},
        "total_tokens": usage.input + usage.output,
    }


def reasoning_item(name: str, text: str, blocks: list[Json], *, summarised: bool) -> Json:
    """Thoughts that are over."""
    item: Json = {"id": name, "type": "reasoning", "summary": [], "status": "completed"}
    if summarised:
        item["summary"] = [{"type": "summary_text", "text": text}] if text else []
    else:
        item["content"] = [{"type": "reasoning_text", "text": text}] if text else []
    if blocks:
        item["encrypted_content"] = sealed(blocks)
    return item


def message_item(name: str, parts: list[Json], status: str) -> Json:
    return {"id": name, "type": "message", "role": "assistant", "status": status, "content": parts}


def call_item(name: str, call: Json, arguments: str, status: str) -> Json:
    """`call`: of a completion, or the first fragment of one with its name."""
    item = {
        "id": name,
        "type": "function_call",
        "status": status,
        "call_id": call.get("id") or tool_call_id(),
        "name": call["function"]["name"],
        "arguments": arguments,
    }
    if isinstance(extra := call.get("extra_content"), dict):
        item["extra_content"] = extra
    return item


def text_part(text: str, annotations: list[Json], logprobs: list[Json]) -> Json:
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": logprobs}


def citations(annotations: Any) -> list[Json]:
    """Chat's citations of pages, without the wrapping that they have there."""
    found = [each.get("url_citation") for each in annotations or () if isinstance(each, dict)]
    return [{"type": "url_citation", **cited} for cited in found if isinstance(cited, dict)]


def logprobs_of(choice: Json) -> list[Json]:
    content = (choice.get("logprobs") or {}).get("content") or ()
    return [
        {**_probable(token), "top_logprobs": [_probable(t) for t in token.get("top_logprobs") or ()]}
        for token in content
    ]


def _probable(token: Json) -> Json:
    return {"token": token["token"], "bytes": token.get("bytes") or [], "logprob": token["logprob"]}


def _items(choice: Json, status: str, *, summarised: bool) -> Iterator[Json]:
    said = choice["message"]
    blocks = [block for block in said.get("thinking_blocks") or () if isinstance(block, dict)]
    thoughts = said.get("reasoning_content")
    if thoughts or blocks:
        yield reasoning_item(thought_id(), thoughts or "", blocks, summarised=summarised)
    calls = [call for call in said.get("tool_calls") or () if call.get("function")]
    parts = []
    if text := said.get("content"):
        parts.append(text_part(text, citations(said.get("annotations")), logprobs_of(choice)))
    if refusal := said.get("refusal"):
        parts.append({"type": "refusal", "refusal": refusal})
    if parts or not calls:
        yield message_item(item_id("msg"), parts, status if not calls else "completed")
    for call in calls:
        last = call is calls[-1]
        yield call_item(item_id("fc"), call, call["function"]["arguments"], status if last else "completed")
