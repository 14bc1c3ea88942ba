"""The dialect of OpenAI and of the many who speak as it does; what tells them apart is data (`Quirks`, `paths`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json
from app.core.provider import Provider, Reader
from app.core.wire import Ask, Frame, Operation, UpstreamRequest
from app.providers.openai_chat import chat_answer
from app.providers.openai_chat_stream import ChatReader
from app.providers.openai_errors import failed, refused
from app.providers.openai_faults import Failed
from app.providers.openai_responses import ResponsesReader, response_answer, without_strangers
from app.providers.openai_text import TextReader, text_answer
from app.providers.openai_vectors import embeddings_answer, moderations_answer
from app.providers.quirks import Quirks, shape
from app.providers.rerank import rerank_answer
from app.providers.signatures import leave_out

PATHS: Mapping[Operation, str] = {
    Operation.CHAT: "/chat/completions",
    Operation.COMPLETIONS: "/completions",
    Operation.EMBEDDINGS: "/embeddings",
    Operation.MODERATIONS: "/moderations",
    Operation.RERANK: "/rerank",
    Operation.RESPONSES: "/responses",
}

#: Where an operation of a model is: of the provider, the operation's path, the model.
Locate = Callable[[Provider, str, str], str]


def under_base(provider: Provider, path: str, model: str) -> str:
    return provider.base_url + path


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIDialect:
    """One accent. `paths` are those that differ from PATHS."""

    native: frozenset[Operation] = frozenset({Operation.CHAT})
    marks: bool = False
    quirks: Quirks = field(default_factory=Quirks)
    paths: Mapping[Operation, str] = field(default_factory=dict)
    locate: Locate = under_base

    def encode(self, ask: Ask, provider: Provider, model: str) -> UpstreamRequest:
        operation = ask.operation
        if operation not in self.native:
            has = ", ".join(sorted(self.native))
            raise GatewayError(
                ErrorType.MODEL_NOT_FOUND, f"{provider.name} has no {operation}, only {has}", provider=provider.name
            )
        body = {**ask.body, "model": model}
        if ask.stream:
            body["stream"] = True
            if self.quirks.asks_usage and operation is not Operation.RESPONSES:
                given = body.get("stream_options")
                body["stream_options"] = {**(given if isinstance(given, dict) else {}), "include_usage": True}
        return UpstreamRequest(
            url=self.locate(provider, self.paths.get(operation) or PATHS[operation], model),
            headers=provider.headers,
            body=body,
            stream=ask.stream,
            dropped=(
                without_strangers(body)
                if operation is Operation.RESPONSES
                else (*leave_out(body, model), *shape(body, operation, self.quirks, provider.name))
            ),
        )

    def decode(self, ask: Ask, provider: Provider, body: Json) -> Frame:
        try:
            if ask.operation is Operation.CHAT:
                return chat_answer(ask, body)
            if ask.operation is Operation.COMPLETIONS:
                return text_answer(ask, body)
            if ask.operation is Operation.RESPONSES:
                return response_answer(ask, body)
            if ask.operation is Operation.EMBEDDINGS:
                return embeddings_answer(ask, body, self.quirks.int8_embeddings)
            if ask.operation is Operation.RERANK:
                return rerank_answer(ask, body)
            return moderations_answer(ask, body)
        except Failed as error:
            raise failed(provider, error.said) from error

    def reader(self, ask: Ask, provider: Provider) -> Reader:
        def fail(said: object) -> GatewayError:
            return failed(provider, said)

        if ask.operation is Operation.RESPONSES:
            return ResponsesReader(ask, fail)
        return TextReader(ask, fail) if ask.operation is Operation.COMPLETIONS else ChatReader(ask, fail)

    def decode_error(self, provider: Provider, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        return refused(provider, status, headers, body)
