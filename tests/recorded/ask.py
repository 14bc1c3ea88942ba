"""Ask the gateway as the official SDKs ask, and keep what they made of the answer."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from typing import Any

import anthropic
import anthropic.types
import httpx2
import openai
import openai.types
import openai.types.chat
import openai.types.responses
from anthropic.lib.streaming import MessageStream
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.lib.streaming.responses._responses import ResponseStreamState

from tests.recorded import events
from tests.recorded.house import KEY, House, Tap

_OPENAI: dict[str, tuple[str, Any, Any]] = {
    "chat": (
        "/chat/completions",
        openai.types.chat.ChatCompletion,
        openai.Stream[openai.types.chat.ChatCompletionChunk],
    ),
    "completions": ("/completions", openai.types.Completion, openai.Stream[openai.types.Completion]),
    "embeddings": ("/embeddings", openai.types.CreateEmbeddingResponse, None),
    "moderations": ("/moderations", openai.types.ModerationCreateResponse, None),
    "rerank": ("/rerank", openai.BaseModel, None),  # no endpoint of OpenAI's, but its SDK can ask for any
    "responses": (
        "/responses",
        openai.types.responses.Response,
        openai.Stream[openai.types.responses.ResponseStreamEvent],
    ),
}
_ANTHROPIC: dict[str, tuple[str, Any, Any]] = {
    "messages": (
        "/v1/messages",
        anthropic.types.Message,
        anthropic.Stream[anthropic.types.RawMessageStreamEvent],
    ),
    "count_tokens": ("/v1/messages/count_tokens", anthropic.types.MessageTokensCount, None),
}


@dataclass(slots=True)
class Answer:
    """`value` is what the SDK made of the whole answer (of a stream, what its accumulator did), `items` are the objects
    of a stream as they came; `error` is what the SDK raised."""

    status: int
    headers: httpx2.Headers
    body: bytes
    asked: httpx2.Headers  # what the SDK sent
    value: Any = None
    items: list[Any] = field(default_factory=list)
    error: openai.APIError | anthropic.APIError | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[dict[str, Any]]:
        return events.events(self.body)


def ask(house: House, operation: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
    """One call, plain or streamed as the body says. `operation` decides which SDK makes it."""
    tap = house.tap()
    client: openai.OpenAI | anthropic.Anthropic
    with httpx2.Client(transport=tap) as http:
        if operation in _OPENAI:
            client = openai.OpenAI(api_key=KEY, base_url="http://gateway/v1", http_client=http, max_retries=0)
        else:
            client = anthropic.Anthropic(api_key=KEY, base_url="http://gateway", http_client=http, max_retries=0)
        return _ask(client, tap, operation, body, headers or {})


def _ask(client: Any, tap: Tap, operation: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
    path, kind, stream = (_OPENAI | _ANTHROPIC)[operation]
    answer = Answer(0, httpx2.Headers(), b"", httpx2.Headers())
    given: dict[str, Any] = {"body": body, "cast_to": kind, "options": {"headers": headers}}
    try:
        if body.get("stream"):
            _follow(answer, operation, client.post(path, **given, stream=True, stream_cls=stream))
        else:
            answer.value = client.post(path, **given)
    except (openai.APIError, anthropic.APIError) as raised:
        answer.error = raised
    answer.status, answer.headers, answer.body, answer.asked = tap.status, tap.headers, tap.body, tap.asked
    return answer


def _follow(answer: Answer, operation: str, stream: Any) -> None:
    """Read a stream to its end, piece by piece into the SDK's own accumulator where it has one."""
    if operation == "messages":
        messages = MessageStream(stream, output_format=anthropic.NOT_GIVEN)
        for event in messages:
            answer.items.append(event)
            answer.value = messages.current_message_snapshot
        return
    if operation == "responses":
        responses: ResponseStreamState[Any] = ResponseStreamState(input_tools=openai.omit, text_format=openai.omit)
        for event in stream:
            answer.items.append(event)
            with warnings.catch_warnings():  # of the SDK's about what OpenAI itself sends: see official.py
                warnings.filterwarnings("ignore", "Pydantic serializer warnings")
                responses.handle_event(event)
            answer.value = getattr(event, "response", answer.value)
        return
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for chunk in stream:
        answer.items.append(chunk)
        if operation == "chat":
            state.handle_chunk(chunk)
            answer.value = state.current_completion_snapshot
