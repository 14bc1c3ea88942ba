"""One exchange in the other language: the gateway translates there and back, and nothing may get lost unsaid."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.recorded import meaning_chat, meaning_messages, openai_answer
from tests.recorded.anthropic_answer import fold_message, read_message
from tests.recorded.ask import Answer
from tests.recorded.books import Books
from tests.recorded.broken import broken_off_problems
from tests.recorded.checks import chunk_problems, event_problems, guarded, refusal_problems, success_problems
from tests.recorded.corpus import Case
from tests.recorded.entries import entry_of
from tests.recorded.events import events
from tests.recorded.house import House
from tests.recorded.left_out import refusable
from tests.recorded.official import refused
from tests.recorded.own import answered
from tests.recorded.reading import Reading, differences
from tests.recorded.refusals import refusal
from tests.recorded.sent import PROBE, carried, model_of, sent_to, usage_unasked
from tests.recorded.to_chat import to_chat
from tests.recorded.to_messages import to_messages
from tests.recorded.told import read_completion

Json = dict[str, Any]


def problems(house: House, case: Case, seed: int) -> list[str]:
    """All that is wrong."""
    to_anthropic = case.kind == "anthropic"
    operation = "chat" if to_anthropic else "messages"
    body = to_chat(case.body) if to_anthropic else to_messages(case.body)
    if case.is_stream and to_anthropic:
        body["stream_options"] = {"include_usage": bool(seed % 2)}
    body = {**body, **PROBE, "model": f"{entry_of(case).name}/{model_of(case)}"}
    books = Books(house, case)
    answer = answered(house, case, seed, operation, body)
    if case.is_error and refusable(case.body) and not house.provider.journal.requests():
        return refusal_problems(answer, refusal(case, anthropic=not to_anthropic).by_us())
    found = _sent(house, case, answer)
    if case.is_error:
        return found + refusal_problems(answer, refusal(case, anthropic=not to_anthropic))
    if case.breaks_off:
        return found + guarded(lambda: broken_off_problems(case, answer))
    check = _chat if to_anthropic else _messages
    found += success_problems(answer, entry_of(case).name, model_of(case), stream=case.is_stream)
    found += books.problems()
    return found + guarded(lambda: check(case, answer, seed))


def _sent(house: House, case: Case, answer: Answer) -> list[str]:
    requests = house.provider.journal.requests()
    if len({request.body for request in requests}) != 1:
        return [f"the provider got {len(requests)} requests"]
    sent = requests[-1]
    dropped = set(answer.headers.get("x-gateway-dropped", "").split(", "))  # told with answers, not with errors
    if (answer.error is None and dropped.isdisjoint(PROBE)) or not PROBE.keys().isdisjoint(sent.json):
        return [f"an unknown field: the provider got {sorted(sent.json)}, the client was told {dropped}"]
    told = sent_to(case, sent.method, sent.path) + carried(case, sent, translated=True) + usage_unasked(case, sent.json)
    if case.kind == "anthropic":
        return told + meaning_messages.asked_otherwise(case.body, sent.json)
    return told + meaning_chat.asked_otherwise(case.body, sent.json, case.exchange.provider, dropped)


def _messages(case: Case, answer: Answer, seed: int) -> list[str]:
    """A chat answer as a Message."""
    recorded = case.exchange.response.body
    if case.is_stream:
        body, found = openai_answer.fold_chat(events(recorded)), answer.value.to_dict()
        told = event_problems(answer)
    else:
        body, found = json.loads(recorded), answer.json
        told = refused("messages", found)
    expected = as_message(openai_answer.read_chat(body, case.exchange.provider, case.exchange.model))
    if expected.tokens is not None and expected.tokens.cached > expected.tokens.input:
        expected = replace(expected, tokens=replace(expected.tokens, cached=expected.tokens.input))  # more than all
    shown = read_message(found)
    if expected.tokens is None:  # Message always has a usage; where nobody counted it says nothing
        shown = Reading(shown.choices, None)
    return told + differences(expected, shown) + (message_blocks(found) if not case.is_stream else [])


def as_message(reading: Reading) -> Reading:
    """What a Message can say of it: a refusal is text, and tools that shall be run are why the model stopped."""
    made = []
    for choice in reading.choices:
        finish = choice.finish
        if choice.tools and finish in (None, "stop"):
            finish = "tool_calls"
        if choice.refusal:
            finish = "content_filter"
        made.append(replace(choice, text=choice.text + choice.refusal, refusal="", finish=finish or "stop"))
    return Reading(tuple(made), reading.tokens)


def message_blocks(message: Json) -> list[str]:
    """Thinking, then text, then tools, as they cannot but come from one message; no empty text."""
    order = [block["type"] for block in message["content"] if block["type"] != "redacted_thinking"]
    empty = [block for block in message["content"] if block.get("text") == "" or block.get("thinking") == ""]
    told = [f"empty blocks: {empty}"] if empty else []
    ranks = [("thinking", "text", "tool_use").index(each) for each in order]
    return told + ([] if ranks == sorted(ranks) else [f"blocks in the order {order}"])


def _chat(case: Case, answer: Answer, seed: int) -> list[str]:
    """A Message as a chat answer."""
    recorded = case.exchange.response.body
    if case.is_stream:
        message, found = fold_message(events(recorded)), answer.value.to_dict()
        told = chunk_problems(answer, kind="chat_stream", wants_usage=bool(seed % 2))
        kept = [
            block
            for event in answer.events
            for c in event["choices"]
            for block in c["delta"].get("thinking_blocks", ())
        ]
    else:
        message, found = json.loads(recorded), answer.json
        told = refused("chat", found)
        kept = found["choices"][0]["message"].get("thinking_blocks", [])
    expected, shown = read_message(message), read_completion(found)
    if case.is_stream and not seed % 2:
        expected = Reading(expected.choices, None)
    return told + differences(expected, shown) + _thinking_kept(message, kept)


def _thinking_kept(message: Json, kept: list[Json]) -> list[str]:
    """Signed thinking comes back whole: Anthropic wants it in the next turn."""
    signed = [block for block in message["content"] if block["type"] in ("thinking", "redacted_thinking")]
    found = [{name: value for name, value in block.items() if name != "index"} for block in kept]
    return [] if signed == found else [f"thinking_blocks: expected {signed}, found {found}"]
