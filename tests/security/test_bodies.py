"""What a body may do to a worker: be refused for a reason, as JSON, before it has cost more than its own bytes."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest

from app.core.json import MAX_PARTS
from app.web.parse import MAX_MODEL
from tests.security.house import CHAT, MESSAGES, RESPONSES, House, call
from tests.standin import StandIn

MIB = 1024 * 1024
LARGE = 10 * MIB  # what server.max_body allows
GOOD = call("up/words-1")


def padded(begin: bytes, part: bytes, end: bytes = b"") -> bytes:
    return begin + part * ((LARGE - len(begin) - len(end)) // len(part)) + end


BOMBS: dict[str, tuple[bytes, str]] = {
    "arrays that open": (b"[" * LARGE, "nested deeper than 200 levels"),
    "objects that open": (b"{" * LARGE, "nested deeper than 200 levels"),
    "members that open": (padded(b"", b'{"a":'), "nested deeper than 200 levels"),
    "depth behind a long text": (b'["' + b"x" * MIB + b'",' + b"[" * 300 + b"]" * 301, "nested deeper than 200 levels"),
    "empty arrays": (padded(b"[", b"[],", b"0]"), f"more than {MAX_PARTS} arrays"),
    "empty objects": (padded(b"[", b"{},", b"0]"), f"more than {MAX_PARTS} arrays"),
    "deep arrays, many times": (padded(b"[", b"[" * 150 + b"]" * 150 + b",", b"0]"), f"more than {MAX_PARTS} arrays"),
    "the same member": (padded(b"{", b'"a":1,', b'"a":1}'), f"more than {MAX_PARTS} arrays"),
    "closing brackets": (b"]" * LARGE, "not valid JSON"),
    "digits": (b"1" * LARGE, "not valid JSON: number is infinity"),
    "an exponent": (b"1e" + b"9" * (LARGE - 2), "not valid JSON: number is infinity"),
    "minus signs": (b"-" * LARGE, "not valid JSON"),
    "digits behind a point": (b"0." + b"1" * (LARGE - 2), "must be a JSON object"),
    "quotation marks": (b'"' * LARGE, "not valid JSON"),
    "backslashes": (b'"' + b"\\" * (LARGE - 1), "not valid JSON"),
    "escapes": (padded(b'"', b"\\u0041", b'"'), "must be a JSON object"),
    "escapes that break off": (padded(b'"', b"\\u"), "not valid JSON"),
    "surrogates without a partner": (padded(b'"', b"\\ud800", b'"'), "surrogate"),
    "NaN": (padded(b"[", b"NaN,", b"0]"), "not valid JSON"),
    "zero bytes": (b"\0" * LARGE, "not valid JSON"),
    "white space": (b" " * LARGE, "not valid JSON"),
    "bytes that are no UTF-8": (b'{"a": "' + b"\xff" * MIB, "UTF-8"),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_of_json_is_a_400_that_says_why_in_few_words(house: House, provider: StandIn, what: str) -> None:
    body, why = BOMBS[what]
    provider.journal.clear()
    answer = house.post(body)
    assert (answer.status, answer.error["type"], answer.error["code"]) == (
        400,
        "invalid_request_error",
        "invalid_request",
    )
    assert why in answer.error["message"]
    assert len(answer.body) < 400
    assert not provider.journal.requests()


@pytest.mark.parametrize("what", ["empty arrays", "deep arrays, many times", "the same member"])
def test_a_bomb_takes_a_few_times_its_own_size(house: House, what: str) -> None:
    """Ten mebibytes of `[],` were two hundred and eighty in memory, and seconds of the collector's work."""
    body, _ = BOMBS[what]
    tracemalloc.start()
    try:
        house.post(body)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(body)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    "coding", ["gzip", "GZIP", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip", "x", " gzip"]
)
def test_a_compressed_body_is_refused_unread(house: House, path: str, coding: str) -> None:
    """Ten kilobytes of gzip can be ten mebibytes."""
    bomb = gzip.compress(b'{"a": "' + b"0" * LARGE + b'"}')
    answer = house.post(bomb, path, headers=[("Content-Encoding", coding)])
    assert (answer.status, len(bomb) < 20_000) == (415, True)


def test_compressed_bytes_that_do_not_say_so_are_no_json(house: House) -> None:
    for body in (gzip.compress(GOOD), zlib.compress(GOOD)):
        assert house.post(body).status == 400


@pytest.mark.parametrize("coding", ["gzip, chunked", "deflate", "identity", "x"])
def test_a_transfer_coding_beside_a_length_changes_nothing_of_what_is_read(house: House, coding: str) -> None:
    """gunicorn refuses it; were it to reach us, we would read as many bytes as it was told."""
    assert house.post(GOOD, headers=[("Transfer-Encoding", coding)]).status in (200, 400)


def test_of_two_members_of_one_name_the_one_that_is_judged_is_the_one_that_is_sent(
    house: House, provider: StandIn
) -> None:
    """A name that may be used, and another one behind it that the next parser would take."""
    body = b'{"model": "claude/words-1", "model": "up/words-2", "stream": true, "stream": false' + GOOD[22:]
    answer = house.post(body)
    assert (answer.status, answer.headers["x-gateway-provider"]) == (200, "up")
    sent = provider.journal.last.body
    assert (sent.count(b'"model"'), sent.count(b'"words-2"'), sent.count(b'"stream"')) == (1, 1, 1)


@pytest.mark.parametrize(
    "number", ["1e308", "-1e308", "1e-400", "18446744073709551616", "-9223372036854775809", "0.1e1"]
)
def test_numbers_of_any_size_that_json_has_travel_or_are_refused(house: House, number: str) -> None:
    for field in (b"temperature", b"seed", b"max_tokens", b"x_unknown", b"n", b"top_logprobs"):
        for model in (b"up", b"claude"):
            body = GOOD.replace(b"up/", model + b"/")[:-1] + b', "' + field + b'": ' + number.encode() + b"}"
            assert house.post(body).status in (200, 400), (field, model)


@pytest.mark.parametrize("text", ["\\u0000", "\\ud83d\\ude42", "\\uffff", "\\u2028", "\\u202e", "\\u0085", "\\b\\f"])
def test_characters_of_every_kind_travel_as_they_are(house: House, provider: StandIn, text: str) -> None:
    body = GOOD[:-1] + b', "user": "' + text.encode() + b'"}'
    assert house.post(body).status == 200
    assert json.loads(provider.journal.last.body)["user"] == json.loads(f'"{text}"')


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES, "/v1/embeddings"])
def test_the_caps_of_a_body_hold(house: House, path: str) -> None:
    small = b'{"model": "' + b"m" * (MAX_MODEL + 1) + b'"}'
    assert house.post(small, path).error["message"].startswith("model must be a string of 1 to 256")
    assert house.post(b" " * (LARGE + 1), path).status == 413
    assert house.post(b"{}", path, headers=[("X", "y")]).status == 400


@pytest.mark.parametrize("said", ["nan", "inf", "-1", "1e999", "0", "", "1_000_000_000_000", "٣٠", "0x10", "9" * 4000])
def test_a_patience_that_is_none_bounds_nothing_and_breaks_nothing(house: House, said: str) -> None:
    headers = [("X-Request-Timeout-Ms", said), ("X-Stainless-Read-Timeout", said)]
    assert house.ask(headers=[(name, value.encode().decode("latin-1")) for name, value in headers]).status == 200


#: Where a client's own word may stand in what is refused, each once.
LONG = "ß" * 3000
REFLECTED: list[tuple[str, dict[str, Any]]] = [
    (CHAT, {"model": LONG[:256]}),
    (CHAT, {"model": "\U000e0001" * 256}),
    (CHAT, {"messages": [{"role": LONG, "content": "x"}]}),
    (CHAT, {"messages": [{"role": "user", "content": [{"type": LONG}]}]}),
    (CHAT, {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": LONG}}]}]}),
    (CHAT, {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"data:{LONG}"}}]}]}),
    (CHAT, {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": f"data:{LONG},x"}}]}]}),
    (CHAT, {"messages": [{"role": "tool", "tool_call_id": LONG, "content": "x"}]}),
    (CHAT, {"tools": [{"type": LONG, "function": {"name": "f"}}]}),
    (CHAT, {"tools": [{"type": "function", "function": {"name": LONG, "parameters": LONG}}]}),
    (CHAT, {"tool_choice": LONG}),
    (CHAT, {"tool_choice": {"type": LONG}}),
    (CHAT, {"response_format": {"type": LONG}}),
    (CHAT, {"reasoning_effort": LONG}),
    (CHAT, {"modalities": [LONG]}),
    (CHAT, {"service_tier": LONG}),
    (CHAT, {"stop": [LONG]}),
    (CHAT, {"audio": {"voice": LONG}}),
    (CHAT, {LONG: LONG}),
    (MESSAGES, {"messages": [{"role": LONG, "content": "x"}]}),
    (MESSAGES, {"messages": [{"role": "user", "content": [{"type": LONG}]}]}),
    (MESSAGES, {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": LONG}}]}]}),
    (MESSAGES, {"tools": [{"type": LONG, "name": "x"}]}),
    (MESSAGES, {"tools": [{"name": LONG, "input_schema": LONG}]}),
    (MESSAGES, {"tool_choice": {"type": LONG}}),
    (MESSAGES, {"thinking": {"type": LONG}}),
    (MESSAGES, {LONG: LONG}),
    (RESPONSES, {"input": [{"type": LONG}]}),
    (RESPONSES, {"input": [{"role": LONG, "content": "x"}]}),
    (RESPONSES, {"input": [{"role": "user", "content": [{"type": LONG}]}]}),
    (RESPONSES, {"tools": [{"type": LONG}]}),
    (RESPONSES, {"tool_choice": LONG}),
    (RESPONSES, {"tool_choice": {"type": LONG}}),
    (RESPONSES, {"text": {"verbosity": LONG, "format": {"type": LONG}}}),
    (RESPONSES, {"reasoning": {"effort": LONG}}),
    (RESPONSES, {"include": [LONG]}),
    (RESPONSES, {"previous_response_id": LONG}),
    (RESPONSES, {"truncation": LONG}),
]


@pytest.mark.parametrize(("path", "more"), REFLECTED)
@pytest.mark.parametrize("upstream", ["up", "claude", "gemini", "cohere", "bedrock"])
def test_no_error_repeats_more_than_two_hundred_bytes_of_what_was_sent(
    natives: House, upstream: str, path: str, more: dict[str, Any]
) -> None:
    body = json.loads(call(f"{upstream}/words-1", path)) | more
    answer = natives.post(json.dumps(body).encode(), path)
    assert answer.status in (200, 400, 404)
    if answer.status != 200:
        said = json.dumps(answer.json, ensure_ascii=False)
        assert said.count("ß") * 2 + said.count("\\\\U000e") * 10 <= 200, answer
        assert len(answer.body) < 700


@pytest.mark.parametrize("depth", [190, 300, 1000])
@pytest.mark.parametrize("upstream", ["up", "claude", "gemini", "cohere", "bedrock"])
def test_json_inside_a_text_is_no_deeper_than_any_other(natives: House, upstream: str, depth: int) -> None:
    """Arguments of a call are a text in one language and an object in another: what can be read can be written."""
    arguments = '{"a":' + "[" * depth + "]" * depth + "}"
    called = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    said = [{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [called]}]
    answered = [*said, {"role": "tool", "tool_call_id": "call_1", "content": arguments}]
    assert natives.ask(f"{upstream}/words-1", CHAT, messages=answered).status in (200, 400)
    items = [{"type": "function_call", "call_id": "call_1", "name": "f", "arguments": arguments}]
    items += [{"type": "function_call_output", "call_id": "call_1", "output": arguments}]
    assert natives.ask(f"{upstream}/words-1", RESPONSES, input=items).status in (200, 400)
    use = {"type": "tool_use", "id": "call_1", "name": "f", "input": json.loads(arguments) if depth < 200 else {}}
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": arguments}
    turns = [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    assert natives.ask(f"{upstream}/words-1", MESSAGES, messages=[said[0], *turns]).status in (200, 400)
