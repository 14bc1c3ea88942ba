"""Recorded rerankings, and embeddings of a provider that asks for them in words of its own."""

from __future__ import annotations

import json
from array import array
from base64 import b64decode
from typing import Any

from tests.recorded.ask import Answer
from tests.recorded.checks import guarded, refusal_problems, success_problems
from tests.recorded.corpus import Case
from tests.recorded.entries import entry_of
from tests.recorded.house import House
from tests.recorded.leaves import MISSING, Allowed, compared
from tests.recorded.own import answered
from tests.recorded.reading import short
from tests.recorded.refusals import refusal
from tests.recorded.sent import PROBE, carried, model_of, sent_to

Json = dict[str, Any]

_ADDED = (Allowed(r"embedding_types\.\d+", "the gateway wants floats and says so", lambda one, other: one is MISSING),)


def reranked(house: House, case: Case, seed: int) -> list[str]:
    """The de-facto form is the provider's own but for the documents, which the gateway adds where they are wanted."""
    asked = {**case.body, "return_documents": bool(seed % 2)}
    answer = _ask(house, case, seed, asked)
    wanted = {"return_documents": bool(seed % 2)} if case.exchange.provider != "cohere" else {}
    unknown = PROBE if case.exchange.provider != "cohere" else {}
    found = _sent(house, case, answer, {**case.body, **wanted, **unknown})
    return found + guarded(lambda: _check_ranks(case, answer, shown=bool(seed % 2)))


def embedded(house: House, case: Case, seed: int) -> list[str]:
    """Cohere's words for an embedding: texts, input_type, output_dimension."""
    body = case.body
    asked: Json = {"input": body["texts"], "input_type": body["input_type"]}
    if body.get("output_dimension"):
        asked["dimensions"] = body["output_dimension"]
    asked |= {name: body[name] for name in ("truncate", "max_tokens") if name in body}
    answer = _ask(house, case, seed, {**asked, "encoding_format": "base64" if seed % 2 else "float"})
    found = _sent(house, case, answer, {name: value for name, value in body.items() if value is not None})
    if case.is_error:
        return found + refusal_problems(answer, refusal(case, anthropic=False))
    return found + guarded(lambda: _check_vectors(case, answer))


def _ask(house: House, case: Case, seed: int, body: Json) -> Answer:
    body = {**body, **PROBE, "model": f"{entry_of(case).name}/{model_of(case)}"}
    return answered(house, case, seed, case.operation, body)


def _sent(house: House, case: Case, answer: Answer, wanted: Json) -> list[str]:
    sent = house.provider.journal.last
    told = sent_to(case, sent.method, sent.path) + carried(case, sent)
    told += compared(wanted, sent.json, _ADDED, case.exchange.provider)
    if not case.is_error:
        told += success_problems(answer, entry_of(case).name, model_of(case), stream=False)
    return told


def _check_ranks(case: Case, answer: Answer, *, shown: bool) -> list[str]:
    recorded, found = json.loads(case.exchange.response.body), answer.json
    expected = [(result["index"], result["relevance_score"]) for result in recorded["results"]]
    told = []
    if expected != (got := [(result["index"], result["relevance_score"]) for result in found["results"]]):
        told.append(f"results: recorded {expected}, found {got}")
    texts = [case.body["documents"][index] if shown else None for index, _ in expected]
    if texts != (got := [result.get("document", {}).get("text") for result in found["results"]]):
        told.append(f"documents: expected {short(texts)}, found {short(got)}")
    tokens = (recorded.get("usage") or {}).get("total_tokens") or 0
    if found["usage"] != {"prompt_tokens": tokens, "total_tokens": tokens}:
        told.append(f"usage: {found['usage']}")
    return told


def _floats(vector: Any) -> list[float]:
    """The SDK's raw door leaves base64 as it is."""
    return list(array("f", b64decode(vector))) if isinstance(vector, str) else vector


def _check_vectors(case: Case, answer: Answer) -> list[str]:
    recorded = json.loads(case.exchange.response.body)
    expected = recorded["embeddings"]["float"]
    found = [_floats(item.embedding) for item in answer.value.data]
    near = len(found) == len(expected) and all(
        abs(one - other) < 1e-6
        for left, right in zip(expected, found, strict=True)
        for one, other in zip(left, right, strict=True)
    )
    told = [] if near else [f"vectors: recorded {short(expected)}, found {short(found)}"]
    billed = recorded["meta"]["billed_units"]["input_tokens"]
    counted = answer.value.usage
    if (counted.prompt_tokens, counted.total_tokens) != (billed, billed):
        told.append(f"usage: recorded {billed}, found {counted}")
    return told
