"""Gemini's plain answers as chat completions, and its refusals of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Frame, Operation
from tests.providers.gemini_given import answer, called, provider
from tests.providers.talk import CREATED, ask, decoded, official

TEXT: Json = {"text": "Hello"}
THOUGHT: Json = {"text": "Hm.", "thought": True}


def told(body: Json, **given: Any) -> Frame:
    of = ask(**given)
    return official(decoded(body, of, "gemini"), Operation.CHAT)


def choice(body: Json) -> Json:
    made: Json = (told(body).data or {})["choices"][0]
    return made


def test_text_is_a_completion() -> None:
    frame = told(answer({"text": "Hel"}, {"text": "lo"}))

    assert frame.data is not None
    assert frame.data["id"].startswith("chatcmpl-")
    assert (frame.data["created"], frame.data["model"]) == (CREATED, "gemini-2.5-flash")
    assert frame.data["choices"][0]["message"] == {"role": "assistant", "content": "Hello", "refusal": None}
    assert (frame.chars, frame.finish, frame.usage, frame.last) == (5, "stop", Usage(10, 7), True)


def test_thoughts_are_reasoning_and_calls_are_calls_though_the_reason_is_stop() -> None:
    found = choice(answer(THOUGHT, TEXT, called("weather", city="Köln"), called("now")))

    assert found["finish_reason"] == "tool_calls"
    assert (found["message"]["reasoning_content"], found["message"]["content"]) == ("Hm.", "Hello")
    calls = found["message"]["tool_calls"]
    assert [(c["type"], c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls] == [
        ("function", "weather", {"city": "Köln"}),
        ("function", "now", {}),
    ]
    assert [len(c["id"]) for c in calls] == [29, 29]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    for part in ({"functionCall": {"name": "now"}}, {"functionCall": {"name": "now", "args": None}}):
        assert choice(answer(part))["message"]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_an_id_is_kept_where_there_is_one_and_minted_anew_for_each_call_where_not() -> None:
    """Ids made from the name would repeat from turn to turn."""
    own = {"functionCall": {"id": "zi06h2mp", "name": "now", "args": {}}}
    ids = [call["id"] for _ in range(2) for call in choice(answer(own, called("now")))["message"]["tool_calls"]]

    assert ids[0] == ids[2] == "zi06h2mp"
    assert ids[1] != ids[3]


def test_signatures_travel_where_googles_own_endpoint_puts_them() -> None:
    message = choice(answer(called("f", "Y2FsbA=="), called("g")))["message"]
    assert message["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "Y2FsbA=="}}
    assert "extra_content" not in message["tool_calls"][1]
    assert "extra_content" not in message

    message = choice(answer(TEXT, {"text": "", "thoughtSignature": "dGV4dA=="}))["message"]
    assert message["extra_content"] == {"google": {"thought_signature": "dGV4dA=="}}
    assert message["content"] == "Hello"


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"), ("MODEL_ARMOR", "content_filter"), ("OTHER", "stop"),
        ("MALFORMED_FUNCTION_CALL", "stop"), ("SOMETHING_NEW", "stop"), (1, "stop"), (2, "length"),
        (3, "content_filter"), (99, "stop"), (None, "stop"),
    ],
)  # fmt: skip
def test_every_reason_is_one_of_openais(reason: str | int | None, finish: str) -> None:
    assert choice(answer(TEXT, reason=reason))["finish_reason"] == finish


def test_an_answer_cut_or_filtered_says_so_though_it_holds_a_call() -> None:
    assert choice(answer(called("f"), reason="MAX_TOKENS"))["finish_reason"] == "length"
    assert choice(answer(called("f"), reason="SAFETY"))["finish_reason"] == "content_filter"


@pytest.mark.parametrize("content", [{}, {"role": "model"}, {"parts": []}, None])
def test_an_answer_that_was_filtered_altogether_has_no_content(content: Any) -> None:
    body = answer(reason="SAFETY")
    body["candidates"][0]["content"] = content

    found = choice(body)
    assert (found["finish_reason"], found["message"]["content"]) == ("content_filter", None)


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "NO_IMAGE"])
def test_a_model_that_went_wrong_before_it_said_anything_gave_no_answer(reason: str) -> None:
    with pytest.raises(GatewayError) as caught:
        told(answer(reason=reason))
    assert (caught.value.type, caught.value.provider) == (ErrorType.INVALID_RESPONSE, "gemini")
    assert reason in caught.value.message


def test_a_prompt_that_was_blocked_is_filtered_content_and_says_why() -> None:
    feedback = {"blockReason": "MODEL_ARMOR", "blockReasonMessage": "The prompt violated filters."}
    with pytest.raises(GatewayError) as caught:
        told({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 9}, "modelVersion": "gemini-x"})
    assert (caught.value.type, caught.value.status) == (ErrorType.CONTENT_FILTER, 400)
    assert caught.value.message == "gemini blocked the prompt: MODEL_ARMOR: The prompt violated filters."


def test_thoughts_are_counted_as_output_and_what_tools_read_as_input() -> None:
    counts = {
        "promptTokenCount": 345,
        "cachedContentTokenCount": 230,
        "toolUsePromptTokenCount": 55,
        "candidatesTokenCount": 37,
        "thoughtsTokenCount": 63,
        "totalTokenCount": 500,
    }
    frame = told(answer(TEXT, usage=counts))

    assert frame.usage == Usage(input=400, output=100, cached_input=230, reasoning_output=63)
    assert frame.data is not None
    assert frame.data["usage"] == {
        "prompt_tokens": 400,
        "completion_tokens": 100,
        "total_tokens": 500,
        "prompt_tokens_details": {"cached_tokens": 230, "cache_write_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 63},
    }


@pytest.mark.parametrize("counts", [None, {}, {"trafficType": "ON_DEMAND"}])
def test_what_nobody_counted_is_unknown(counts: Json | None) -> None:
    body = answer(TEXT)
    body["usageMetadata"] = counts

    frame = told(body)
    assert (frame.usage, "usage" in (frame.data or {})) == (None, False)


def test_several_answers_are_several_choices() -> None:
    body = answer(TEXT)
    body["candidates"].append({"content": {"parts": [{"text": "Bye"}]}, "finishReason": "MAX_TOKENS", "index": 1})

    made = told(body, n=2).data or {}
    assert [(c["index"], c["message"]["content"], c["finish_reason"]) for c in made["choices"]] == [
        (0, "Hello", "stop"),
        (1, "Bye", "length"),
    ]


def test_log_probabilities_are_openais() -> None:
    token, other = {"token": "Hé", "logProbability": -0.5}, {"token": "x", "logProbability": -2}
    body = answer(TEXT)
    body["candidates"][0]["logprobsResult"] = {
        "chosenCandidates": [token], "topCandidates": [{"candidates": [token, other]}],
    }  # fmt: skip

    (found,) = choice(body)["logprobs"]["content"]
    assert (found["token"], found["logprob"], found["bytes"]) == ("Hé", -0.5, [72, 195, 169])
    assert [each["token"] for each in found["top_logprobs"]] == ["Hé", "x"]


def test_pages_are_cited_by_characters_not_bytes() -> None:
    text = "Köln ist groß. Sehr."
    segment = {"startIndex": 0, "endIndex": len("Köln ist groß.".encode()), "text": "Köln ist groß."}
    body = answer({"text": text})
    body["candidates"][0]["groundingMetadata"] = {
        "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}, {"retrievedContext": {}}],
        "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0, 1, 7]}],
    }

    assert choice(body)["message"]["annotations"] == [
        {"type": "url_citation", "url_citation": {"url": "https://a", "title": "A", "start_index": 0, "end_index": 14}}
    ]


def test_what_googles_own_tools_did_is_not_the_clients_to_run() -> None:
    parts: list[Json] = [
        {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB"}, "thoughtSignature": "x"},
        {"executableCode": {}},
        TEXT,
    ]

    message = choice(answer(*parts))["message"]
    assert message == {"role": "assistant", "content": "Hello", "refusal": None}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"candidates": []},
        {"candidates": {}},
        {"candidates": [5]},
        {"candidates": [{"content": {"parts": 5}}]},
        {"candidates": [{"content": {"parts": [{"functionCall": {"args": {}}}]}}]},
        {"error": {"code": 500}},
    ],
)
def test_what_is_no_answer_is_told_from_one(body: Json) -> None:
    by = provider()
    with pytest.raises(ValueError, match=r"."):
        by.dialect.decode(ask(), by, body)
