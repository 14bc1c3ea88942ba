"""Where changing begins: a good body for every path, and a good answer of every kind of provider.

Each is as rich as it can be, so that what is changed in it is read by somebody.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.core.json import Json, dumps
from app.core.provider import Provider
from app.core.wire import Framing, UpstreamRequest
from tests.fuzz.house import Said
from tests.providers import anthropic_given, gemini_given, responses_given
from tests.providers.test_natives_any import CHATTED, CONVERSED, EVENTS, FRAMES, RANKS, VECTORS
from tests.providers.test_openai_any_answer import ANSWER, CHUNKS, TEXT
from tests.standin.eventstream import exception, frame

_EXCEPTION = "exception:"

_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "city": {"type": ["string", "null"], "enum": ["Rome", None], "description": "a", "minLength": 1},
        "days": {"anyOf": [{"type": "integer", "minimum": 1}, {"$ref": "#/$defs/days"}], "default": 1},
        "more": {"type": "array", "items": {"type": "object", "additionalProperties": False}, "maxItems": 3},
    },
    "required": ["city"],
    "$defs": {"days": {"allOf": [{"const": 2}, {"not": {"const": 3}}]}},
    "additionalProperties": False,
}
_PNG = "data:image/png;base64,iVBORw0KGgo="
_CALL: Json = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": ["Rome"]}'}}
CHAT: Json = {
    "model": "m",
    "stream": False,
    "messages": [
        {"role": "system", "content": "Be short."},
        {
            "role": "user",
            "name": "ann",
            "content": [
                {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": _PNG, "detail": "low"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [_CALL],
            "thinking_blocks": [{"type": "thinking", "thinking": "t", "signature": "s"}],
            "reasoning_content": "t",
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "21"},
        {"role": "user", "content": "And now?"},
    ],
    "tools": [
        {"type": "function", "function": {"name": "weather", "description": "d", "parameters": _SCHEMA, "strict": True}}
    ],
    "tool_choice": {"type": "function", "function": {"name": "weather"}},
    "parallel_tool_calls": True,
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": _SCHEMA, "strict": True}},
    "reasoning_effort": "low",
    "temperature": 0.5,
    "top_p": 0.9,
    "stop": ["END"],
    "max_completion_tokens": 50,
    "seed": 7,
    "user": "u",
    "metadata": {"a": "b"},
    "stream_options": {"include_usage": True},
}
MESSAGES: Json = {
    "model": "m",
    "max_tokens": 4096,
    "stream": False,
    "system": [{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}, "title": "t"},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "is_error": False,
                    "content": [{"type": "text", "text": "21"}],
                },
                {"type": "text", "text": "And now?"},
            ],
        },
    ],
    "tools": [{"name": "weather", "description": "d", "input_schema": _SCHEMA}],
    "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": _SCHEMA}},
    "stop_sequences": ["END"],
    "temperature": 1,
    "metadata": {"user_id": "u"},
}
RESPONSES: Json = {
    "model": "m",
    "stream": False,
    "instructions": "Be short.",
    "input": [
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "Hi"}, {"type": "input_image", "image_url": _PNG}],
        },
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "t"}]},
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city": ["Rome"]}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "21"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a", "annotations": []}]},
        {"role": "user", "content": "And now?"},
    ],
    "tools": [{"type": "function", "name": "weather", "parameters": _SCHEMA, "strict": True}],
    "tool_choice": {"type": "function", "name": "weather"},
    "text": {"format": {"type": "json_schema", "name": "x", "schema": _SCHEMA}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "max_output_tokens": 50,
    "temperature": 0.5,
    "metadata": {"a": "b"},
    "store": False,
}

#: Path -> bodies.
ASKS: Mapping[str, tuple[Json, ...]] = {
    "/v1/chat/completions": (CHAT, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}),
    "/v1/completions": ({"model": "m", "prompt": ["Hi"], "max_tokens": 5, "n": 1, "stop": "x", "logprobs": 1},),
    "/v1/embeddings": ({"model": "m", "input": ["Hi", "Ho"], "dimensions": 8, "encoding_format": "float"},),
    "/v1/moderations": ({"model": "m", "input": [{"type": "text", "text": "Hi"}]},),
    "/v1/rerank": (
        {"model": "m", "query": "a", "documents": ["a b", {"text": "b"}], "top_n": 1, "return_documents": True},
    ),
    "/v1/responses": (RESPONSES, {"model": "m", "input": "Hi", "stream": True}),
    "/v1/messages": (
        MESSAGES,
        {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}], "stream": True},
    ),
    "/v1/messages/count_tokens": ({name: MESSAGES[name] for name in ("model", "system", "messages", "tools")},),
}
PATHS = tuple(ASKS)

#: What is asked of a provider, by its kind -> a plain answer.
PLAIN: Mapping[str, Mapping[str, Json]] = {
    "openai": {
        "chat": ANSWER,
        "completions": TEXT,
        "embeddings": {"data": [{"index": 0, "embedding": [0.5]}], "model": "m", "usage": {"prompt_tokens": 1}},
        "moderations": {"id": "x", "model": "m", "results": [{"flagged": False, "categories": {"hate": False}}]},
        "rerank": RANKS,
        "responses": responses_given.RESPONSE,
    },
    "anthropic": {
        "messages": anthropic_given.message(
            {"type": "thinking", "thinking": "t", "signature": "s"},
            {"type": "text", "text": "a", "citations": None},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}},
            reason="tool_use",
            cache_read_input_tokens=1,
        ),
        "count_tokens": {"input_tokens": 5},
    },
    "gemini": {
        "chat": gemini_given.answer(
            {"text": "t", "thought": True, "thoughtSignature": "cw=="},
            {"text": "a"},
            gemini_given.called("weather", "cw==", city="Rome"),
            promptFeedback={"safetyRatings": []},
        ),
        "embeddings": {
            "embeddings": [{"values": [0.5]}],
            "predictions": [{"embeddings": {"values": [0.5], "statistics": {"token_count": 1}}}],
            "usageMetadata": {"promptTokenCount": 1},
        },
    },
    "bedrock": {"chat": CONVERSED, "embeddings": VECTORS, "rerank": RANKS},
    "cohere": {"chat": CHATTED, "embeddings": VECTORS, "rerank": RANKS},
}

Named = tuple[str | None, Json | bytes]  # an event, and its name where it has one

_TEXT_CHUNKS: list[Json] = [
    {**TEXT, "choices": [{"text": "a", "index": 0, "finish_reason": None, "logprobs": None}], "usage": None},
    {**TEXT, "choices": [{"text": "b", "index": 0, "finish_reason": "stop", "logprobs": None}]},
]
_RESPONDING = (responses_given.CREATED, responses_given.ADDED, responses_given.DELTA, responses_given.COMPLETED)
_CLAUDE = [
    anthropic_given.started(cache_read_input_tokens=1),
    anthropic_given.event("ping"),
    *anthropic_given.block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "t"},
        {"type": "signature_delta", "signature": "s"},
    ),
    *anthropic_given.text(1, "a", "b"),
    *anthropic_given.tool(2, "weather", '{"city":', '"Rome"}'),
    *anthropic_given.ended("tool_use"),
]

#: The same in events.
STREAMS: Mapping[str, Mapping[str, tuple[Named, ...]]] = {
    "openai": {
        "chat": (*((None, chunk) for chunk in CHUNKS), (None, b"[DONE]")),
        "completions": (*((None, chunk) for chunk in _TEXT_CHUNKS), (None, b"[DONE]")),
        "responses": tuple((event["type"], event) for event in _RESPONDING),
    },
    "anthropic": {"messages": tuple(((event.name or b"").decode(), event.data) for event in _CLAUDE)},
    "gemini": {
        "chat": (
            (None, gemini_given.answer({"text": "t", "thought": True}, reason=None)),
            (None, gemini_given.answer({"text": "a"}, reason=None)),
            (None, gemini_given.answer(gemini_given.called("weather", "cw==", city="Rome"))),
        )
    },
    "bedrock": {"chat": tuple((name.decode(), data) for name, data in FRAMES)},
    "cohere": {"chat": (*((None, event) for event in EVENTS), (None, b"[DONE]"))},
}

_FAMILIES = {"anthropic": "anthropic", "gemini": "gemini", "vertex": "gemini", "bedrock": "bedrock", "cohere": "cohere"}


def family(kind: str) -> str:
    return _FAMILIES.get(kind, "openai")


def asked(kind: str, url: str) -> str:
    """What a request to a provider is about, by where it goes."""
    last = url.partition("?")[0].rpartition("/")[2].rpartition(":")[2]
    if last == "completions":
        return "chat" if "/chat/" in url else "completions"
    known = {"embed": "embeddings", "batchEmbedContents": "embeddings", "predict": "embeddings", "invoke": "embeddings"}
    known |= dict.fromkeys(("chat", "converse", "converse-stream", "generateContent", "streamGenerateContent"), "chat")
    return known.get(last, last)


def well(provider: Provider, request: UpstreamRequest) -> Said:
    """A good answer to whatever it was."""
    about, kind = asked(provider.kind, request.url), family(provider.kind)
    if about == "embeddings" and kind == "bedrock" and "documents" in request.body:
        about = "rerank"
    if not request.stream:
        return Said((dumps(PLAIN[kind][about]),))
    return Said((framed(written(STREAMS[kind][about]), request.framing),))


def good(kind: str, about: str, *, stream: bool) -> bytes:
    """A good answer, where it is a stream in server-sent events."""
    events = STREAMS[family(kind)].get(about) if stream else None
    return dumps(PLAIN[family(kind)][about]) if events is None else written(events)


def written(events: tuple[Named, ...]) -> bytes:
    """As server-sent events, whatever the provider's own form is."""
    lines = []
    for name, data in events:
        said = data if isinstance(data, bytes) else dumps(data)
        lines.append((b"event: %s\n" % name.encode() if name else b"") + b"data: %s\n\n" % said)
    return b"".join(lines)


def framed(stream: bytes, framing: Framing) -> bytes:
    """In the form that was asked for: AWS's has checksums, which nothing that is changed at random would hold."""
    return stream if framing is Framing.SSE else frames(stream)


def frames(stream: bytes) -> bytes:
    """Blocks of server-sent events as AWS's frames; what is no block is passed on as it is."""
    made = []
    for block in stream.split(b"\n\n"):
        name, found, data = block.partition(b"\ndata: ")
        named = name.removeprefix(b"event: ").decode("latin-1")
        if not found or len(named) > 200:
            made.append(block)
        elif named.startswith(_EXCEPTION):
            made.append(exception(named.removeprefix(_EXCEPTION), data))
        else:
            made.append(frame(named, data))
    return b"".join(made)
