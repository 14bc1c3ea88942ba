"""Whatever accent a provider streams in, its chunks leave as official ones, and add up to the same answer."""

from __future__ import annotations

import pytest

from app.core.json import Json
from tests.providers.talk import CREATED, ask, asking, call, chunk, feed, finishes_of, reader, shown, streamed, text_of

USAGE: Json = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def test_a_conforming_chunk_travels_unchanged() -> None:
    first = chunk({"role": "assistant", "content": "", "refusal": None}, service_tier="default", obfuscation="abc")
    said = chunk({"content": "Hello"}, system_fingerprint="fp", extension={"of": "theirs"})

    assert streamed(first, said, chunk({}, "stop")) == [first, said, chunk({}, "stop")]


def test_text_reasoning_refusals_and_calls_are_counted() -> None:
    frames = feed(
        reader(),
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "four"}),
        chunk({"reasoning_content": "three"}),
        chunk({"reasoning": "six", "content": None}),
        chunk({"refusal": "no"}),
        chunk({"tool_calls": [call("name", "", call_id="call_1")]}),
        chunk({"tool_calls": [call(arguments='{"a": 1}')]}),
        chunk({"tool_calls": [call(arguments="  ")]}),
        chunk({}, "tool_calls"),
    )

    assert [frame.chars for frame in frames] == [0, 4, 5, 3, 2, 4, 8, 2, 0]


def test_a_finish_reason_makes_it_complete_and_done_ends_it() -> None:
    stream = reader()

    feed(stream, chunk({"content": "Hi"}))
    assert (stream.complete, stream.done) == (False, False)
    frames = feed(stream, chunk({}, "stop"))
    assert (stream.complete, stream.done, frames[-1].finish) == (True, False, "stop")
    assert [(frame.data, frame.last) for frame in feed(stream, b"[DONE]")] == [(None, True)]
    assert (stream.complete, stream.done) == (True, True)


def test_a_stream_of_two_choices_is_complete_when_both_are() -> None:
    stream = reader(ask(stream=True, n=2))

    feed(stream, chunk({"content": "a"}), chunk({"content": "b"}, index=1), chunk({}, "stop", index=1))
    assert not stream.complete
    feed(stream, chunk({"content": "c"}), chunk({}, "length"))
    assert stream.complete


def test_an_end_without_an_answer_is_not_complete() -> None:
    stream = reader()

    assert feed(stream, b"[DONE]") == []
    assert (stream.complete, stream.done) == (False, True)


@pytest.mark.parametrize(("said", "reason"), [({"content": "Hi"}, "stop"), ({"tool_calls": [call("f")]}, "tool_calls")])
def test_a_forgotten_finish_reason_is_supplied_at_the_end(said: Json, reason: str) -> None:
    """OpenRouter was recorded doing so."""
    chunks = streamed(chunk(said), chunk({"content": ""}, usage=USAGE), of=asking())

    assert finishes_of(chunks) == [reason]
    assert chunks[-1]["usage"] == USAGE
    assert chunks[-1]["choices"] == []


def test_the_first_chunk_of_azure_is_merged_into_the_next() -> None:
    results = [{"prompt_index": 0, "content_filter_results": {}}]
    empty = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": results}
    chunks = streamed(empty, chunk({"role": "assistant", "content": ""}), chunk({"content": "Hi"}), chunk({}, "stop"))

    assert [each.get("prompt_filter_results") for each in chunks] == [results, None, None]
    assert all(each["choices"] and each["id"] == "chatcmpl-1" for each in chunks)


def test_a_choice_without_a_delta_gets_an_empty_one() -> None:
    bare = chunk()
    bare["choices"] = [{"index": 0, "content_filter_results": {"hate": {}}, "finish_reason": None}]
    chunks = streamed(chunk({"content": "a"}), bare, chunk({"content": "b"}), chunk({}, "stop"))

    assert text_of(chunks) == "ab"
    assert chunks[1]["choices"][0]["content_filter_results"] == {"hate": {}}


def test_what_is_missing_at_the_top_is_made_up_once() -> None:
    bare = [{"choices": [{"delta": {"content": text}}]} for text in "ab"]
    chunks = streamed(*bare, {"choices": [{"delta": {}, "finish_reason": "stop"}]})

    (name,) = {each["id"] for each in chunks}
    assert name.startswith("chatcmpl-")
    assert {(each["created"], each["model"]) for each in chunks} == {(CREATED, "public")}


def test_a_stream_whose_ids_are_null_gets_one() -> None:
    chunks = streamed(*(chunk({"content": text}, id=None) for text in "abc"), chunk({}, "stop", id=""))

    (name,) = {each["id"] for each in chunks}
    assert name.startswith("chatcmpl-")


def test_an_id_that_changes_in_mid_stream_does_not() -> None:
    chunks = streamed(chunk({"content": "a"}), chunk({"content": "b"}, id="other"), chunk({}, "stop", id=None))

    assert [each["id"] for each in chunks] == ["chatcmpl-1"] * 3


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("eos", "stop"),
        ("model_length", "length"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("sensitive", "content_filter"),
        ("unheard_of", "stop"),
        ("stop", "stop"),
    ],
)
def test_finish_reasons_are_those_of_the_official_types(theirs: str, ours: str) -> None:
    assert finishes_of(streamed(chunk({"content": "a"}), chunk({}, theirs))) == [ours]


@pytest.mark.parametrize("nothing", ["", "null", None])
def test_an_empty_finish_reason_is_none(nothing: str | None) -> None:
    stream = reader()
    feed(stream, chunk({"content": "a"}, nothing))

    assert not stream.complete


def test_a_second_finish_reason_is_not_shown() -> None:
    """OpenRouter repeats it on a chunk that says nothing else, then with the usage."""
    frames = feed(
        reader(asking()),
        chunk({"content": "a"}, "length"),
        chunk({"content": "", "role": "assistant"}, "length"),
        chunk({"content": "", "role": "assistant"}, "length", usage=USAGE),
    )
    chunks = shown(frames)

    assert finishes_of(chunks) == ["length"]
    assert [each.get("usage") for each in chunks] == [None, USAGE]


def test_reasoning_is_shown_under_both_names() -> None:
    chunks = streamed(
        chunk({"reasoning": "So "}), chunk({"reasoning": "then", "channel": "analysis"}), chunk({}, "stop")
    )

    assert text_of(chunks, "reasoning_content") == text_of(chunks, "reasoning") == "So then"


def test_thoughts_inside_a_list_of_content_are_told_from_text() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    chunks = streamed(
        chunk({"content": [thought]}),
        chunk({"content": [{**thought, "closed": True}, {"type": "text", "text": "1"}]}),
        chunk({"content": "44"}),
        chunk({"content": ""}, "stop"),
    )

    assert (text_of(chunks), text_of(chunks, "reasoning_content")) == ("144", "Hm.Hm.")


def test_perplexity_does_not_repeat_all_that_it_has_said() -> None:
    so_far = {"role": "assistant", "content": "1 2"}
    chunks = []
    for said, finish, kind in (("1", None, "chat.completion.chunk"), (" 2", "stop", "chat.completion.done")):
        each = chunk({"role": "assistant", "content": said}, finish, object=kind)
        each["choices"][0]["message"] = so_far
        chunks.append(each)
    out = shown(feed(reader(), *chunks))

    assert text_of(out) == "1 2"
    assert not any("message" in choice for each in out for choice in each["choices"])


@pytest.mark.parametrize(("theirs", "ours"), [("on_demand", "default"), ("performance", "priority"), ("odd", None)])
def test_service_tiers_are_those_of_the_official_types(theirs: str, ours: str | None) -> None:
    chunks = streamed(chunk({"content": "a"}), chunk({"content": "b"}, service_tier=theirs), chunk({}, "stop"))

    assert chunks[1].get("service_tier") == ours


def test_a_keep_alive_without_data_says_nothing() -> None:
    assert feed(reader(), b"", b" ") == []


def test_entries_of_lists_are_numbered_over_the_stream() -> None:
    """The official SDK adds citations up by their index, which OpenRouter does not give."""
    cited = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1}}
    numbered = {"index": 0, "text": "r"}
    chunks = streamed(
        chunk({"annotations": [cited, cited], "reasoning_details": [numbered]}),
        chunk({"annotations": [cited], "reasoning_details": [numbered]}),
        chunk({}, "stop"),
    )
    deltas = [each["choices"][0]["delta"] for each in chunks[:2]]

    assert [[entry["index"] for entry in delta["annotations"]] for delta in deltas] == [[0, 1], [2]]
    assert [delta["reasoning_details"] for delta in deltas] == [[numbered], [numbered]]
