"""One exchange asked through the Responses API at a provider that is asked in chat or in a language of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.recorded import meaning_chat, openai_answer
from tests.recorded.anthropic_answer import fold_message, read_message
from tests.recorded.ask import Answer
from tests.recorded.books import Books
from tests.recorded.checks import guarded, refusal_problems, success_problems
from tests.recorded.corpus import Case
from tests.recorded.entries import entry_of
from tests.recorded.events import events
from tests.recorded.house import House
from tests.recorded.leaves import MISSING, Allowed, compared
from tests.recorded.left_out import refusable
from tests.recorded.natives import NATIVES, is_native_chat
from tests.recorded.official import refused
from tests.recorded.own import answered
from tests.recorded.reading import Reading, differences
from tests.recorded.refusals import refusal
from tests.recorded.responses_answer import broken_off_problems, read_response, stream_problems
from tests.recorded.sent import PROBE, model_of
from tests.recorded.to_chat import to_chat
from tests.recorded.to_responses import to_responses

Json = dict[str, Any]

#: What chat says and Responses has no word for, beside what Messages has none for.
_NO_WORD = (
    Allowed(
        r"(stop|top_k|top_logprobs|n|prompt_cache_key|metadata|prediction|verbosity|safety_identifier)(\..*)?",
        "Responses has no word for it, or was not asked to say it",
        lambda one, other: other is MISSING,
    ),
    Allowed(
        r"messages\.\d+\.(refusal|function_call|audio)", "null, or of no interest", lambda one, other: other is MISSING
    ),
)


def chat_of(case: Case) -> Json:
    """The chat request that leads to the recorded one."""
    if is_native_chat(case.exchange):
        body = NATIVES[case.exchange.provider].to_chat(case.exchange)
        return {**body, "stream": True} if case.is_stream else body
    return to_chat(case.body) if case.kind == "anthropic" else case.body


def problems(house: House, case: Case, seed: int) -> list[str]:
    """All that is wrong."""
    body = {**to_responses(chat_of(case)), **PROBE, "model": f"{entry_of(case).name}/{model_of(case)}"}
    if seed % 2:
        body["reasoning"] = {**body.get("reasoning", {}), "summary": "auto"}
    books = Books(house, case)
    answer = answered(house, case, seed, "responses", body)
    if case.is_error and refusable(case.body) and not house.provider.journal.requests():
        return refusal_problems(answer, refusal(case, anthropic=False).by_us())
    found = _sent(house, case, answer)
    if case.is_error:
        return found + refusal_problems(answer, refusal(case, anthropic=False))
    if case.breaks_off:
        return found + guarded(lambda: broken_off_problems(answer))
    found += success_problems(answer, entry_of(case).name, model_of(case), stream=case.is_stream)
    return found + books.problems() + guarded(lambda: _check(case, answer))


def _sent(house: House, case: Case, answer: Answer) -> list[str]:
    requests = house.provider.journal.requests()
    if len({request.body for request in requests}) != 1:
        return [f"the provider got {len(requests)} requests"]
    sent = requests[-1].json
    dropped = set(answer.headers.get("x-gateway-dropped", "").split(", "))
    if (answer.error is None and dropped.isdisjoint(PROBE)) or not PROBE.keys().isdisjoint(sent):
        return [f"an unknown field: the provider got {sorted(sent)}, the client was told {dropped}"]
    if case.kind == "anthropic" or is_native_chat(case.exchange):
        return []  # what chat becomes there is held against the recording elsewhere
    one, other = meaning_chat.meaning(case.body), meaning_chat.meaning(sent)
    return compared(one, other, (*meaning_chat.ALLOWED, *_NO_WORD), case.exchange.provider)


def _check(case: Case, answer: Answer) -> list[str]:
    expected = _as_response(_reading(case))
    if case.is_stream:
        found = answer.events[-1]["response"]
        told = stream_problems(answer) + _pieces(answer, found)
    else:
        found = answer.json
        told = refused("responses", found)
    return told + differences(expected, read_response(found))


def _reading(case: Case) -> Reading:
    recorded = case.exchange.response.body
    if is_native_chat(case.exchange):
        return NATIVES[case.exchange.provider].reading(case.exchange)
    if case.kind == "anthropic":
        return read_message(fold_message(events(recorded)) if case.is_stream else json.loads(recorded))
    body = openai_answer.fold_chat(events(recorded)) if case.is_stream else json.loads(recorded)
    return openai_answer.read_chat(body, case.exchange.provider, case.exchange.model)


def _as_response(reading: Reading) -> Reading:
    """What a response can say of it: why it is incomplete, and nothing of why it is complete."""
    made = []
    for choice in reading.choices:
        finish = choice.finish if choice.finish in ("length", "content_filter") else None
        made.append(replace(choice, finish=finish or ("tool_calls" if choice.tools else "stop")))
    return Reading(tuple(made), reading.tokens)


def _pieces(answer: Answer, response: Json) -> list[str]:
    """What the deltas of each item make up is what the item says in the end."""
    told = []
    for place, item in enumerate(response["output"]):
        said = "".join(e["delta"] for e in answer.events if "delta" in e and e["output_index"] == place)
        parts = [*(item.get("content") or ()), *(item.get("summary") or ())]
        whole = "".join(part.get("text", part.get("refusal", "")) for part in parts) + item.get("arguments", "")
        if said != whole:
            told.append(f"item {place}: its deltas say {said[:200]!r}, the item {whole[:200]!r}")
    return told
