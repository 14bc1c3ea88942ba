"""Google's Gemini, by an API key of AI Studio; and what Vertex AI does alike."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from app.core.errors import GatewayError, invalid
from app.core.json import Json
from app.core.provider import Provider, Reader
from app.core.wire import Ask, Frame, Operation, UpstreamRequest
from app.providers import gemini_vectors as vectors
from app.providers.errors import complaint
from app.providers.gemini_answer import completion
from app.providers.gemini_errors import decoded
from app.providers.gemini_request import to_generate
from app.providers.gemini_stream import ChatReader
from app.providers.row import Feature, Row


class GeminiDialect:
    native = frozenset({Operation.CHAT, Operation.EMBEDDINGS})
    marks = False

    def encode(self, ask: Ask, provider: Provider, model: str) -> UpstreamRequest:
        if ask.operation not in self.native:
            raise invalid(f"{provider.name} has no {ask.operation}", "model", code="unsupported")
        if ask.operation is Operation.EMBEDDINGS:
            body, dropped = self.embeddings(ask.body, model)
            return UpstreamRequest(
                self.url(provider, model, self.embedding_verb), provider.headers, body, False, dropped
            )
        body, dropped = to_generate(ask.body, model)
        verb = "streamGenerateContent?alt=sse" if ask.stream else "generateContent"
        return UpstreamRequest(self.url(provider, model, verb), provider.headers, body, ask.stream, dropped)

    def decode(self, ask: Ask, provider: Provider, body: Json) -> Frame:
        try:
            if ask.operation is Operation.EMBEDDINGS:
                return self.embedded(ask, body)
            return completion(ask, provider, body)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an answer of Gemini's") from error

    def reader(self, ask: Ask, provider: Provider) -> Reader:
        def failed(body: bytes) -> GatewayError:
            return self.decode_error(provider, complaint(body).status or 500, {}, body)

        return ChatReader(ask, provider, failed)

    def decode_error(self, provider: Provider, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        return decoded(provider, status, headers, body)

    # What differs on Vertex.

    embedding_verb = "batchEmbedContents"

    def url(self, provider: Provider, model: str, verb: str) -> str:
        return f"{provider.base_url}/{_resource(model)}:{verb}"

    def embeddings(self, body: Json, model: str) -> tuple[Json, tuple[str, ...]]:
        return vectors.to_batch(body, _resource(model))

    def embedded(self, ask: Ask, body: Json) -> Frame:
        return vectors.batch_answer(ask, body)


def segments(model: str) -> str:
    """A model's name as a part of a path: what a caller writes can leave neither its place nor the host."""
    return "/".join(quote(each, safe="") for each in model.split("/") if each not in ("", ".", ".."))


def _resource(model: str) -> str:
    """`gemini-2.5-pro` and `models/gemini-2.5-pro` are one; a tuned model has another beginning."""
    return segments(model if model.startswith(("models/", "tunedModels/")) else f"models/{model}")


def models_url(provider: Provider) -> str:
    return f"{provider.base_url}/models?pageSize=1000"


FEATURES = frozenset(Feature)

ROWS = (
    Row(
        kind="gemini",
        title="Google Gemini",
        dialect=GeminiDialect(),
        base_url="https://generativelanguage.googleapis.com/v1beta",
        path="/v1beta",
        key_header="x-goog-api-key",
        key_scheme="",
        models_url=models_url,
        features=FEATURES,
        docs="https://ai.google.dev/api/generate-content",
    ),
)
