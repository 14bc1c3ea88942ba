"""Streams that broke off after their first content: what came is delivered, and the end never looks like one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.recorded.anthropic_answer import fold_message, read_message
from tests.recorded.ask import Answer
from tests.recorded.corpus import Case
from tests.recorded.events import events, names
from tests.recorded.natives import NATIVES, is_native_chat
from tests.recorded.openai_answer import fold_chat, read_chat
from tests.recorded.reading import Reading, differences

Json = dict[str, Any]


def broken_off_problems(case: Case, answer: Answer) -> list[str]:
    """The client may speak either language: its stream shows which."""
    *delivered, last = answer.events
    told = [] if answer.error is not None else ["the SDK raised nothing"]
    if delivered[0].get("type") == "message_start":
        good = last["type"] == "error" and last["error"]["type"] == "api_error" and names(answer.body)[-1] == "error"
        good = good and not any(event["type"] in ("message_delta", "message_stop") for event in delivered)
    else:
        good = last.get("error", {}).get("code") == "stream_interrupted" and b"[DONE]" not in answer.body
        good = good and not any(choice.get("finish_reason") for event in delivered for choice in event["choices"])
    if not good:
        told.append(f"the last event is {last}")
    return told + differences(_recorded(case), _said(delivered))


def _recorded(case: Case) -> Reading:
    if is_native_chat(case.exchange):
        return _without_the_end(NATIVES[case.exchange.provider].reading(case.exchange))
    return _said(events(case.exchange.response.body))


def _said(stream: list[Json]) -> Reading:
    """Text, reasoning and names of tools, as far as they came."""
    if stream[0].get("type") == "message_start":
        reading = read_message(fold_message(stream))
    else:
        reading = read_chat(fold_chat(stream), "", "")
    return _without_the_end(reading)


def _without_the_end(reading: Reading) -> Reading:
    made = [
        replace(each, finish=None, tools=tuple(replace(t, arguments=None) for t in each.tools))
        for each in reading.choices
    ]
    return Reading(tuple(made), None)
