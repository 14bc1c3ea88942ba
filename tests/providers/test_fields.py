"""The table of what crosses from one language into another."""

from __future__ import annotations

from typing import get_type_hints

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming

from app.core.errors import GatewayError
from app.providers import fields


def test_every_field_of_openais_api_has_a_fate() -> None:
    known = set(get_type_hints(CompletionCreateParamsNonStreaming))

    assert known - set(fields.CHAT) == set()


def test_every_field_of_anthropics_api_has_a_fate() -> None:
    known = set(get_type_hints(MessageCreateParamsNonStreaming))

    assert known - set(fields.MESSAGES) == set()


def test_what_one_language_says_otherwise_is_a_field_that_all_know_of() -> None:
    assert {name for own in fields.BY_DIALECT.values() for name in own} - set(fields.CHAT) == set()


def test_every_field_of_the_responses_api_has_a_fate() -> None:
    known = set(get_type_hints(ResponseCreateParamsNonStreaming))

    assert known - set(fields.RESPONSES) == set()


def test_a_field_that_the_table_does_not_know_is_dropped() -> None:
    assert fields.check({"messages": [], "made_up": 1}, "anthropic") == ("made_up",)
    assert fields.check_messages({"messages": [], "made_up": 1}) == ("made_up",)


def test_null_asks_for_nothing() -> None:
    assert fields.check(dict.fromkeys((*fields.CHAT, "made_up")), "anthropic") == ()
    assert fields.check_messages(dict.fromkeys((*fields.MESSAGES, "made_up"))) == ()


def test_a_refusal_names_the_field_and_what_to_do_instead() -> None:
    with pytest.raises(GatewayError) as caught:
        fields.check({"n": 2}, "anthropic")
    assert caught.value.param == "n"
    assert caught.value.code == "unsupported_value"
    assert "ask n times" in caught.value.message
