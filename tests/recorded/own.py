"""One exchange in the provider's own language: what was sent, what came back."""

from __future__ import annotations

import json
from typing import Any

from tests.recorded import openai_answer, responses_answer
from tests.recorded.anthropic_answer import fold_message, read_message
from tests.recorded.ask import Answer, ask
from tests.recorded.books import Books
from tests.recorded.broken import broken_off_problems
from tests.recorded.checks import chunk_problems, event_problems, guarded, refusal_problems, success_problems
from tests.recorded.corpus import Case
from tests.recorded.entries import entry_of
from tests.recorded.events import events
from tests.recorded.house import House
from tests.recorded.left_out import refusable
from tests.recorded.listing import listing_problems
from tests.recorded.official import refused
from tests.recorded.reading import Reading, differences
from tests.recorded.refusals import refusal
from tests.recorded.sent import PROBE, model_of, sent_problems
from tests.recorded.strays import answered_otherwise, streamed_otherwise
from tests.recorded.told import read_completion, tokens
from tests.recorded.usage import counts_beside, openai_tokens
from tests.standin import replay

Json = dict[str, Any]

_TRAVELS = ("anthropic-version", "anthropic-beta")
_MESSAGES = ("messages", "count_tokens")


def problems(house: House, case: Case, seed: int) -> list[str]:
    """All that is wrong. Odd seeds ask streams for usage, even ones do not, whatever the recording did."""
    if case.operation == "models":
        return listing_problems(house, entry_of(case))
    body = _asked(house, case, seed)
    books = Books(house, case)
    answer = answered(house, case, seed, case.operation, body)
    expected = refusal(case, anthropic=case.operation in _MESSAGES) if case.is_error else None
    if expected is not None and refusable(case.body) and not house.provider.journal.requests():
        return refusal_problems(answer, expected.by_us())
    found = sent_problems(house, case, answer)
    if expected is not None:
        return found + refusal_problems(answer, expected) + _configured(house, case, seed, body)
    if case.breaks_off:
        broken = responses_answer.broken_off_problems if case.operation == "responses" else None
        return found + guarded(lambda: broken(answer) if broken else broken_off_problems(case, answer))
    found += success_problems(answer, entry_of(case).name, model_of(case), stream=case.is_stream)
    found += books.problems()
    return found + guarded(lambda: _check(case, answer, wants_usage=_wants_usage(body)))


def answered(house: House, case: Case, seed: int, operation: str, body: Json) -> Answer:
    """Ask; whatever reaches the provider is answered as it was recorded, cut anew."""
    house.provider.scripts.clear()
    house.provider.journal.clear()
    house.provider.script(replay(case.exchange, seed=seed), times=None)
    recorded = {name.lower(): value for name, value in case.exchange.request.headers}
    travelling = {name: recorded[name] for name in _TRAVELS if name in recorded and operation in _MESSAGES}
    answer = ask(house, operation, body, travelling)
    if answer.error is not None:
        house.forget()
    return answer


def _asked(house: House, case: Case, seed: int) -> Json:
    body = {**case.body, **PROBE, "model": f"{entry_of(case).name}/{model_of(case)}"}
    if case.is_stream and case.operation in ("chat", "completions"):
        body["stream_options"] = {**(case.body.get("stream_options") or {}), "include_usage": bool(seed % 2)}
    return body


def _wants_usage(body: Json) -> bool:
    return bool((body.get("stream_options") or {}).get("include_usage"))


def _configured(house: House, case: Case, seed: int, body: Json) -> list[str]:
    """A model that we configured and the provider does not know is our trouble, and told so."""
    expected = refusal(case, anthropic=case.operation in _MESSAGES, configured=True)
    if expected.status != 502:
        return []
    entry, _, model = body["model"].partition("/")
    answer = answered(house, case, seed, case.operation, {**body, "model": f"configured-{entry}/{model}"})
    return [f"as a configured model: {problem}" for problem in refusal_problems(answer, expected)]


def _check(case: Case, answer: Answer, *, wants_usage: bool) -> list[str]:
    if case.operation == "responses":
        return responses_answer.own_problems(case, answer)
    return _said(case, answer, wants_usage=wants_usage)


def _said(case: Case, answer: Answer, *, wants_usage: bool) -> list[str]:
    recorded = case.exchange.response.body
    provider = case.exchange.provider
    match case.exchange.operation:
        case "chat":
            body = json.loads(recorded)
            expected = openai_answer.read_chat(body, provider, case.exchange.model)
            found = read_completion(answer.json)
            return (
                refused("chat", answer.json)
                + differences(expected, found)
                + answered_otherwise(body, answer.json, provider)
            )
        case "chat_stream":
            chunks = events(recorded)
            folded = openai_answer.fold_chat(chunks)
            expected = openai_answer.completed(openai_answer.read_chat(folded, provider, case.exchange.model))
            if not wants_usage:
                expected = Reading(expected.choices, None)
            told = chunk_problems(answer, kind="chat_stream", wants_usage=wants_usage)
            told += differences(expected, read_completion(answer.value.to_dict()))
            return told + streamed_otherwise(chunks, answer.events, provider, usage=wants_usage)
        case "completions" | "embeddings" | "moderations" | "count_tokens":
            return _plain(case, answer)
        case "completions_stream":
            return _text_stream(case, answer, wants_usage=wants_usage)
        case "messages":
            body = json.loads(recorded)
            told = refused("messages", answer.json) + answered_otherwise(body, answer.json, provider)
            return told + differences(read_message(body), read_message(answer.json))
        case "messages_stream":
            folded, accumulated = fold_message(events(recorded)), answer.value.to_dict(mode="json")
            told = event_problems(answer) + differences(read_message(folded), read_message(accumulated))
            told += streamed_otherwise(events(recorded), answer.events, provider)
            return told + answered_otherwise(
                {**folded, "stop_details": folded.get("stop_details")}, accumulated, provider
            )
    raise ValueError(case.exchange.operation)


def _plain(case: Case, answer: Answer) -> list[str]:
    """Answers that need no reading: the same but for what strays; and their tokens."""
    body, found = json.loads(case.exchange.response.body), answer.json
    told = refused(case.exchange.operation, found) + answered_otherwise(body, found, case.exchange.provider)
    if "usage" in body:
        expected, counted = openai_tokens(body["usage"], beside=False), tokens(found["usage"])
        told += differences(Reading((), expected), Reading((), counted))
    return told


def _text_stream(case: Case, answer: Answer, *, wants_usage: bool) -> list[str]:
    chunks = events(case.exchange.response.body)
    told = chunk_problems(answer, kind="completions_stream", wants_usage=wants_usage)
    if _texts(chunks) != (found := _texts([item.to_dict() for item in answer.items])):
        told.append(f"expected {_texts(chunks)}, found {found}")
    usages = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    beside = counts_beside(case.exchange.provider, case.exchange.model)
    expected = openai_tokens(usages[-1], beside=beside) if usages and wants_usage else None
    shown = [chunk["usage"] for chunk in answer.events if chunk.get("usage")]
    told += differences(Reading((), expected), Reading((), tokens(shown[-1]) if shown else None))
    return told + streamed_otherwise(chunks, answer.events, case.exchange.provider, usage=wants_usage)


def _texts(chunks: list[Json]) -> dict[int, tuple[str, str | None]]:
    """Text and finish reason of each choice."""
    made: dict[int, tuple[str, str | None]] = {}
    for chunk in chunks:
        for choice in chunk.get("choices") or ():
            text, finish = made.get(choice["index"], ("", None))
            made[choice["index"]] = (text + (choice.get("text") or ""), choice.get("finish_reason") or finish)
    return made
