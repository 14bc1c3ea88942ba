"""How long a prompt is at least, and what a model is not asked for. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from app.core.call import Route
from app.core.errors import ErrorType
from app.core.text import least_tokens
from app.routing.fit import refusal
from app.surfaces import LANGUAGES
from tests.routing.test_candidates import call, route
from tests.standin import load_index, load_recording, recordings_dir

WORDS = "one two, three\n\nfour-and-a-half  \t  five!"  # five, by white space
SAID: dict[str, tuple[dict[str, Any], int]] = {
    "a message": ({"messages": [{"role": "user", "content": WORDS}]}, 5),
    "parts": ({"messages": [{"content": [{"type": "text", "text": WORDS}, {"type": "text", "text": "six"}]}]}, 6),
    "a system prompt, and what a tool answered": (
        {
            "system": [{"type": "text", "text": WORDS}],
            "messages": [{"content": [{"type": "tool_result", "content": [{"type": "text", "text": WORDS}]}]}],
        },
        10,
    ),
    "Responses": (
        {
            "instructions": WORDS,
            "input": [
                {"type": "message", "content": [{"type": "input_text", "text": WORDS}]},
                {"type": "function_call_output", "output": WORDS},
                {"type": "reasoning", "content": [{"type": "reasoning_text", "text": WORDS}]},
            ],
        },
        15,
    ),
    "a text to go on with": ({"prompt": WORDS}, 5),
    "several of them, of which each must fit": ({"prompt": [WORDS, WORDS]}, 0),
    "one long run of letters": ({"input": "x" * 10_000}, 1),
    "a language without spaces": ({"input": "今天天气很好" * 100}, 1),
    "white space": ({"input": " \n" * 10_000}, 0),
    "thinking, which a provider leaves out": (
        {"messages": [{"content": [{"type": "thinking", "thinking": WORDS}]}]},
        0,
    ),
    "the model's own turns, which may be thoughts": (
        {"messages": [{"role": "assistant", "content": f"<think>{WORDS}</think>"}, {"role": "user", "content": "x"}]},
        1,
    ),
    "tools, which it may shorten": ({"tools": [{"function": {"description": WORDS}}]}, 0),
    "pictures and files": ({"messages": [{"content": [{"type": "document", "source": {"data": WORDS}}]}]}, 0),
    "what may be cut": ({"input": WORDS, "truncation": "auto"}, 0),
    "what may not": ({"input": WORDS, "truncation": "disabled"}, 5),
    "what is cleared on the way": ({"messages": [{"content": WORDS}], "context_management": {"edits": []}}, 0),
    "nonsense": ({"messages": [3, None, {"content": 7}], "input": {"text": None}}, 0),
}


@pytest.mark.parametrize(("body", "least"), SAID.values(), ids=SAID)
def test_a_prompt_has_at_least_as_many_tokens_as_words(body: dict[str, Any], least: int) -> None:
    assert least_tokens(body, 0) == least


@pytest.mark.skipif(recordings_dir() is None, reason="../shared/recordings is absent")
def test_no_provider_was_ever_seen_to_count_fewer_tokens_than_that() -> None:
    """What one counts as read stands beside what it had cached at Anthropic, within it elsewhere."""
    fewer, seen = [], 0
    directory = recordings_dir()
    assert directory is not None
    for row in load_index(directory):
        operation = row.operation.removesuffix("_stream")
        if row.status != 200 or operation not in ("chat", "completions", "responses", "messages"):
            continue
        exchange = load_recording(row.path)
        body, told = exchange.request.body, exchange.response.body.decode(errors="replace")
        read = [int(count) for count in re.findall(r'"(?:prompt_tokens|input_tokens)"\s*:\s*(\d+)', told)]
        kept = (re.findall(rf'"cache_{what}_input_tokens"\s*:\s*(\d+)', told) for what in ("read", "creation"))
        if not isinstance(body, dict) or not any(read):
            continue
        seen += 1
        tokens = max(read) + sum(max(map(int, counts), default=0) for counts in kept) * (operation == "messages")
        if least_tokens(body, 0) > tokens:
            fewer.append((row.id, least_tokens(body, 0), tokens))
    assert seen > 500
    assert fewer == []


def test_words_are_not_counted_where_there_cannot_be_so_many() -> None:
    assert least_tokens({"input": "a b c d"}, 3) == 4
    assert least_tokens({"input": "a b c d"}, 4) == 0


def knowing(context: int | None = None, max_output: int | None = None) -> Route:
    one = route("m", "a/x")
    return replace(one, targets=tuple(replace(each, context=context, max_output=max_output) for each in one.targets))


def test_a_model_of_which_nothing_is_known_is_asked_for_anything() -> None:
    assert refusal(knowing(), call({"max_tokens": 10**9, "messages": [{"content": "a " * 10**5}]})) is None


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/chat/completions", {"max_tokens": 101}, "max_tokens"),
        ("/v1/chat/completions", {"max_tokens": 100}, None),
        ("/v1/chat/completions", {"max_completion_tokens": 100, "max_tokens": 101}, None),
        ("/v1/chat/completions", {"max_completion_tokens": None, "max_tokens": 101}, "max_tokens"),
        ("/v1/chat/completions", {"max_output_tokens": 101}, None),
        ("/v1/completions", {"max_tokens": 101}, "max_tokens"),
        ("/v1/responses", {"max_output_tokens": 101}, "max_output_tokens"),
        ("/v1/messages", {"max_tokens": 101}, "max_tokens"),
        ("/v1/embeddings", {"max_tokens": 101}, None),
        ("/v1/messages/count_tokens", {"max_tokens": 101}, None),
    ],
)
def test_each_language_has_its_own_name_for_the_longest_answer(
    path: str, body: dict[str, Any], field: str | None
) -> None:
    asked = replace(call(body), language=LANGUAGES[path])
    refused = refusal(knowing(max_output=100), asked)
    assert (refused and (refused.type, refused.param)) == (field and (ErrorType.INVALID_REQUEST, field))


def test_an_embedding_is_of_each_text_by_itself_and_so_not_looked_at() -> None:
    body = {"input": ["a b c"] * 100}
    assert refusal(knowing(context=10), replace(call(body), language=LANGUAGES["/v1/embeddings"])) is None
