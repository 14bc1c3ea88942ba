"""Answers from one form into the other: what each has to say, and what cannot be said."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.json import Json, dumps, loads
from app.core.replay import PIECE, Replay
from app.core.usage import Usage
from app.core.wire import Frame
from app.surfaces.replay_chat import ChatReplay
from app.surfaces.replay_messages import MessagesReplay
from app.surfaces.replay_text import TextReplay
from tests.recorded.official import refused

HEAD: Json = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4.1", "system_fingerprint": "fp"}
TOKEN: Json = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
CALLS: list[Json] = [
    {"id": f"call_{at}", "type": "function", "function": {"name": "f", "arguments": f'{{"a": {at}}}'}} for at in (1, 2)
]


def chat(*messages: Json, finish: str = "stop", logprobs: Json | None = None, **more: Any) -> Json:
    choices = [
        {
            "index": at,
            "message": {"role": "assistant", "content": None, "refusal": None, **message},
            "finish_reason": finish,
            "logprobs": logprobs,
        }
        for at, message in enumerate(messages)
    ]
    return {**HEAD, "object": "chat.completion", "choices": choices, **more}


USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "abc"}

COMPLETIONS: dict[str, Json] = {
    "text": chat({"content": "Hi there"}, usage=USAGE),
    "nothing": chat({"content": ""}),
    "a refusal": chat({"refusal": "I won't"}),
    "calls": chat({"tool_calls": CALLS}, finish="tool_calls"),
    "text and calls": chat({"content": "Well", "tool_calls": CALLS}, finish="tool_calls"),
    "reasoning": chat({"content": "Hi", "reasoning_content": "Hm", "thinking_blocks": [THOUGHT]}),
    "details of reasoning": chat(
        {
            "content": "Hi",
            "reasoning": "Hm",
            "reasoning_details": [{"type": "reasoning.text", "text": "Hm", "index": 0}],
        }
    ),
    "several choices": chat({"content": "Hi"}, {"content": "Ho"}, {"tool_calls": CALLS[:1]}, finish="length"),
    "log probabilities": chat({"content": "Hi"}, logprobs={"content": [TOKEN, TOKEN], "refusal": None}),
    "a long text": chat({"content": "naïve 世界 " * 2000}, usage=USAGE),
}

MESSAGE: Json = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 1, "service_tier": "standard"},
}
CITATION: Json = {
    "type": "char_location",
    "cited_text": "x",
    "document_index": 0,
    "document_title": "T",
    "start_char_index": 0,
    "end_char_index": 1,
    "file_id": None,
}

MESSAGES: dict[str, Json] = {
    "text": {**MESSAGE, "content": [{"type": "text", "text": "Hi there"}]},
    "nothing": {**MESSAGE, "content": []},
    "a stop sequence": {
        **MESSAGE,
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "stop_sequence",
        "stop_sequence": "X",
    },
    "citations": {**MESSAGE, "content": [{"type": "text", "text": "Hi", "citations": [CITATION, CITATION]}]},
    "thinking": {
        **MESSAGE,
        "content": [THOUGHT, {"type": "redacted_thinking", "data": "xyz"}, {"type": "text", "text": "Hi"}],
    },
    "tools": {
        **MESSAGE,
        "content": [
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": {"b": "世界" * 3000}}},
            {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
        ],
        "stop_reason": "tool_use",
    },
}

TEXTS: dict[str, Json] = {
    "text": {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": at, "text": text, "finish_reason": "stop", "logprobs": None} for at, text in enumerate(("Hi", ""))
        ],
        "usage": USAGE,
    }
}


def told(replay: Replay, answer: Json) -> list[Frame]:
    frames = replay.stream(loads(dumps(answer)), usage=True)
    assert frames is not None
    return list(frames)


def again(replay: Replay, frames: list[Frame]) -> Json | None:
    collected = replay.collect()
    for frame in frames:
        collected.add(Frame(loads(dumps(frame.data)), frame.event, frame.chars, frame.finish, frame.usage))
    return collected.answer()


ALL: list[Any] = [
    *(pytest.param(ChatReplay(), "chat", answer, id=f"chat: {name}") for name, answer in COMPLETIONS.items()),
    *(pytest.param(MessagesReplay(), "messages", answer, id=f"messages: {name}") for name, answer in MESSAGES.items()),
    *(pytest.param(TextReplay(), "completions", answer, id=f"completions: {name}") for name, answer in TEXTS.items()),
]


@pytest.mark.parametrize(("replay", "kind", "answer"), ALL)
def test_an_answer_that_is_told_in_official_events_adds_up_to_itself(replay: Replay, kind: str, answer: Json) -> None:
    assert refused(kind, answer) == []

    frames = told(replay, answer)

    assert [problem for frame in frames for problem in refused(f"{kind}_stream", frame.data)] == []
    assert [frame.last for frame in frames] == [*(False for _ in frames[1:]), True]
    assert again(replay, frames) == answer


def test_usage_is_told_only_if_it_was_asked_for() -> None:
    frames = ChatReplay().stream(loads(dumps(COMPLETIONS["text"])), usage=False)
    assert frames is not None
    assert not any("usage" in (frame.data or {}) for frame in frames)


def test_usage_that_only_the_books_know_is_told_plainly() -> None:
    collected = ChatReplay().collect()
    for frame in told(ChatReplay(), chat({"content": "Hi"})):
        collected.add(frame)
    collected.add(Frame(None, usage=Usage(7, 5, 4, 0, 3), last=True))

    answer = collected.answer()

    assert answer is not None
    assert refused("chat", answer) == []
    assert answer["usage"]["total_tokens"] == 12
    assert answer["usage"]["prompt_tokens_details"]["cached_tokens"] == 4
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] == 3


def test_no_event_is_longer_than_clients_can_read() -> None:
    for replay, answer in (
        (ChatReplay(), COMPLETIONS["a long text"]),
        (MessagesReplay(), MESSAGES["tools"]),
    ):
        frames = told(replay, answer)
        assert max(frame.chars for frame in frames) <= PIECE
        assert len(frames) > 5


def test_characters_are_counted_as_those_of_a_provider_are() -> None:
    frames = told(ChatReplay(), chat({"content": "Hi", "reasoning_content": "Hm!", "tool_calls": CALLS}))
    assert sum(frame.chars for frame in frames) == 2 + 3 + 2 * len('f{"a": 1}')


def test_pieces_of_details_are_put_together() -> None:
    def piece(**detail: Any) -> Frame:
        delta = {"reasoning_details": [{"type": "reasoning.text", "index": 0, **detail}]}
        return Frame({**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})

    frames = [piece(text="The "), piece(text="user", format=None), piece(signature="abc", format="anthropic")]
    answer = again(ChatReplay(), [*frames, *told(ChatReplay(), chat({"content": "Hi"}))])

    assert answer is not None
    assert answer["choices"][0]["message"]["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "The user", "signature": "abc", "format": "anthropic"}
    ]


@pytest.mark.parametrize(
    "delta", [{"audio": {"id": "a", "data": "AAAA"}}, {"new": [1]}, {"function_call": {"name": "f"}}]
)
def test_a_stream_that_says_what_is_not_known_has_no_plain_form(delta: Json) -> None:
    strange = Frame({**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    assert again(ChatReplay(), [strange, *told(ChatReplay(), chat({"content": "Hi"}))]) is None


def test_an_answer_with_sound_has_no_streamed_form() -> None:
    audio = {"id": "a", "data": "AAAA", "transcript": "Hi", "expires_at": 1}
    assert ChatReplay().stream(chat({"audio": audio}), usage=True) is None


def test_a_stream_that_is_not_whole_has_no_plain_form() -> None:
    for replay, answer in (
        (ChatReplay(), COMPLETIONS["text"]),
        (MessagesReplay(), MESSAGES["text"]),
    ):
        frames = [frame for frame in told(replay, answer) if (frame.data or {}).get("choices") != []]
        assert again(replay, frames[:-1]) is None


def test_a_custom_call_is_told_and_put_together() -> None:
    custom = {"id": "call_3", "type": "custom", "custom": {"name": "g", "input": "some text"}}
    answer = chat({"tool_calls": [*CALLS, custom]}, finish="tool_calls")
    assert again(ChatReplay(), told(ChatReplay(), answer)) == answer


def test_a_tool_whose_input_is_no_object_has_no_plain_form() -> None:
    frames = told(MessagesReplay(), MESSAGES["tools"])
    broken = [frame for frame in frames if "partial_json" not in ((frame.data or {}).get("delta") or {})]
    delta = {"type": "input_json_delta", "partial_json": '{"a": '}
    broken.insert(2, Frame({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta"))
    assert again(MessagesReplay(), broken) is None
