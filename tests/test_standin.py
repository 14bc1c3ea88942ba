"""The stand-in for providers answers as its scripts and the models' names say, cut anywhere."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Iterator

import pytest

from tests.standin import (
    Answer,
    Cuts,
    Framing,
    Piece,
    StandIn,
    load_index,
    load_recording,
    recordings_dir,
    replay,
    text,
)
from tests.standin.client import ask, content
from tests.standin.cuts import cut, places


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


def test_a_plain_answer_is_made_up_from_the_model_name(standin: StandIn) -> None:
    status, body = ask(standin, "words-3")

    answer = json.loads(body)
    assert (status, answer["model"]) == (200, "words-3")
    assert answer["choices"][0]["message"]["content"] == text(3) == "alpha0 naïve1 世界2"
    assert answer["usage"]["total_tokens"] == 2 + 3


def test_a_stream_gives_the_same_text_and_usage_only_when_asked(standin: StandIn) -> None:
    _, silent = ask(standin, "words-3", stream=True)
    _, asked = ask(standin, "words-3", stream=True, stream_options={"include_usage": True})

    assert content(silent) == content(asked) == text(3)
    assert silent.endswith(b"data: [DONE]\n\n")
    assert b"completion_tokens" not in silent
    assert b'"completion_tokens": 3' in asked


def test_messages_are_answered_as_anthropic_does(standin: StandIn) -> None:
    status, plain = ask(standin, "words-2-tools-1-cached-7", "/v1/messages")
    _, stream = ask(standin, "words-2-reasoning-1", "/v1/messages", stream=True)

    message = json.loads(plain)
    assert (status, message["stop_reason"]) == (200, "tool_use")
    assert [block["type"] for block in message["content"]] == ["text", "tool_use"]
    assert message["usage"]["cache_read_input_tokens"] == 7
    kinds = [line[7:] for line in stream.decode().splitlines() if line.startswith("event: ")]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 2


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("embeddings", "data"),
        ("moderations", "results"),
        ("completions", "choices"),
        ("messages/count_tokens", "input_tokens"),
    ],
)
def test_every_other_operation_has_an_answer(standin: StandIn, path: str, key: str) -> None:
    status, body = ask(standin, "any-model", f"/v1/{path}", input="some text", prompt="some text")

    assert status == 200
    assert json.loads(body)[key]


def test_streamed_tool_arguments_come_in_fragments_and_fit_the_schema(standin: StandIn) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": schema}}]

    _, stream = ask(standin, "tools-2", stream=True, tools=tools)

    arguments = {0: "", 1: ""}
    for event in stream.decode().split("\n\n"):
        for choice in json.loads(event[6:])["choices"] if event.startswith("data: {") else ():
            for call in choice["delta"].get("tool_calls", ()):
                arguments[call["index"]] += call["function"]["arguments"]
    assert json.loads(arguments[1]) == {"city": "世界1", "days": 1}


def test_behaviours_queue_up_and_then_the_name_speaks_again(standin: StandIn) -> None:
    standin.script("fault-500", model="words-1")
    standin.script("fault-429-after-2", model="words-1", times=2)

    assert [ask(standin, "words-1")[0] for _ in range(4)] == [500, 429, 429, 200]


def test_a_script_matches_by_header_path_and_predicate(standin: StandIn) -> None:
    standin.script(Answer(418), times=None, header_x_kind=lambda value: value == "tea")
    standin.script(Answer(404), times=None, when=lambda request: request.path == "/v1/models" and request.nth == 1)
    client = http.client.HTTPConnection("127.0.0.1", standin.port, timeout=10)
    statuses = []
    for headers in ({}, {}, {"X-Kind": "tea"}):
        client.request("GET", "/v1/models", headers=headers)
        answer = client.getresponse()
        statuses.append(answer.status)
        answer.read()
    client.close()

    assert statuses == [404, 200, 418]


def test_the_first_calls_fail_and_later_ones_do_not(standin: StandIn) -> None:
    assert [ask(standin, "first-2-fault-503-words-1")[0] for _ in range(3)] == [503, 503, 200]
    assert [ask(standin, "every-2-fault-503")[0] for _ in range(4)] == [200, 503, 200, 503]
    chances = [ask(standin, "chance-50-fault-500-then-words-1")[0] for _ in range(40)]
    assert {200, 500} == set(chances)


def test_a_name_that_is_half_understood_fails_the_test_that_wrote_it() -> None:
    standin = StandIn()

    with pytest.raises(AssertionError, match="'bogus' is not a fault"), standin:
        assert ask(standin, "fault-bogus")[0] == 500


def test_cuts_differ_by_seed_and_give_the_same_bytes() -> None:
    pieces = [Piece(f"data: größer 世界 🙂 {index}\r\n\r\n".encode()) for index in range(50)]
    whole = b"".join(piece.data for piece in pieces)

    first, again, other = ([piece.data for piece in cut(iter(pieces), seed)] for seed in (1, 1, 2))

    assert b"".join(first) == b"".join(other) == whole
    assert first == again
    assert first != other


def test_cuts_fall_inside_characters_and_line_ends() -> None:
    data = "é世🙂\r\n\r\n".encode() * 500
    edges = set(places(data, random.Random(1)))

    inside_characters = {at for at, byte in enumerate(data) if byte & 0xC0 == 0x80}
    inside_line_ends = {at for at, byte in enumerate(data) if byte == ord("\n")}
    assert len(edges & inside_characters) > len(inside_characters) / 3
    assert len(edges & inside_line_ends) > len(inside_line_ends) / 3


@pytest.mark.parametrize("framing", list(Framing))
def test_a_cut_answer_reassembles_in_every_framing(standin: StandIn, framing: Framing) -> None:
    body = "größer 世界 🙂\r\n".encode() * 200
    for seed in range(3):
        standin.script(Answer(body=(Piece(body),), framing=framing, cuts=Cuts(seed)), path="/v1/chat/completions")

    assert [ask(standin, "any") for _ in range(3)] == [(200, body)] * 3


def test_the_hook_between_pieces_is_asked_for_every_write(standin: StandIn) -> None:
    asked: list[int] = []

    def pause(index: int) -> float:
        asked.append(index)
        return 0.0

    standin.script(Answer(body=(Piece(b"x" * 20_000),), cuts=Cuts(1, pause)))
    ask(standin, "any")

    assert asked == list(range(len(asked)))
    assert len(asked) > 5


def test_recordings_replay_byte_for_byte(standin: StandIn) -> None:
    directory = recordings_dir()
    if directory is None:
        pytest.skip("no recordings beside the checkout")
    rows = load_index(directory)
    for row in rows[:: max(1, len(rows) // 40)]:
        exchange = load_recording(row.path)
        for seed in (None, 1, 2):
            standin.script(replay(exchange, seed=seed))
            status, body = ask(standin, "any")
            assert (status, body) == (exchange.response.status, exchange.response.body), row.id
