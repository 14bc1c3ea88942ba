"""A chat completion as a Response."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.json import Json
from app.core.usage import Usage
from app.surfaces.responses_reasoning import sealed
from tests.surfaces.messages_given import call, completion
from tests.surfaces.responses_given import CREATED, WEATHER, whole


def items(frame: Any, **fields: Any) -> list[Json]:
    """The output without its ids, which are of random letters."""
    output = whole(frame, **fields)["output"]
    assert len({item["id"] for item in output}) == len(output)
    return [{name: value for name, value in item.items() if name != "id"} for item in output]


def text(said: str, **more: Any) -> Json:
    part = {"type": "output_text", "text": said, "annotations": [], "logprobs": [], **more}
    return {"type": "message", "role": "assistant", "status": "completed", "content": [part]}


def test_an_answer_is_a_message() -> None:
    made = whole(completion(content="Hi"))

    assert made["output"][0]["id"].startswith("msg_")
    assert items(completion(content="Hi")) == [text("Hi")]
    assert (made["id"][:5], made["object"], made["status"], made["created_at"]) == (
        "resp_",
        "response",
        "completed",
        CREATED,
    )
    assert (made["error"], made["incomplete_details"], made["model"]) == (None, None, "gpt-4.1-2025-04-14")


def test_an_answer_without_a_word_is_an_empty_message() -> None:
    assert items(completion(content=""))[0]["content"] == []


def test_calls_are_items_behind_the_text() -> None:
    made = items(
        completion("tool_calls", content="Look:", tool_calls=[call("a", "weather", "{}"), call("b", "x", "[]")])
    )

    assert made[0] == text("Look:")
    assert made[1:] == [
        {"type": "function_call", "status": "completed", "call_id": "a", "name": "weather", "arguments": "{}"},
        {"type": "function_call", "status": "completed", "call_id": "b", "name": "x", "arguments": "[]"},
    ]


def test_calls_alone_come_without_a_message() -> None:
    assert [item["type"] for item in items(completion("tool_calls", tool_calls=[call("a", "x", "{}")]))] == [
        "function_call"
    ]


def test_a_refusal_is_a_part_of_its_own() -> None:
    assert items(completion(refusal="No."))[0]["content"] == [{"type": "refusal", "refusal": "No."}]


def test_thoughts_come_first_in_the_place_where_the_client_looks_for_them() -> None:
    thoughts = completion(content="Hi", reasoning_content="hm")

    assert items(thoughts)[0] == {
        "type": "reasoning",
        "status": "completed",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "hm"}],
    }
    assert items(thoughts, reasoning={"summary": "auto"})[0] == {
        "type": "reasoning",
        "status": "completed",
        "summary": [{"type": "summary_text", "text": "hm"}],
    }


def test_signed_thoughts_are_sealed_so_that_they_come_back() -> None:
    blocks = [{"type": "thinking", "thinking": "hm", "signature": "c2ln"}, {"type": "redacted_thinking", "data": "x"}]

    assert items(completion(content="Hi", thinking_blocks=blocks))[0]["encrypted_content"] == sealed(blocks)


def test_what_its_provider_wants_to_see_again_stays_with_a_call() -> None:
    extra = {"google": {"thought_signature": "c2ln"}}

    (made,) = items(completion("tool_calls", tool_calls=[call("a", "x", "{}", extra_content=extra)]))
    assert made["extra_content"] == extra


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_an_answer_that_was_cut_short_is_incomplete_and_says_why(finish: str, reason: str) -> None:
    made = whole(completion(finish, content="Half of an ans"))

    assert (made["status"], made["incomplete_details"]) == ("incomplete", {"reason": reason})
    assert made["output"][0]["status"] == "incomplete"


def test_the_last_of_several_items_is_the_one_that_was_cut_short() -> None:
    made = items(completion("length", content="Look:", tool_calls=[call("a", "x", "{}"), call("b", "x", '{"a')]))

    assert [item["status"] for item in made] == ["completed", "completed", "incomplete"]


def test_usage_is_counted_in_its_own_words() -> None:
    made = whole(completion(content="Hi", usage=Usage(10, 5, 4, 3, 2)))

    assert made["usage"] == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 15,
    }
    assert whole(completion(content="Hi"))["usage"] is None


def test_pages_that_were_cited_are_annotations_of_the_text() -> None:
    cited = {"url": "https://h", "title": "H", "start_index": 0, "end_index": 2}
    (made,) = items(completion(content="Hi", annotations=[{"type": "url_citation", "url_citation": cited}]))

    assert made == text("Hi", annotations=[{"type": "url_citation", **cited}])


def test_probabilities_of_tokens_stay_with_the_text() -> None:
    token = {"token": "Hi", "bytes": None, "logprob": -0.5}
    logprobs = {"content": [{**token, "top_logprobs": [token]}], "refusal": None}
    (made,) = items(completion(content="Hi", choice={"logprobs": logprobs}))

    bare = {"token": "Hi", "bytes": [], "logprob": -0.5}
    assert made == text("Hi", logprobs=[{**bare, "top_logprobs": [bare]}])


def test_the_request_is_repeated_in_the_answer() -> None:
    choice = {"type": "function", "name": "weather"}
    form = {"type": "json_schema", "name": "a", "schema": {}}
    made = whole(
        completion(content="Hi"),
        instructions="Be brief.",
        tools=[WEATHER, {"type": "function", "name": "now"}],
        tool_choice=choice,
        parallel_tool_calls=False,
        temperature=0.5,
        top_p=1,
        max_output_tokens=9,
        metadata={"a": "b"},
        reasoning={"effort": "low"},
        text={"format": form, "verbosity": "low"},
        user="u",
    )

    assert (made["instructions"], made["tool_choice"], made["metadata"]) == ("Be brief.", choice, {"a": "b"})
    assert [tool["name"] for tool in made["tools"]] == ["weather", "now"]
    assert (made["parallel_tool_calls"], made["temperature"], made["top_p"]) == (False, 0.5, 1)
    assert (made["max_output_tokens"], made["text"], made["user"]) == (9, {"format": form, "verbosity": "low"}, "u")
    assert made["reasoning"] == {"effort": "low", "summary": None}


def test_nothing_was_kept_and_the_answer_says_so() -> None:
    made = whole(completion(content="Hi"), store=True)

    assert (made["store"], made["previous_response_id"], made["background"]) == (False, None, False)
