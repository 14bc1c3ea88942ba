"""One exchange with a provider's dialect, without a network: bytes in, frames out, all of them validated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openai.types import Completion, CreateEmbeddingResponse, ModerationCreateResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response
from pydantic import TypeAdapter

from app.core.json import Json, dumps, loads
from app.core.provider import Provider, Reader
from app.core.wire import Ask, Event, Frame, Operation
from app.providers import registry

CREATED = 1_700_000_000
WHOLE: dict[Operation, TypeAdapter[Any]] = {
    Operation.CHAT: TypeAdapter(ChatCompletion),
    Operation.COMPLETIONS: TypeAdapter(Completion),
    Operation.EMBEDDINGS: TypeAdapter(CreateEmbeddingResponse),
    Operation.MODERATIONS: TypeAdapter(ModerationCreateResponse),
    Operation.RESPONSES: TypeAdapter(Response),
}
CHUNK: TypeAdapter[Any] = TypeAdapter(ChatCompletionChunk)


def provider(kind: str = "openai", base_url: str | None = None, **more: Any) -> Provider:
    return registry.build(kind, kind, base_url=base_url or "https://api.example/v1", key="sk-the-house-key", **more)


def ask(operation: Operation = Operation.CHAT, *, stream: bool = False, wants_usage: bool = False, **body: Any) -> Ask:
    if operation is Operation.CHAT:
        body.setdefault("messages", [{"role": "user", "content": "Hello"}])
    return Ask(
        operation=operation,
        body={"model": "public", **body},
        stream=stream,
        wants_usage=wants_usage,
        created=CREATED,
        id="req_1",
    )


def asking(**body: Any) -> Ask:
    """For a stream of chat that shows its usage."""
    return ask(stream=True, wants_usage=True, **body)


def whole(body: Json, of: Ask | None = None, kind: str = "openai") -> Frame:
    """The frame of a plain answer, after it has held the official type."""
    of = of or ask()
    return official(decoded(body, of, kind), of.operation)


def decoded(body: Json, of: Ask, kind: str = "openai") -> Frame:
    by = provider(kind)
    return by.dialect.decode(of, by, loads(dumps(body)))


def official(frame: Frame, operation: Operation) -> Frame:
    """The same frame, if it holds the official type."""
    shown = loads(dumps(frame.data))
    for item in shown.get("data", ()):
        if isinstance(item["embedding"], str):  # the SDK decodes it before it looks
            item["embedding"] = [0.0]
    WHOLE[operation].validate_json(dumps(shown), strict=True)
    return frame


def reader(of: Ask | None = None, kind: str = "openai") -> Reader:
    by = provider(kind)
    return by.dialect.reader(of or ask(stream=True), by)


def feed(to: Reader, *chunks: Json | bytes) -> list[Frame]:
    """The frames of some events; bytes travel as they are."""
    frames: list[Frame] = []
    for chunk in chunks:
        frames += to.feed(Event(chunk if isinstance(chunk, bytes) else dumps(chunk)))
    return frames


def shown(frames: Sequence[Frame]) -> list[Json]:
    """What the client gets, after each chunk of chat has held the official type."""
    chunks = [loads(dumps(frame.data)) for frame in frames if frame.data is not None]
    for each in chunks:
        if each["object"] == "chat.completion.chunk":
            CHUNK.validate_json(dumps(each), strict=True)
    return chunks


def streamed(*chunks: Json | bytes, of: Ask | None = None, kind: str = "openai") -> list[Json]:
    """What the client gets of a whole stream."""
    return shown(feed(reader(of, kind), *chunks, b"[DONE]"))


def chunk(delta: Json | None = None, finish: str | None = None, index: int = 0, **more: Any) -> Json:
    """A chunk as OpenAI sends it; `more` replaces what is at its top."""
    choice = {"index": index, "delta": {} if delta is None else delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_752_731_406,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [choice],
        **more,
    }


def completion(message: Json, finish: str | None = "stop", **more: Any) -> Json:
    """A plain answer as OpenAI sends it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_752_731_406,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
        **more,
    }


def call(
    name: str | None = None, arguments: str | None = "", index: int | None = 0, call_id: str | None = None
) -> Json:
    """A fragment of a tool call, with what is given and nothing else."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    fragment: Json = {"function": function}
    if index is not None:
        fragment["index"] = index
    if call_id is not None:
        fragment |= {"id": call_id, "type": "function"}
    return fragment


def calls_of(chunks: Sequence[Json]) -> list[tuple[str, str, str]]:
    """Id, name and arguments of each call, added up as the official SDK does it: every text it finds is joined."""
    calls: dict[int, list[str]] = {}
    for each in chunks:
        for choice in each["choices"]:
            for fragment in choice["delta"].get("tool_calls") or ():
                parts = calls.setdefault(fragment["index"], ["", "", ""])
                parts[0] += fragment.get("id") or ""
                parts[1] += fragment["function"].get("name") or ""
                parts[2] += fragment["function"].get("arguments") or ""
    return [(name, function, arguments) for name, function, arguments in (calls[index] for index in sorted(calls))]


def finishes_of(chunks: Sequence[Json]) -> list[str]:
    return [c["finish_reason"] for each in chunks for c in each["choices"] if c.get("finish_reason") is not None]


def text_of(chunks: Sequence[Json], name: str = "content") -> str:
    return "".join(c["delta"].get(name) or "" for each in chunks for c in each["choices"])
