"""What the tests of the Gemini dialect are given: providers, requests on their way out, answers on their way back."""

from __future__ import annotations

from typing import Any

from app.core.json import Json
from app.core.provider import Provider
from app.core.wire import Ask, Frame, UpstreamRequest
from app.providers import registry
from app.providers.gemini_request import to_generate
from tests.providers.talk import asking, feed, shown

OLD, NEW = "gemini-2.5-flash", "gemini-3-pro-preview"

WEATHER: Json = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "How warm?",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def provider(**more: Any) -> Provider:
    return registry.build("google", "gemini", key="AIza-of-ours", **more)


def sent(model: str = OLD, **body: Any) -> Json:
    """The body that goes to Gemini."""
    body.setdefault("messages", [{"role": "user", "content": "Hi"}])
    return to_generate({"model": "public", **body}, model)[0]


def lost(model: str = OLD, **body: Any) -> tuple[str, ...]:
    body.setdefault("messages", [{"role": "user", "content": "Hi"}])
    return to_generate({"model": "public", **body}, model)[1]


def encoded(ask: Ask, to: Provider | None = None, model: str = OLD) -> UpstreamRequest:
    to = to or provider()
    return to.dialect.encode(ask, to, model)


def answer(*parts: Json, reason: str | int | None = "STOP", usage: Json | None = None, **more: Any) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if reason is not None:
        candidate["finishReason"] = reason
    counts = {"promptTokenCount": 10, "candidatesTokenCount": 7, "totalTokenCount": 17}
    return {"candidates": [candidate], "usageMetadata": usage or counts, "modelVersion": OLD, "responseId": "x", **more}


def called(name: str, signature: str | None = None, **args: Any) -> Json:
    part: Json = {"functionCall": {"name": name, "args": args}}
    return {**part, "thoughtSignature": signature} if signature else part


def read(*answers: Json | bytes, of: Ask | None = None) -> list[Frame]:
    """All frames of a stream that ends after these answers."""
    by = provider()
    reader = by.dialect.reader(of or asking(), by)
    frames = feed(reader, *answers)
    assert reader.complete
    return [*frames, *reader.end()]


def streamed(*answers: Json | bytes, of: Ask | None = None) -> list[Json]:
    """What the client gets of it, officially validated."""
    return shown(read(*answers, of=of))
