"""Google's thought signatures, carried by Anthropic's clients from one turn to the next."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.json import Json
from app.providers.signatures import without_others
from tests.surfaces.messages_given import FIRST, call, chat, chunk, completion, folded, streamed, translation

EXTRA: Json = {"google": {"thought_signature": "c2ln"}}
SIGNED: Json = {**call("a", "f", '{"x":1}'), "extra_content": EXTRA}
USE: Json = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}
THOUGHT: Json = {"type": "thinking", "thinking": "Hm", "signature": "google:c2ln"}
HIDDEN: Json = {"type": "redacted_thinking", "data": "google:c2ln"}


def plain(**said: Any) -> list[Json]:
    made: list[Json] = (translation().whole(completion("tool_calls", **said)).data or {})["content"]
    return made


def stream(*deltas: Json) -> list[Json]:
    message = folded(streamed(chunk(**FIRST), *(chunk(**delta) for delta in deltas), chunk("tool_calls")))
    return [block.model_dump(exclude_none=True) for block in message.content]


def fragment(at: int, signed: bool = True, id_: str = "a") -> Json:
    made: Json = {"tool_calls": [{"index": at, **call(id_, "f", '{"x":1}')}]}
    if signed:
        made["tool_calls"][0]["extra_content"] = EXTRA
    return made


def test_a_signature_stands_on_the_thought_before_the_call() -> None:
    expected = [THOUGHT, USE]

    assert plain(reasoning_content="Hm", tool_calls=[SIGNED]) == expected
    assert stream({"reasoning_content": "Hm"}, fragment(0)) == expected


def test_without_a_thought_it_is_a_block_of_its_own_before_the_call() -> None:
    text = {"type": "text", "text": "So"}

    assert plain(content="So", tool_calls=[SIGNED]) == [text, HIDDEN, USE]
    assert stream({"content": "So"}, fragment(0)) == [text, HIDDEN, USE]
    assert stream({"reasoning_content": "Hm"}, {"content": "So"}, fragment(0)) == [
        {**THOUGHT, "signature": ""}, text, HIDDEN, USE,
    ]  # fmt: skip


def test_of_parallel_calls_each_keeps_its_own() -> None:
    calls = [SIGNED, call("b", "f", '{"x":1}'), {**SIGNED, "id": "c"}]
    expected = [HIDDEN, USE, {**USE, "id": "b"}, HIDDEN, {**USE, "id": "c"}]

    assert plain(tool_calls=calls) == expected
    assert stream(fragment(0), fragment(1, False, "b"), fragment(2, True, "c")) == expected


@pytest.mark.parametrize("block", [THOUGHT, HIDDEN])
def test_it_comes_back_on_the_call_and_nowhere_else(block: Json) -> None:
    turn = {"role": "assistant", "content": [block, {"type": "text", "text": "So"}, USE, {**USE, "id": "b"}]}
    messages = [{"role": "user", "content": "go"}, turn]

    (_, assistant) = chat(model="gemini-3-pro", messages=messages)["messages"]
    assert [each.get("extra_content") for each in assistant["tool_calls"]] == [EXTRA, None]
    (_, assistant) = chat(model="gpt-5", messages=messages)["messages"]
    assert [each.get("extra_content") for each in assistant["tool_calls"]] == [None, None]


@pytest.mark.parametrize(
    "block",
    [{**THOUGHT, "signature": "EvsCCkYI"}, {**HIDDEN, "data": "EvsCCkYI"}, {**THOUGHT, "signature": ""},
     {**THOUGHT, "signature": 5}],
)  # fmt: skip
def test_a_signature_of_somebody_else_is_never_shown_to_google(block: Json) -> None:
    messages = [{"role": "user", "content": "go"}, {"role": "assistant", "content": [block, USE]}]

    (_, assistant) = chat(model="gemini-3-pro", messages=messages)["messages"]
    assert "extra_content" not in assistant["tool_calls"][0]


def test_anthropic_is_never_shown_what_it_has_not_signed() -> None:
    """A conversation may move from one provider to the other between two turns."""
    own = {**THOUGHT, "signature": "EvsCCkYI"}
    user, text = {"role": "user", "content": "go"}, {"type": "text", "text": "So"}
    messages: list[Json] = [
        user,
        {"role": "assistant", "content": [THOUGHT, {**THOUGHT, "signature": ""}, own, text, HIDDEN, USE]},
        user,
        {"role": "assistant", "content": [HIDDEN]},
    ]
    body = {"model": "claude", "messages": messages, "max_tokens": 5}

    assert without_others(body) == {
        **body,
        "messages": [user, {"role": "assistant", "content": [own, text, USE]}, user],
    }
    assert messages[1]["content"][0] is THOUGHT


@pytest.mark.parametrize("messages", [None, "x", [], [5], [{"role": "assistant", "content": "x"}], [{"role": "user"}]])
def test_a_conversation_without_such_thoughts_travels_as_it_came(messages: Any) -> None:
    body = {"messages": messages}

    assert without_others(body) is body
