"""Chat chunks as the events of a Response: the official grammar, and what the SDK makes of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Frame
from app.surfaces.responses_reasoning import sealed
from tests.providers.talk import feed, reader
from tests.surfaces.messages_given import chunk
from tests.surfaces.responses_given import events, folded, kinds, streamed, translation

TEXT = ["content_part.added", "output_text.delta", "output_text.done", "content_part.done"]
BEGIN = ["created", "in_progress"]


def item(*inner: str) -> list[str]:
    return ["output_item.added", *inner, "output_item.done"]


def begins(index: int, name: str, arguments: str = "") -> Json:
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": f"call_{index}", "type": "function", "function": function}


def goes_on(index: int, arguments: str) -> Json:
    return {"index": index, "function": {"arguments": arguments}}


def test_a_word_is_a_part_of_an_item_of_a_response() -> None:
    frames = streamed(chunk(role="assistant", content=""), chunk(content="Hi"), chunk("stop"))

    assert kinds(frames) == [*BEGIN, *item(*TEXT), "completed"]
    made = folded(frames)
    assert made["output"][0]["content"][0]["text"] == "Hi"
    assert made["status"] == "completed"


def test_every_event_of_an_item_has_its_id_and_place() -> None:
    shown = events(streamed(chunk(content="Hi"), chunk("stop")))

    name = shown[2]["item"]["id"]
    assert {event["item_id"] for event in shown if "item_id" in event} == {name}
    assert {event["output_index"] for event in shown if "output_index" in event} == {0}
    assert shown[-2]["item"]["id"] == shown[-1]["response"]["output"][0]["id"] == name
    assert len({event["response"]["id"] for event in shown if "response" in event}) == 1


def test_thoughts_end_when_the_text_begins() -> None:
    frames = streamed(chunk(reasoning_content="h"), chunk(reasoning_content="m"), chunk(content="Hi"), chunk("stop"))

    thinking = ["content_part.added", "reasoning_text.delta", "reasoning_text.delta", "reasoning_text.done"]
    assert kinds(frames) == [*BEGIN, *item(*thinking, "content_part.done"), *item(*TEXT), "completed"]
    assert folded(frames)["output"][0]["content"] == [{"type": "reasoning_text", "text": "hm"}]


def test_thoughts_are_a_summary_for_who_asks_for_one() -> None:
    frames = streamed(
        chunk(reasoning_content="hm"),
        chunk(content="Hi"),
        chunk("stop"),
        reasoning={"effort": "low", "summary": "auto"},
    )

    thinking = ["reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done"]
    assert kinds(frames)[2:8] == [*item(*thinking, "reasoning_summary_part.done")]
    assert folded(frames)["output"][0]["summary"] == [{"type": "summary_text", "text": "hm"}]


def test_signed_thoughts_are_sealed_into_the_item_when_it_ends() -> None:
    signed = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    hidden = {"type": "redacted_thinking", "data": "x"}
    frames = streamed(
        chunk(reasoning_content="hm"),
        chunk(thinking_blocks=[signed]),
        chunk(thinking_blocks=[hidden]),
        chunk(content="Hi"),
        chunk("stop"),
    )

    (ended,) = [
        e["item"] for e in events(frames) if e["type"].endswith("item.done") and e["item"]["type"] == "reasoning"
    ]
    assert ended["encrypted_content"] == sealed([signed, hidden])


def test_a_call_is_an_item_whose_arguments_come_in_pieces() -> None:
    frames = streamed(
        chunk(content="Look:"),
        chunk(tool_calls=[begins(0, "weather")]),
        chunk(tool_calls=[goes_on(0, '{"city":')]),
        chunk(tool_calls=[goes_on(0, ' "Bonn"}')]),
        chunk("tool_calls"),
    )

    arguments = ["function_call_arguments.delta"] * 2 + ["function_call_arguments.done"]
    assert kinds(frames) == [*BEGIN, *item(*TEXT), *item(*arguments), "completed"]
    made = folded(frames)["output"][1]
    assert (made["name"], made["call_id"], made["arguments"]) == ("weather", "call_0", '{"city": "Bonn"}')
    assert made["status"] == "completed"


def test_a_call_that_came_in_one_piece_has_its_arguments() -> None:
    made = folded(streamed(chunk(tool_calls=[begins(0, "weather", '{"city": "Bonn"}')]), chunk("tool_calls")))

    assert made["output"][0]["arguments"] == '{"city": "Bonn"}'


def test_a_call_for_which_no_arguments_came_has_an_empty_object() -> None:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    reads = reader()
    function = {"name": "now", "arguments": ""}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    frames = feed(
        reads,
        {**head, "choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        b"[DONE]",
    )

    made = streamed(*frames)
    assert folded(made)["output"][0]["arguments"] == "{}"
    assert [e["delta"] for e in events(made) if e["type"] == "response.function_call_arguments.delta"] == ["{}"]


def test_ids_are_made_of_what_openai_takes() -> None:
    shown = events(
        streamed(
            chunk(reasoning_content="h"), chunk(content="H"), chunk(tool_calls=[begins(0, "x", "{}")]), chunk("stop")
        )
    )
    names = [shown[-1]["response"]["id"], *(item["id"] for item in shown[-1]["response"]["output"])]

    assert [name.partition("_")[0] for name in names] == ["resp", "rs", "msg", "fc"]
    assert all(re.fullmatch("[A-Za-z0-9_-]{20,64}", name) for name in names)


def test_calls_that_run_side_by_side_do_not_mix() -> None:
    frames = streamed(
        chunk(tool_calls=[begins(0, "weather")]),
        chunk(tool_calls=[begins(1, "time")]),
        chunk(tool_calls=[goes_on(0, '{"a":'), goes_on(1, '{"b":')]),
        chunk(tool_calls=[goes_on(1, "2}"), goes_on(0, "1}")]),
        chunk("tool_calls"),
    )

    assert [(each["name"], each["arguments"]) for each in folded(frames)["output"]] == [
        ("weather", '{"a":1}'),
        ("time", '{"b":2}'),
    ]


def test_text_and_a_refusal_are_two_parts_of_one_message() -> None:
    frames = streamed(chunk(content="Hm. "), chunk(refusal="No."), chunk("stop"))

    refusing = ["content_part.added", "refusal.delta", "refusal.done", "content_part.done"]
    assert kinds(frames) == [*BEGIN, *item(*TEXT, *refusing), "completed"]
    assert [part["type"] for part in folded(frames)["output"][0]["content"]] == ["output_text", "refusal"]


def test_citations_are_announced_and_kept() -> None:
    cited = {"url": "https://h", "title": "H", "start_index": 0, "end_index": 2}
    given = [{"type": "url_citation", "url_citation": cited}]
    frames = streamed(chunk(content="Hi"), chunk(annotations=given), chunk("stop"))

    assert "output_text.annotation.added" in kinds(frames)
    assert folded(frames)["output"][0]["content"][0]["annotations"] == [{"type": "url_citation", **cited}]


def test_probabilities_of_tokens_come_with_the_text_and_again_at_its_end() -> None:
    token = {"token": "Hi", "bytes": [72, 105], "logprob": -0.5}
    given = {"logprobs": {"content": [{**token, "top_logprobs": []}]}}
    frames = streamed(chunk(content="Hi", choice=given), chunk("stop"))

    deltas = [event["logprobs"] for event in events(frames) if event["type"] == "response.output_text.delta"]
    assert deltas == [[{"token": "Hi", "logprob": -0.5, "top_logprobs": []}]]
    assert folded(frames)["output"][0]["content"][0]["logprobs"] == [{**token, "top_logprobs": []}]


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_a_stream_that_was_cut_short_ends_in_its_own_event_and_says_why(finish: str, reason: str) -> None:
    last = events(streamed(chunk(content="Half of an ans"), chunk(finish)))[-1]

    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": reason}
    assert last["response"]["output"][0]["status"] == "incomplete"


def test_usage_comes_with_the_last_event_and_is_in_the_books_before() -> None:
    through = translation(stream=True)
    made = [*through.feed(chunk(content="Hi")), *through.feed(chunk("stop"))]
    counted = through.feed(Frame({"choices": [], "model": "m"}, usage=Usage(3, 2)))

    assert [(frame.data, frame.usage) for frame in counted] == [(None, Usage(3, 2))]
    ended = [*made, *counted, *through.end()]
    assert events(ended)[-1]["response"]["usage"]["total_tokens"] == 5
    assert (ended[-1].usage, ended[-1].finish, ended[-1].last) == (Usage(3, 2), "stop", True)
    assert [frame.last for frame in ended].count(True) == 1


def test_what_ends_the_chat_stream_ends_the_response_once() -> None:
    through = translation(stream=True)
    made = [*through.feed(chunk(content="Hi")), *through.feed(chunk("stop")), *through.feed(Frame(None, last=True))]

    assert kinds([*made, *through.end()]) == [*BEGIN, *item(*TEXT), "completed"]


def test_a_stream_without_a_word_is_an_empty_message() -> None:
    frames = streamed(chunk("stop"))

    assert kinds(frames) == [*BEGIN, *item(), "completed"]
    assert folded(frames)["output"][0]["content"] == []


@pytest.mark.parametrize("delta", [{"content": "Hi"}, {"reasoning_content": "hm"}, {"refusal": "No."}])
def test_content_counts_once(delta: Any) -> None:
    frames = streamed(chunk(**delta), chunk("stop"))

    assert sum(frame.chars for frame in frames) == len(next(iter(delta.values())))


def test_a_call_counts_with_its_name() -> None:
    frames = streamed(chunk(tool_calls=[begins(0, "now", "{}")]), chunk("tool_calls"))

    assert sum(frame.chars for frame in frames) == len("now{}")
