"""Streamed tool calls add up to whole ones, whatever a provider repeats, forgets or leaves out."""

from __future__ import annotations

import pytest

from app.core.json import Json
from tests.providers.talk import call, calls_of, chunk, feed, finishes_of, reader, streamed


def test_a_call_without_arguments_gets_an_empty_object_before_its_end() -> None:
    chunks = streamed(
        chunk({"tool_calls": [call("now", "", call_id="call_1")]}),
        chunk({"tool_calls": [call("roll", '{"sides": 6}', index=1, call_id="call_2")]}),
        chunk({}, "tool_calls"),
    )

    assert calls_of(chunks) == [("call_1", "now", "{}"), ("call_2", "roll", '{"sides": 6}')]
    assert finishes_of(chunks[-1:]) == ["tool_calls"]


def test_a_call_without_arguments_that_comes_with_the_end_is_filled_in() -> None:
    chunks = streamed(
        chunk({"role": "assistant"}), chunk({"tool_calls": [call("now", "", call_id="call_1")]}, "tool_calls")
    )

    assert len(chunks) == 2
    assert calls_of(chunks) == [("call_1", "now", "{}")]


def test_nothing_is_put_before_arguments_that_do_come() -> None:
    chunks = streamed(
        chunk({"tool_calls": [call("roll", "", call_id="call_1")]}),
        *(chunk({"tool_calls": [call(arguments=part)]}) for part in ('{"si', 'des": ', "6}")),
        chunk({}, "tool_calls"),
    )

    assert calls_of(chunks) == [("call_1", "roll", '{"sides": 6}')]


def test_repeated_and_empty_names_ids_and_types_are_left_out() -> None:
    """Together and Azure send nulls, others the same values again; the official SDK would join them."""
    nulls = {"index": 0, "id": None, "type": None, "function": {"name": None, "arguments": '{"a"'}}
    again = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "roll", "arguments": ": 1}"}}
    chunks = streamed(
        chunk({"tool_calls": [call("roll", "", call_id="call_1")]}),
        chunk({"tool_calls": [nulls]}),
        chunk({"tool_calls": [again]}),
        chunk({}, "tool_calls"),
    )

    assert calls_of(chunks) == [("call_1", "roll", '{"a": 1}')]
    assert chunks[1]["choices"][0]["delta"]["tool_calls"] == [{"index": 0, "function": {"arguments": '{"a"'}}]


def test_missing_types_and_indexes_are_filled_in() -> None:
    """As of Mistral: whole calls in one chunk, told apart by their ids."""
    whole = [{"id": f"id000000{n}", "function": {"name": f"f{n}", "arguments": "{}"}} for n in (1, 2)]
    chunks = streamed(chunk({"role": "assistant", "content": ""}), chunk({"tool_calls": whole}, "tool_calls"))

    assert calls_of(chunks) == [("id0000001", "f1", "{}"), ("id0000002", "f2", "{}")]
    assert [each["type"] for each in chunks[1]["choices"][0]["delta"]["tool_calls"]] == ["function", "function"]


def test_two_calls_under_one_index_are_kept_apart() -> None:
    chunks = streamed(
        chunk({"tool_calls": [call("f", '{"a":', index=0, call_id="call_1")]}),
        chunk({"tool_calls": [call(arguments=" 1}", index=0)]}),
        chunk({"tool_calls": [call("g", '{"b":', index=0, call_id="call_2")]}),
        chunk({"tool_calls": [call(arguments=" 2}", index=0)]}),
        chunk({}, "tool_calls"),
    )

    assert calls_of(chunks) == [("call_1", "f", '{"a": 1}'), ("call_2", "g", '{"b": 2}')]


def test_a_new_id_on_each_fragment_is_still_one_call() -> None:
    """Older vLLM."""
    chunks = streamed(
        chunk({"tool_calls": [call("f", "", call_id="chatcmpl-tool-1")]}),
        chunk({"tool_calls": [call(None, '{"a": ', call_id="chatcmpl-tool-2")]}),
        chunk({"tool_calls": [call(None, "1}", call_id="chatcmpl-tool-3")]}),
        chunk({}, "tool_calls"),
    )

    assert calls_of(chunks) == [("chatcmpl-tool-1", "f", '{"a": 1}')]


def test_a_call_without_an_id_gets_one() -> None:
    ((name, _, arguments),) = calls_of(streamed(chunk({"tool_calls": [call("f", "{}")]}), chunk({}, "tool_calls")))

    assert name.startswith("call_")
    assert arguments == "{}"


def test_arguments_that_come_as_an_object_leave_as_text() -> None:
    fragment = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    chunks = streamed(chunk({"tool_calls": [fragment]}), chunk({}, "tool_calls"))

    assert calls_of(chunks) == [("call_1", "f", '{"a":1}')]


@pytest.mark.parametrize("nothing", [[], None])
def test_no_calls_at_all_are_none(nothing: list[Json] | None) -> None:
    chunks = streamed(chunk({"content": "a", "tool_calls": nothing}), chunk({}, "stop"))

    assert not any(each["choices"][0]["delta"].get("tool_calls") for each in chunks)
    assert "tool_calls" not in chunks[0]["choices"][0]["delta"] or nothing is None


def test_the_pieces_of_an_interleaved_pair_go_where_they_belong() -> None:
    chunks = streamed(
        chunk({"tool_calls": [call("f", "", 0, "call_1"), call("g", "", 1, "call_2")]}),
        chunk({"tool_calls": [call(arguments='{"a"', index=0)]}),
        chunk({"tool_calls": [call(arguments='{"b"', index=1)]}),
        chunk({"tool_calls": [call(arguments=": 1}", index=0), call(arguments=": 2}", index=1)]}),
        chunk({}, "tool_calls"),
    )

    assert calls_of(chunks) == [("call_1", "f", '{"a": 1}'), ("call_2", "g", '{"b": 2}')]


def test_calls_of_custom_tools_are_left_to_themselves() -> None:
    """The official types have no word for them in streams, but OpenAI sends them."""
    first = {"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "shell", "input": ""}}
    more = {"index": 0, "custom": {"input": "ls"}}
    frames = feed(
        reader(), chunk({"tool_calls": [first]}), chunk({"tool_calls": [more]}), chunk({}, "tool_calls"), b"[DONE]"
    )

    told = [frame.data["choices"][0]["delta"].get("tool_calls") for frame in frames if frame.data is not None]
    assert told == [[first], [more], None]
    assert [frame.chars for frame in frames] == [5, 2, 0, 0]
