"""OpenAI's Responses API as clients speak it.

The gateway keeps nothing between two calls: what refers to an earlier one reaches a provider that speaks Responses
itself, and is refused elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.delivered import Delivered
from app.core.errors import GatewayError, invalid
from app.core.json import Json, dumps
from app.core.language import Language, Translation
from app.core.replay import Replay
from app.core.wire import Ask, Frame, Operation
from app.surfaces.checks import (
    AT_LEAST_0,
    AT_LEAST_1,
    FLAG,
    NUMBER,
    OBJECT,
    OBJECTS,
    STRINGS,
    TEXT,
    TEXT_OR_LIST,
    TEXT_OR_OBJECT,
    TEXTS,
    Rule,
    check_fields,
)
from app.surfaces.openai import OPENAI_LANGUAGES
from app.surfaces.replay_responses import ResponsesReplay
from app.surfaces.responses_answer import Outline, response
from app.surfaces.responses_request import to_chat
from app.surfaces.responses_stream import ResponseWriter
from app.surfaces.through_chat import ThroughChat

RULES: Mapping[str, Rule] = {
    "input": TEXT_OR_LIST,
    "instructions": TEXT_OR_LIST,
    "max_output_tokens": AT_LEAST_1,
    "temperature": NUMBER,
    "top_p": NUMBER,
    "top_logprobs": AT_LEAST_0,
    "tools": OBJECTS,
    "tool_choice": TEXT_OR_OBJECT,
    "parallel_tool_calls": FLAG,
    "reasoning": OBJECT,
    "text": OBJECT,
    "include": TEXTS,
    "metadata": STRINGS,
    "store": FLAG,
    "stream_options": OBJECT,
    "background": FLAG,
    "previous_response_id": TEXT,
    "conversation": TEXT_OR_OBJECT,
    "prompt": OBJECT,
    "truncation": TEXT,
    "user": TEXT,
    "safety_identifier": TEXT,
    "prompt_cache_key": TEXT,
}

_CHAT: Language = OPENAI_LANGUAGES["/v1/chat/completions"]

#: What may stand for an input.
_INSTEAD_OF_INPUT = ("previous_response_id", "conversation", "prompt")

#: Fields of chat by what they are called here, for what is said of a request that was translated.
_CALLED: Mapping[str, str] = {
    "messages": "input",
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
    "verbosity": "text.verbosity",
    "logprobs": "include",
}


@dataclass(frozen=True, slots=True)
class ResponsesLanguage:
    operation: Operation = Operation.RESPONSES
    done: bytes = b""  # response.completed is an event like any other
    carried_by_chat: bool = True

    def check(self, body: Json) -> None:
        check_fields(body, RULES)
        given = body.get("input")
        if given is None and not any(body.get(name) for name in _INSTEAD_OF_INPUT):
            raise invalid("'input' is missing", "input")
        for place, item in enumerate(given if isinstance(given, list) else ()):
            if not isinstance(item, dict):
                raise invalid("an item of the input must be an object", f"input[{place}]")
        if body.get("background") and not body.get("stream"):
            message = "the gateway cannot be asked later for an answer that is made in the background; stream it"
            raise invalid(message, "background", code="unsupported_value")

    def wants_usage(self, body: Json) -> bool:
        return True

    def render(self, frame: Frame) -> bytes:
        return b"event: %s\ndata: %s\n\n" % ((frame.event or "message").encode(), dumps(frame.data))

    def error(self, error: GatewayError, call_id: str) -> Json:
        made = _CHAT.error(error, call_id)
        head, dot, rest = (error.param or "").partition("[")
        made["error"]["param"] = _CALLED.get(head, head) + dot + rest if error.param else None
        return made

    def error_event(self, error: GatewayError, call_id: str, after: Sequence[Frame] = ()) -> bytes:
        """In the official form; and with an `error` beside it, without which the SDK would go on reading."""
        told = self.error(error, call_id)["error"]
        number = next((f.data["sequence_number"] for f in reversed(after) if f.data), -1) + 1
        data = {"type": "error", **{name: told[name] for name in ("code", "message", "param")}}
        return b"event: error\ndata: %s\n\n" % dumps({**data, "sequence_number": number, "error": told})

    def delivered(self) -> Delivered | None:
        return None  # its items have ids, which no other answer would have again

    def replay(self) -> Replay | None:
        return ResponsesReplay()

    def unaided(self, body: Json) -> Frame | None:
        return None

    def through_chat(self, ask: Ask) -> Translation:
        outline = Outline(ask.body, ask.created)
        written = to_chat(ask.body, marks=ask.marks)
        return ThroughChat(ask, written, _CALLED, ResponseWriter(outline), lambda frame: response(frame, outline))


RESPONSES = ResponsesLanguage()
