"""One exchange of a provider whose language no client speaks: asked in OpenAI's or in Anthropic's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.recorded.ask import Answer
from tests.recorded.books import Books
from tests.recorded.broken import broken_off_problems
from tests.recorded.checks import chunk_problems, event_problems, guarded, refusal_problems, success_problems
from tests.recorded.corpus import Case, Way
from tests.recorded.crossed import as_message, message_blocks
from tests.recorded.entries import entry_of
from tests.recorded.house import House
from tests.recorded.natives import NATIVES
from tests.recorded.official import refused
from tests.recorded.own import answered
from tests.recorded.reading import Reading, differences
from tests.recorded.refusals import refusal
from tests.recorded.sent import PROBE, carried, model_of, sent_to
from tests.recorded.to_messages import to_messages
from tests.recorded.told import read_completion, read_official_message

Json = dict[str, Any]


def problems(house: House, case: Case, seed: int) -> list[str]:
    """All that is wrong."""
    anthropic = case.way is Way.OTHER
    body = NATIVES[case.exchange.provider].to_chat(case.exchange)
    if anthropic:
        thinking = body.get("thinking") or {}
        body = to_messages(body)
        if "budget_tokens" in thinking:
            body["thinking"] = thinking
    if case.is_stream:
        body["stream"] = True
        if not anthropic:
            body["stream_options"] = {"include_usage": bool(seed % 2)}
    body = {**body, **PROBE, "model": f"{entry_of(case).name}/{model_of(case)}"}
    books = Books(house, case)
    answer = answered(house, case, seed, "messages" if anthropic else "chat", body)
    found = _sent(house, case, answer)
    if case.is_error:
        return found + refusal_problems(answer, refusal(case, anthropic=anthropic))
    if case.breaks_off:
        return found + guarded(lambda: broken_off_problems(case, answer))
    found += success_problems(answer, entry_of(case).name, model_of(case), stream=case.is_stream)
    found += books.problems()
    check = _messages if anthropic else _chat
    return found + guarded(lambda: check(case, answer, wants_usage=bool(seed % 2)))


def _sent(house: House, case: Case, answer: Answer) -> list[str]:
    requests = house.provider.journal.requests()
    if len({request.body for request in requests}) != 1:
        return [f"the provider got {len(requests)} requests"]
    sent = requests[-1]
    dropped = set(answer.headers.get("x-gateway-dropped", "").split(", "))  # told with answers, not with errors
    if (answer.error is None and dropped.isdisjoint(PROBE)) or not PROBE.keys().isdisjoint(sent.json):
        return [f"an unknown field: the provider got {sorted(sent.json)}, the client was told {dropped}"]
    told = sent_to(case, sent.method, sent.path) + carried(case, sent, translated=True)
    return told + NATIVES[case.exchange.provider].asked_otherwise(case.exchange, sent, dropped)


def _chat(case: Case, answer: Answer, *, wants_usage: bool) -> list[str]:
    expected = NATIVES[case.exchange.provider].reading(case.exchange)
    if not case.is_stream:
        told = refused("chat", answer.json) + differences(expected, read_completion(answer.json))
        return told + _signatures(case, answer.json)
    if not wants_usage:
        expected = Reading(expected.choices, None)
    told = chunk_problems(answer, kind="chat_stream", wants_usage=wants_usage)
    found = answer.value.to_dict()
    return told + differences(expected, read_completion(found)) + _signatures(case, found)


def _signatures(case: Case, message: Json) -> list[str]:
    """What only the provider can read, and insists on in the next turn, is with the thoughts or calls of its own."""
    if "choices" in message:
        (said,) = (choice["message"] for choice in message["choices"][:1])
        kept = (block.get("signature") or block.get("data") for block in said.get("thinking_blocks") or ())
        found = [value for value in kept if value]
        calls = [call for choice in message["choices"] for call in choice["message"].get("tool_calls") or ()]
        found += [call["extra_content"]["google"]["thought_signature"] for call in calls if "extra_content" in call]
    else:
        values = [block.get("signature") or block.get("data") or "" for block in message["content"]]
        found = [value.removeprefix("google:") for value in values if value]
    expected = NATIVES[case.exchange.provider].signatures(case.exchange)
    return [] if found == expected else [f"signatures: expected {expected}, found {found}"]


def _messages(case: Case, answer: Answer, *, wants_usage: bool) -> list[str]:
    expected = as_message(NATIVES[case.exchange.provider].reading(case.exchange))
    if case.is_stream:
        found = answer.value.to_dict(mode="json")
        told = event_problems(answer)
    else:
        found = answer.json
        told = refused("messages", found) + message_blocks(found)
    shown = read_official_message(found)
    if expected.tokens is None:
        shown = replace(shown, tokens=None)
    return told + differences(expected, shown) + _signatures(case, found)
