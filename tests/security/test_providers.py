"""What a provider sends is a stranger's: bounded in size, however it is packed, and never a crash."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from app.upstream.client import MAX_BODY
from app.upstream.sse import LONGEST
from tests.journeys.plainly import Answered
from tests.security.house import CHAT, MESSAGES, RESPONSES, House, of_every_kind
from tests.standin import Answer, End, Framing, Piece, Request, StandIn
from tests.standin.grammar import answer_for

MIB = 1024 * 1024
EVENTS = (("content-type", "text/event-stream"),)
JSON = (("content-type", "application/json"),)


@pytest.fixture
def house(provider: StandIn, tmp_path: Path) -> Iterator[House]:
    """Of its own for each test: what fails on purpose leaves no trace in the next one's breakers."""
    with House(of_every_kind(provider.url), tmp_path) as house:
        yield house


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, 1)


def deflated(data: bytes) -> bytes:
    return zlib.compress(data, 1)


PACKED: Mapping[str, Callable[[bytes], bytes]] = {"gzip": gzipped, "deflate": deflated}


def peak(run: Callable[[], Answered]) -> tuple[int, Answered]:
    """Bytes of memory at most while it ran."""
    tracemalloc.start()
    try:
        answer = run()
        return tracemalloc.get_traced_memory()[1], answer
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("status", "coding", "framing"),
    [
        (200, "gzip", Framing.LENGTH),
        (200, "gzip", Framing.CHUNKED),
        (200, "gzip, gzip", Framing.CHUNKED),
        (200, "deflate", Framing.CLOSE),
        (400, "gzip", Framing.LENGTH),
    ],
)
def test_a_plain_bomb_is_unpacked_no_further_than_an_answer_may_be_long(
    house: House, provider: StandIn, status: int, coding: str, framing: Framing
) -> None:
    bomb = b"0" * (6 * MAX_BODY)
    for each in coding.split(", "):
        bomb = PACKED[each](bomb)
    provider.script(Answer(status, (*JSON, ("content-encoding", coding)), (Piece(bomb),), framing))
    used, answer = peak(lambda: house.ask("up/words-1"))
    assert (answer.status, answer.error["code"]) == (502, "invalid_response")
    assert used < 4 * MAX_BODY


@pytest.mark.parametrize(("path", "framing"), [(CHAT, Framing.CHUNKED), (MESSAGES, Framing.CLOSE)])
def test_a_stream_that_is_a_bomb_ends_at_the_longest_event(
    house: House, provider: StandIn, path: str, framing: Framing
) -> None:
    bomb = gzipped(b"data: " + b"0" * (6 * MAX_BODY))
    provider.script(Answer(200, (*EVENTS, ("content-encoding", "gzip")), (Piece(bomb),), framing))
    used, answer = peak(lambda: house.ask("up/words-1", path, stream=True))
    assert (answer.status, "1048576 bytes" in answer.error["message"]) == (502, True), answer
    assert used < 8 * LONGEST


def test_what_nobody_can_unpack_is_no_answer(house: House, provider: StandIn) -> None:
    for coding in ("br-17", "gzip, gzip, gzip, gzip, gzip, gzip, gzip", "zstd"):
        provider.script(Answer(200, (*JSON, ("content-encoding", coding)), (Piece(gzipped(b"{}")),)))
        assert house.ask("up/words-1").status == 502


@pytest.mark.parametrize("model", ["fault-headers-150", "fault-bigheader-100", "fault-huge-17", "fault-garbage"])
@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_an_answer_without_measure_is_a_failure(house: House, upstream: str, model: str) -> None:
    used, answer = peak(lambda: house.ask(f"{upstream}/{model}"))
    assert (answer.status, answer.error["code"]) == (502, "invalid_response")
    assert used < 10 * MAX_BODY


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("size", ["-1", "-ffffff", "fffffffffffffffffff", "zz", "10;" + "x" * 100_000, "", "\xff"])
def test_chunks_that_are_none_are_a_failure(house: House, provider: StandIn, size: str, stream: bool) -> None:
    """Of a negative size as well, which the packages below would read to the end of the connection."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    more = b"\r\n" + b"x" * (6 * MAX_BODY if size.startswith("-") else 10) + b"\r\n0\r\n\r\n"
    provider.script(Answer(preamble=head + size.encode("latin-1") + more, end=End.FIN))
    used, answer = peak(lambda: house.ask("up/words-1", stream=stream))
    assert answer.status == 502
    assert used < 1.5 * MAX_BODY


@pytest.mark.parametrize("depth", [100, 240, 400, 1000])
@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("upstream", ["up", "claude", "gemini", "cohere", "bedrock"])
def test_an_answer_that_is_too_deep_is_a_failure_and_never_ours(
    house: House, provider: StandIn, upstream: str, path: str, depth: int
) -> None:
    """What can be read cannot always be written again."""

    def deep(asked: Request) -> Answer:
        plain = answer_for("words-1", asked, 1, 0)
        body = json.loads(b"".join(piece.data for piece in plain.body))
        body["x_deep"] = "HERE"
        text = json.dumps(body).replace('"HERE"', "[" * depth + "]" * depth)
        return Answer(200, JSON, (Piece(text.encode()),))

    provider.script(deep)
    answer = house.ask(f"{upstream}/words-1", path)
    assert answer.status in (200, 502), answer
    if answer.status == 502:
        assert answer.error["message"].startswith(f"provider {upstream} ")


WORDS = {
    "titles that do not end": b"<title>" * 150_000,
    "titles that do not begin to end": b"<title" * 150_000,
    "stars": b"*" * MIB,
    "stars in words": b"a*b" * MIB,
    "dots": b"a." * MIB,
    "colons": b"[" + b":" * MIB,
    "digits": b"1" * MIB,
    "slashes": b"http://" * 150_000,
    "too long": b"model's context length " * 50_000,
    "keys": b"invalid api key " * 70_000,
    "a key without an end": b"sk-" + b"a" * MIB,
}


@pytest.mark.parametrize("form", ["text", "message", "html", "list"])
@pytest.mark.parametrize("what", WORDS)
def test_an_error_of_any_length_is_read_as_far_as_it_is_told(
    house: House, provider: StandIn, what: str, form: str
) -> None:
    """Patterns are looked for in its beginning: in a mebibyte of `<title>` one would be at it for hours."""
    text = WORDS[what]
    said = {
        "text": text,
        "message": b'{"error": {"message": "' + text + b'", "code": "' + text[:9999] + b'"}}',
        "html": b"<html>" + text,
        "list": b'{"detail": [{"msg": "' + text + b'", "loc": ["body", "' + text[:9999] + b'"]}]}',
    }[form]
    for upstream in ("up", "claude", "gemini", "cohere", "bedrock"):
        provider.script(Answer(400, JSON, (Piece(said),)))
        answer = house.ask(f"{upstream}/words-1")
        assert 400 <= answer.status < 600
        assert len(answer.body) < 4000


def test_what_a_provider_says_of_a_wait_is_bounded_whatever_it_is(house: House, provider: StandIn) -> None:
    for said in ("9" * 5000, "1e308", "-1", "nan", "inf", "9" * 400 + "h", "Mon, 99 Xxx 9999 99:99:99 GMT", "\xff"):
        headers = tuple((name, said) for name in ("retry-after", "retry-after-ms", "x-ratelimit-reset-requests"))
        provider.script(Answer(429, headers, (Piece(b"{}"),)))
        answer = house.ask("up/words-1")
        assert (answer.status, int(answer.headers["retry-after"]) <= 3600) in ((429, True), (503, True)), said
