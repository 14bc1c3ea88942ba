"""What clients of OpenAI's SDKs speak, and how they are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.delivered import Delivered
from app.core.errors import ErrorType, GatewayError
from app.core.json import Json, dumps
from app.core.language import Language, Translation
from app.core.replay import Replay
from app.core.wire import Ask, Frame, Operation
from app.surfaces.checks import (
    AT_LEAST_0,
    AT_LEAST_1,
    FLAG,
    NEVER,
    NUMBER,
    OBJECT,
    OBJECTS,
    TEXT,
    TEXT_OR_LIST,
    TEXT_OR_OBJECT,
    TEXTS,
    WHOLE,
    Rule,
    check_documents,
    check_fields,
    check_input,
    check_messages,
)
from app.surfaces.delivered import ChatDelivered
from app.surfaces.replay_chat import ChatReplay
from app.surfaces.replay_text import TextReplay

_TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}

_GENERATING: Mapping[str, Rule] = {
    "stream": FLAG,
    "stream_options": OBJECT,
    "n": AT_LEAST_1,
    "max_tokens": AT_LEAST_0,
    "temperature": NUMBER,
    "top_p": NUMBER,
    "presence_penalty": NUMBER,
    "frequency_penalty": NUMBER,
    "stop": TEXTS,
    "seed": WHOLE,
    "logit_bias": OBJECT,
    "user": TEXT,
}

_CHAT: Mapping[str, Rule] = {
    **_GENERATING,
    "max_completion_tokens": AT_LEAST_0,
    "tools": OBJECTS,
    "tool_choice": TEXT_OR_OBJECT,
    "parallel_tool_calls": FLAG,
    "functions": OBJECTS,
    "function_call": TEXT_OR_OBJECT,
    "response_format": OBJECT,
    "logprobs": FLAG,
    "top_logprobs": AT_LEAST_0,
    "modalities": TEXTS,
}

_COMPLETIONS: Mapping[str, Rule] = {
    **_GENERATING,
    "prompt": TEXT_OR_LIST,
    "best_of": AT_LEAST_1,
    "echo": FLAG,
    "suffix": TEXT,
}

_EMBEDDINGS: Mapping[str, Rule] = {"stream": NEVER, "encoding_format": TEXT, "dimensions": AT_LEAST_1, "user": TEXT}

_MODERATIONS: Mapping[str, Rule] = {"stream": NEVER}

_RERANK: Mapping[str, Rule] = {"stream": NEVER, "query": TEXT, "top_n": AT_LEAST_1, "return_documents": FLAG}


@dataclass(frozen=True, slots=True)
class OpenAI:
    """One of OpenAI's endpoints. Its languages are the canonical ones: no translation leads into or out of them."""

    operation: Operation
    rules: Mapping[str, Rule]
    done: bytes = b"data: [DONE]\n\n"
    carried_by_chat: bool = False

    def check(self, body: Json) -> None:
        if self.operation is Operation.CHAT:
            check_messages(body.get("messages"))
        elif self.operation is Operation.RERANK:  # no endpoint of OpenAI's: the form that its providers have in common
            check_input(body, "query")
            check_documents(body.get("documents"))
        elif self.operation is not Operation.COMPLETIONS:  # a completion without a prompt starts a new document
            check_input(body, "input")
        check_fields(body, self.rules)

    def wants_usage(self, body: Json) -> bool:
        options = body.get("stream_options")
        return isinstance(options, dict) and options.get("include_usage") is True

    def render(self, frame: Frame) -> bytes:
        return b"data: " + dumps(frame.data) + b"\n\n"

    def error(self, error: GatewayError, call_id: str) -> Json:
        return {
            "error": {
                "message": error.message,
                "type": _TYPES.get(error.status, "api_error"),
                "param": error.param,
                "code": error.code,
            }
        }

    def error_event(self, error: GatewayError, call_id: str, after: Sequence[Frame] = ()) -> bytes:
        return b"data: " + dumps(self.error(error, call_id)) + b"\n\n"

    def delivered(self) -> Delivered | None:
        return ChatDelivered() if self.operation is Operation.CHAT else None

    def unaided(self, body: Json) -> Frame | None:
        return None

    def replay(self) -> Replay | None:
        if self.operation is Operation.CHAT:
            return ChatReplay()
        return TextReplay() if self.operation is Operation.COMPLETIONS else None

    def through_chat(self, ask: Ask) -> Translation:
        raise GatewayError(ErrorType.NO_PROVIDER, f"no provider of this model speaks {ask.operation}")


#: Path -> language.
OPENAI_LANGUAGES: Mapping[str, Language] = {
    "/v1/chat/completions": OpenAI(Operation.CHAT, _CHAT),
    "/v1/completions": OpenAI(Operation.COMPLETIONS, _COMPLETIONS),
    "/v1/embeddings": OpenAI(Operation.EMBEDDINGS, _EMBEDDINGS),
    "/v1/moderations": OpenAI(Operation.MODERATIONS, _MODERATIONS),
    "/v1/rerank": OpenAI(Operation.RERANK, _RERANK),
}
