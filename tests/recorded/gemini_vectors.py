"""Google's recorded embeddings: AI Studio's batches and Vertex's predictions."""

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
from tests.recorded.leaves import compared
from tests.recorded.own import answered
from tests.recorded.reading import short
from tests.recorded.refusals import refusal
from tests.recorded.sent import PROBE, carried, model_of, sent_to

Json = dict[str, Any]


def embedded(house: House, case: Case, seed: int) -> list[str]:
    asked = _asked(case.body)
    body = {**asked, **PROBE, "encoding_format": "base64" if seed % 2 else "float"}
    answer = answered(house, case, seed, case.operation, {**body, "model": f"{entry_of(case).name}/{model_of(case)}"})
    sent = house.provider.journal.last
    told = sent_to(case, sent.method, sent.path) + carried(case, sent)
    told += compared(case.body, sent.json, (), case.exchange.provider)
    if case.is_error:
        return told + refusal_problems(answer, refusal(case, anthropic=False))
    told += success_problems(answer, entry_of(case).name, model_of(case), stream=False)
    return told + guarded(lambda: _check(case, answer))


def _asked(body: Json) -> Json:
    if "instances" in body:
        made: Json = {"input": [each["content"] for each in body["instances"]]}
        dimensions, task = (body.get("parameters") or {}).get("outputDimensionality"), None
    else:
        first = body["requests"][0]
        made = {"input": [each["content"]["parts"][0]["text"] for each in body["requests"]]}
        dimensions, task = first.get("outputDimensionality"), first.get("taskType")
    more = {"dimensions": dimensions, "task_type": task}
    return made | {name: value for name, value in more.items() if value is not None}


def _check(case: Case, answer: Answer) -> list[str]:
    recorded = json.loads(case.exchange.response.body)
    if "predictions" in recorded:
        vectors = [each["embeddings"]["values"] for each in recorded["predictions"]]
        tokens = sum(each["embeddings"]["statistics"]["token_count"] for each in recorded["predictions"])
    else:
        vectors = [each["values"] for each in recorded["embeddings"]]
        tokens = (recorded.get("usageMetadata") or {}).get("promptTokenCount", 0)
    found = [_floats(item.embedding) for item in answer.value.data]
    near = len(found) == len(vectors) and all(
        abs(one - other) < 1e-6
        for left, right in zip(vectors, found, strict=True)
        for one, other in zip(left, right, strict=True)
    )
    told = [] if near else [f"vectors: recorded {short(vectors)}, found {short(found)}"]
    counted = answer.value.usage
    if (counted.prompt_tokens, counted.total_tokens) != (tokens, tokens):
        told.append(f"usage: recorded {tokens}, found {counted}")
    return told


def _floats(vector: Any) -> list[float]:
    """The SDK's raw door leaves base64 as it is."""
    return list(array("f", b64decode(vector))) if isinstance(vector, str) else vector
