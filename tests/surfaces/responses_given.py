"""What the tests of the Responses surface are given: requests, the way there and back, and OpenAI's own reader."""

from __future__ import annotations

from typing import Any

import openai
from openai.lib.streaming.responses._responses import ResponseStreamState

from app.core.json import Json, dumps, loads
from app.core.language import Translation
from app.core.wire import Ask, Frame, Operation
from app.surfaces.responses import RESPONSES
from tests.recorded.official import judge, refused

HELLO: Json = {"model": "fast", "input": "Hello"}
WEATHER: Json = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": True,
}
CREATED = 1_700_000_000


def translation(body: Json | None = None, *, stream: bool = False, marks: bool = False, **fields: Any) -> Translation:
    """`marks`: for a provider that knows Anthropic's words in chat."""
    body = body or {**HELLO, **fields}
    RESPONSES.check(body)
    ask = Ask(operation=Operation.RESPONSES, body=body, stream=stream, wants_usage=stream, created=CREATED, marks=marks)
    return RESPONSES.through_chat(ask)


def chat(**fields: Any) -> Json:
    """The chat request that is made of a Responses request."""
    return translation(**fields).ask.body


def messages(*items: Json, **fields: Any) -> list[Json]:
    """The chat messages that are made of an input."""
    made: list[Json] = chat(input=list(items), **fields)["messages"]
    return made


def whole(frame: Frame, **fields: Any) -> Json:
    """The response that is made of a chat answer, after it has held the official type."""
    made: Json = loads(dumps(translation(**fields).whole(frame).data))
    assert refused("responses", made) == []
    return made


def streamed(*frames: Frame, **fields: Any) -> list[Frame]:
    """The frames that are made of those of a chat stream, up to its end."""
    through = translation(stream=True, **fields)
    return [*(made for frame in frames for made in through.feed(frame)), *through.end()]


def events(frames: list[Frame]) -> list[Json]:
    """What is shown of frames, after each event has held its official type and all are numbered in a row."""
    shown: list[Json] = [loads(dumps(frame.data)) for frame in frames if frame.data is not None]
    assert [problem for event in shown for problem in refused("responses_stream", event)] == []
    assert [event["sequence_number"] for event in shown] == list(range(len(shown)))
    assert [frame.event for frame in frames if frame.data] == [event["type"] for event in shown]
    return shown


def kinds(frames: list[Frame]) -> list[str]:
    """The types of the events, without what all of them begin with."""
    return [event["type"].removeprefix("response.") for event in events(frames)]


def folded(frames: list[Frame]) -> Any:
    """What the SDK makes of a stream: its accumulator's last word, which the last event must agree with."""
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=openai.omit, text_format=openai.omit)
    for event in events(frames):
        state.handle_event(judge(event["type"]).validate_python(event))
    return events(frames)[-1]["response"]
