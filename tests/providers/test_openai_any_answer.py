"""Nothing but an official answer, a refusal or a malformed event comes out, whatever a server gets wrong."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import GatewayError
from app.core.json import Json, dumps
from app.core.wire import Event, Frame, Operation
from tests.providers.talk import ask, asking, call, chunk, completion, decoded, official, reader, shown

CALL: Json = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USAGE: Json = {
    "prompt_tokens": 5,
    "completion_tokens": 7,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
ANSWER = completion(
    {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}, {"type": "text", "text": "b"}],
        "reasoning": "r",
        "refusal": None,
        "tool_calls": [CALL],
        "function_call": {"name": "f", "arguments": ""},
        "annotations": [
            {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1}}
        ],
        "audio": {"id": "a", "data": "", "transcript": "t", "expires_at": 1},
    },
    usage=USAGE,
    service_tier="on_demand",
    system_fingerprint="fp",
)
CHUNKS = [
    chunk({"role": "assistant", "content": "", "refusal": None}, service_tier="default"),
    chunk({"content": "a", "reasoning": "b"}, usage=None),
    chunk({"content": [{"type": "text", "text": "b"}], "audio": {"id": "a", "transcript": "t"}}),
    chunk({"function_call": {"name": "f", "arguments": ""}}),
    chunk({"tool_calls": [call("f", "", call_id="call_1"), call("g", "{", index=1, call_id="call_2")]}),
    chunk({"tool_calls": [call(arguments="}", index=1)]}),
    chunk({}, "tool_calls"),
    {**chunk(), "choices": [], "usage": USAGE},
]
TEXT: Json = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "text": "a",
            "index": 0,
            "finish_reason": "stop",
            "logprobs": {"tokens": ["a"], "text_offset": [0]},
        }
    ],
    "usage": USAGE,
}

ANYTHING: tuple[Any, ...] = (
    *(None, "", "x", "stop", "error", 0, 1, -1, 1.5, 1e30, True, False),
    *([], {}, [None], [{}], {"a": 1}),
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in inner for place in ((*path, key), *places(each, (*path, key)))]


@st.composite
def broken(draw: st.DrawFn, sound: Json) -> Json:
    """The same with up to three things replaced or taken away."""
    body = copy.deepcopy(sound)
    for _ in range(draw(st.integers(1, 3))):
        left = places(body)
        if not left:
            break
        *way, last = draw(st.sampled_from(left))
        inner: Any = body
        for step in way:
            inner = inner[step]
        if draw(st.booleans()):
            inner[last] = copy.deepcopy(draw(st.sampled_from(ANYTHING)))
        else:
            del inner[last]
    return body


@given(broken(ANSWER))
def test_a_broken_answer(body: Json) -> None:
    _official(body, Operation.CHAT)


@given(broken(TEXT))
def test_a_broken_text_completion(body: Json) -> None:
    _official(body, Operation.COMPLETIONS)


def _official(body: Json, operation: Operation) -> None:
    try:
        frame = decoded(body, ask(operation))
    except (GatewayError, ValueError):
        return
    official(frame, operation)


@given(st.lists(st.one_of(*(broken(sound) for sound in CHUNKS), *map(st.just, CHUNKS)), max_size=12), st.booleans())
def test_a_broken_stream(chunks: list[Json], shows_usage: bool) -> None:
    stream = reader(asking() if shows_usage else None)
    frames: list[Frame] = []
    for event in (*(Event(dumps(each)) for each in chunks), Event(b"[DONE]")):
        try:
            frames += stream.feed(event)
        except GatewayError:
            break
        except ValueError:
            continue

    seen = shown(frames)
    assert len({each["id"] for each in seen}) <= 1
    assert sum(bool(each.get("usage")) for each in seen) <= shows_usage
