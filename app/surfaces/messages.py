"""Anthropic's Messages API as clients speak it, and its count_tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.delivered import Delivered
from app.core.errors import ErrorType, GatewayError, invalid
from app.core.json import Json, dumps
from app.core.language import Translation
from app.core.replay import Replay
from app.core.wire import Ask, Frame, Operation
from app.surfaces.delivered import MessagesDelivered
from app.surfaces.estimate import estimate_tokens
from app.surfaces.messages_answer import message
from app.surfaces.messages_request import to_chat
from app.surfaces.messages_stream import MessageWriter
from app.surfaces.replay_messages import MessagesReplay
from app.surfaces.through_chat import ThroughChat

_TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_ROLES = ("user", "assistant", "system")

#: Codes that make Anthropic's SDK send a conversation anew that it had left with the server.
_ACTED_UPON = frozenset(
    {"thread_unsupported_request", "thread_not_found", "thread_already_continued", "thread_continue_in_flight"}
)


#: Fields of chat by what they are called here.
_CALLED: Mapping[str, str] = {
    "max_completion_tokens": "max_tokens",
    "reasoning_effort": "thinking",
    "response_format": "output_config",
    "stop": "stop_sequences",
    "user": "metadata",
}


@dataclass(frozen=True, slots=True)
class MessagesLanguage:
    """One of the two: `operation` is MESSAGES or COUNT_TOKENS."""

    operation: Operation = Operation.MESSAGES
    done: bytes = b""  # message_stop is an event like any other

    @property
    def carried_by_chat(self) -> bool:
        return self.operation is Operation.MESSAGES

    def check(self, body: Json) -> None:
        if self.operation is Operation.MESSAGES:
            limit = body.get("max_tokens")
            if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
                raise invalid("max_tokens must be a whole number of at least 1", "max_tokens")
        elif body.get("stream"):
            raise invalid("stream must be false or left out: tokens are counted in one piece", "stream")
        if not isinstance(body.get("system"), str | list | None):
            raise invalid("system must be a string or a list of text blocks", "system")
        for name in ("tools", "stop_sequences"):
            if not isinstance(body.get(name), list | None):
                raise invalid(f"{name} must be a list", name)
        for name in ("metadata", "output_config", "thinking", "tool_choice"):
            if not isinstance(body.get(name), dict | None):
                raise invalid(f"{name} must be an object", name)
        _check_messages(body.get("messages"))

    def wants_usage(self, body: Json) -> bool:
        return True

    def render(self, frame: Frame) -> bytes:
        return b"event: %s\ndata: %s\n\n" % ((frame.event or "message").encode(), dumps(frame.data))

    def error(self, error: GatewayError, call_id: str) -> Json:
        kind = "overloaded_error" if error.type is ErrorType.OVERLOADED else _TYPES.get(error.status, "api_error")
        told: Json = {"type": kind, "message": error.message}
        if error.code in _ACTED_UPON:
            told["details"] = {"error_code": error.code}
        return {"type": "error", "error": told, "request_id": call_id}

    def error_event(self, error: GatewayError, call_id: str, after: Sequence[Frame] = ()) -> bytes:
        return b"event: error\ndata: %s\n\n" % dumps(self.error(error, call_id))

    def delivered(self) -> Delivered | None:
        return MessagesDelivered() if self.operation is Operation.MESSAGES else None

    def unaided(self, body: Json) -> Frame | None:
        if self.operation is Operation.MESSAGES:
            return None
        return Frame({"input_tokens": estimate_tokens(body)}, last=True)

    def replay(self) -> Replay | None:
        return MessagesReplay() if self.operation is Operation.MESSAGES else None

    def through_chat(self, ask: Ask) -> Translation:
        written = to_chat(ask.body, marks=ask.marks)
        writer = MessageWriter(written.names)
        return ThroughChat(ask, written, _CALLED, writer, lambda frame: message(frame, written.names))


MESSAGES = MessagesLanguage()
COUNT_TOKENS = MessagesLanguage(Operation.COUNT_TOKENS)


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise invalid("messages must be a list with at least one message", "messages")
    for at, message_ in enumerate(messages):
        if not isinstance(message_, dict):
            raise invalid("a message must be an object", f"messages[{at}]")
        if message_.get("role") not in _ROLES:
            raise invalid(f"role must be one of {', '.join(_ROLES)}", f"messages[{at}].role")
        if not isinstance(message_.get("content"), str | list):
            raise invalid("content must be a string or a list of blocks", f"messages[{at}].content")
