"""What becomes of each field of a request that crosses from one language into another.

Carried: the translation says it in the other language (and names what it cannot say of it). Dropped: the answer is
still the one that was asked for, less finely; the caller is told. Refused: without it the answer would be another one,
so the caller gets a 400 that names the field. A field that stands in no table is dropped. A value that asks for nothing
(null, or what the API assumes anyway) is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from app.core.errors import invalid
from app.core.json import Json


class Fate(Enum):
    CARRY = "carry"
    DROP = "drop"
    REFUSE = "refuse"


CARRY, DROP, REFUSE = Fate
Judge = Callable[[Any], Fate]  # where the fate hangs on the value


def drop_unless(*neutral: Any) -> Judge:
    return lambda value: CARRY if value in neutral else DROP


def refuse_unless(*neutral: Any) -> Judge:
    return lambda value: CARRY if value in neutral else REFUSE


def refuse_json_object(response_format: Any) -> Fate:
    """Text needs nothing and a schema has an equivalent; "some JSON" has none, and a caller would parse prose."""
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    return CARRY if kind in ("text", "json_schema") else REFUSE


#: Fields of an OpenAI chat request, on their way into any language but OpenAI's.
CHAT: Mapping[str, Fate | Judge] = {
    "messages": CARRY,
    "model": CARRY,
    "stream": CARRY,
    "stream_options": CARRY,
    "max_tokens": CARRY,
    "max_completion_tokens": CARRY,
    "stop": CARRY,
    "temperature": CARRY,
    "top_p": CARRY,
    "top_k": CARRY,  # no field of OpenAI's, but clients send it to whoever has it
    "seed": DROP,
    "frequency_penalty": drop_unless(0),
    "presence_penalty": drop_unless(0),
    "logit_bias": refuse_unless({}),
    "logprobs": refuse_unless(False),
    "top_logprobs": refuse_unless(0),
    "n": refuse_unless(1),
    "tools": CARRY,
    "tool_choice": CARRY,
    "parallel_tool_calls": drop_unless(True),
    "functions": refuse_unless([]),
    "function_call": refuse_unless("none", "auto"),
    "response_format": refuse_json_object,
    "reasoning_effort": CARRY,
    "thinking": CARRY,  # Anthropic's own, beside OpenAI's fields: clients of other gateways send it
    "verbosity": drop_unless("medium"),
    "modalities": refuse_unless(["text"], []),
    "audio": REFUSE,
    "prediction": DROP,
    "web_search_options": REFUSE,
    "moderation": REFUSE,
    "user": DROP,
    "safety_identifier": DROP,
    "metadata": drop_unless({}),
    "store": drop_unless(False),
    "service_tier": drop_unless("auto", "default"),
    "cache_control": DROP,  # Anthropic's own too
    "prompt_cache_key": DROP,
    "prompt_cache_options": DROP,
    "prompt_cache_retention": DROP,
    "safety_settings": DROP,  # Gemini's own: what is blocked, and what is not
    "documents": REFUSE,  # Cohere's own: what the answer is to be drawn from
    "citation_options": DROP,  # Cohere's own
    "safety_mode": REFUSE,  # Cohere's own
    "guardrailConfig": REFUSE,  # Bedrock's own, as the two below
    "performanceConfig": DROP,
    "additionalModelRequestFields": DROP,
}

#: Where one language can say more than the others, or less.
BY_DIALECT: Mapping[str, Mapping[str, Fate | Judge]] = {
    "anthropic": {
        "parallel_tool_calls": CARRY,
        "user": CARRY,
        "safety_identifier": CARRY,
        "service_tier": CARRY,
        "cache_control": CARRY,
    },
    "gemini": {
        "seed": CARRY,
        "frequency_penalty": CARRY,
        "presence_penalty": CARRY,
        "logprobs": CARRY,
        "top_logprobs": CARRY,
        "n": CARRY,
        "response_format": CARRY,
        "service_tier": CARRY,
        "safety_settings": CARRY,
    },
    "cohere": {
        "seed": CARRY,
        "frequency_penalty": CARRY,
        "presence_penalty": CARRY,
        "response_format": CARRY,
        "documents": CARRY,
        "citation_options": CARRY,
        "safety_mode": CARRY,
    },
    "bedrock": {
        "user": CARRY,
        "safety_identifier": CARRY,
        "metadata": CARRY,
        "service_tier": CARRY,
        "guardrailConfig": CARRY,
        "performanceConfig": CARRY,
        "additionalModelRequestFields": CARRY,
    },
}

#: Fields of an Anthropic Messages request, on their way to chat: the form that every dialect starts from.
MESSAGES: Mapping[str, Fate | Judge] = {
    "messages": CARRY,
    "model": CARRY,
    "stream": CARRY,
    "system": CARRY,
    "max_tokens": CARRY,
    "stop_sequences": CARRY,
    "temperature": CARRY,
    "top_p": CARRY,
    "top_k": DROP,
    "tools": CARRY,
    "tool_choice": CARRY,
    "thinking": CARRY,
    "output_config": CARRY,
    "output_format": CARRY,  # the beta's name for output_config.format
    "metadata": CARRY,
    "service_tier": drop_unless("auto"),
    "cache_control": DROP,
    "context_management": drop_unless({}),
    "diagnostics": drop_unless({}),
    "speed": drop_unless("standard"),
    "user_profile_id": DROP,
    "fallbacks": DROP,
    "fallback_credit_token": DROP,
    "billing_policy": DROP,
    "workspace_id": DROP,
    "container": REFUSE,
    "compaction": REFUSE,  # asks for a summary instead of an answer
    "thread": REFUSE,  # the rest of the conversation is with Anthropic
    "mcp_servers": refuse_unless([]),
    "inference_geo": REFUSE,  # where data is worked on is a promise that nobody else has made
}

#: Fields of a Responses request, on their way to chat.
RESPONSES: Mapping[str, Fate | Judge] = {
    "input": CARRY,
    "model": CARRY,
    "stream": CARRY,
    "stream_options": CARRY,  # there is no padding to be left out
    "instructions": CARRY,
    "max_output_tokens": CARRY,
    "temperature": CARRY,
    "top_p": CARRY,
    "top_logprobs": CARRY,
    "tools": CARRY,
    "tool_choice": CARRY,
    "parallel_tool_calls": CARRY,
    "reasoning": CARRY,
    "text": CARRY,
    "include": CARRY,
    "metadata": CARRY,  # comes back with the answer, and is for nothing else
    "service_tier": CARRY,
    "user": CARRY,
    "safety_identifier": CARRY,
    "prompt_cache_key": CARRY,
    "prompt_cache_options": CARRY,
    "prompt_cache_retention": CARRY,
    "store": drop_unless(False),  # the answer is the same; who asks for it later is told then
    "truncation": drop_unless("disabled"),  # a conversation that is too long is an error that says so
    "max_tool_calls": DROP,  # of tools that the provider runs, of which there are none
    "context_management": drop_unless([]),
    "image": DROP,
    "access_programs": DROP,
    "background_options": DROP,
    "background": refuse_unless(False),
    "previous_response_id": REFUSE,
    "conversation": REFUSE,
    "prompt": REFUSE,
    "moderation": REFUSE,
}

#: What a caller who is refused can do.
_INSTEAD: Mapping[str, str] = {
    "n": "ask n times",
    "functions": "use tools",
    "function_call": "use tool_choice",
    "response_format": "give a json_schema",
    "thread": "send the whole conversation",
    "background": "leave it out",
    "previous_response_id": "send the whole conversation in input",
    "conversation": "send the whole conversation in input",
    "prompt": "send the text of the prompt in instructions and input",
    "web_search_options": "give the provider's own search tool in tools",
}

#: Codes that the caller's SDK acts upon: this one makes it send the whole conversation instead.
_CODES: Mapping[str, str] = {"thread": "thread_unsupported_request"}


def check(body: Json, dialect: str) -> tuple[str, ...]:
    """The names of the fields of a chat request that this dialect cannot be told.

    Raises:
        GatewayError: invalid_request, naming a field without which the answer would be another one.
    """
    return _dropped(body, CHAT, f"a provider that speaks {dialect}", BY_DIALECT.get(dialect, {}))


def check_messages(body: Json) -> tuple[str, ...]:
    """The same for a Messages request on its way to chat."""
    return _dropped(body, MESSAGES, "the provider of this model")


def check_responses(body: Json) -> tuple[str, ...]:
    """The same for a Responses request on its way to chat."""
    return _dropped(body, RESPONSES, "the provider of this model")


def _dropped(
    body: Json,
    table: Mapping[str, Fate | Judge],
    provider: str,
    first: Mapping[str, Fate | Judge] = MappingProxyType({}),
) -> tuple[str, ...]:
    dropped = []
    for name, value in body.items():
        if value is None:
            continue
        fate = first.get(name) or table.get(name, DROP)
        if not isinstance(fate, Fate):
            fate = fate(value)
        if fate is REFUSE:
            instead = _INSTEAD.get(name)
            message = f"{provider} cannot be told this {name}" + (f"; {instead}" if instead else "")
            raise invalid(message, name, code=_CODES.get(name, "unsupported_value"))
        if fate is DROP:
            dropped.append(name)
    return tuple(dropped)
