"""What a response says, and where one that is passed through may differ from the recorded one."""

from __future__ import annotations

import json
from typing import Any

from tests.recorded.ask import Answer
from tests.recorded.corpus import Case
from tests.recorded.events import events, names
from tests.recorded.leaves import MISSING, Allowed, compared
from tests.recorded.official import refused
from tests.recorded.reading import Choice, Reading, Tokens, Tool

Json = dict[str, Any]

_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def read_response(body: Json) -> Reading:
    """One choice, whose reasoning is what can be read of it. Items of other types say nothing here."""
    items = body["output"]
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    thoughts = [
        part["text"]
        for item in items
        if item["type"] == "reasoning"
        for part in (*(item.get("content") or ()), *item["summary"])
    ]
    tools = tuple(
        Tool(item["call_id"], item["name"], json.loads(item["arguments"] or "{}"))
        for item in items
        if item["type"] == "function_call"
    )
    details = body.get("incomplete_details") or {}
    finish = _REASONS[details["reason"]] if details else ("tool_calls" if tools else "stop")
    text = "".join(part["text"] for part in parts if part["type"] == "output_text")
    refusal = "".join(part["refusal"] for part in parts if part["type"] == "refusal")
    choice = Choice(text=text, reasoning="".join(thoughts), refusal=refusal, tools=tools, finish=finish)
    return Reading((choice,), response_tokens(body.get("usage")))


def response_tokens(usage: Json | None) -> Tokens | None:
    if not usage:
        return None
    of_input, of_output = usage["input_tokens_details"], usage["output_tokens_details"]
    return Tokens(
        input=usage["input_tokens"],
        output=usage["output_tokens"],
        cached=of_input["cached_tokens"],
        written=of_input.get("cache_write_tokens") or 0,
        reasoning=of_output["reasoning_tokens"],
    )


def _added(*values: Any) -> Any:
    return lambda one, other: one is MISSING and other in values


#: What is filled in where a provider leaves out what the official types insist on.
ALLOWED = (
    Allowed(r"(\d+\.response\.)?usage\.input_tokens_details\.cache_write_tokens", "required since", _added(0)),
    Allowed(r"\d+\.logprobs", "required since", _added([])),
    Allowed(r"\d+\.sequence_number", "required since", lambda one, other: one is MISSING),
)


def own_problems(case: Case, answer: Answer) -> list[str]:
    """Passed through: the same but for what strays, each event in its place."""
    recorded, provider = case.exchange.response.body, case.exchange.provider
    if not case.is_stream:
        return refused("responses", answer.json) + compared(json.loads(recorded), answer.json, ALLOWED, provider)
    told = compared(events(recorded), answer.events, ALLOWED, provider) + stream_problems(answer)
    if names(answer.body) != [event["type"] for event in answer.events]:
        told.append("events have other names than types")
    return told


def stream_problems(answer: Answer) -> list[str]:
    """The grammar of any stream of a response, and what the SDK made of it."""
    told = [problem for event in answer.events for problem in refused("responses_stream", event)]
    order = [event["type"] for event in answer.events]
    if order[0] != "response.created" or order[-1] not in ("response.completed", "response.incomplete"):
        told.append(f"a stream from {order[0]} to {order[-1]}")
    if [event["sequence_number"] for event in answer.events] != list(range(len(order))):
        told.append("the events are not numbered in a row")
    if b"[DONE]" in answer.body:
        told.append("a [DONE], which the Responses API does not have")
    return told


def broken_off_problems(answer: Answer) -> list[str]:
    """Of a stream that broke off after its first content: what came is delivered, and the end looks like none."""
    *delivered, last = answer.events
    told = [] if answer.error is not None else ["the SDK raised nothing"]
    if (last["type"], last["code"]) != ("error", "stream_interrupted") or refused("responses_stream", last):
        told.append(f"the last event is {last}")
    if any(event["type"] in ("response.completed", "response.incomplete") for event in delivered):
        told.append("it looks complete")
    if not any("delta" in event for event in delivered):
        told.append("nothing of what came was delivered")
    return told
