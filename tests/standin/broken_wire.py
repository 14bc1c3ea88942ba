"""Faults of the connection and of the head: silence, early ends, cuts, headers that are too many or too large."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from tests.standin.message import Answer, End, Framing, Part, Piece, Request
from tests.standin.plan import Plan


def hang(answer: Answer, request: Request, plan: Plan) -> Answer:
    return Answer(delay=math.inf, preamble=b"", end=End.HANG)


def reset(answer: Answer, request: Request, plan: Plan) -> Answer:
    return Answer(preamble=b"", end=End.RST)


def close(answer: Answer, request: Request, plan: Plan) -> Answer:
    return Answer(preamble=b"", end=End.FIN)


def stale(answer: Answer, request: Request, plan: Plan, how: str) -> Answer:
    """As a server does that closed an idle connection while the request was on its way."""
    return answer if request.nth == 1 else Answer(preamble=b"", end=End(how))


def garbage(answer: Answer, request: Request, plan: Plan) -> Answer:
    return Answer(preamble=b"\x15\x03\x01\x00\x02\x02\x16 no HTTP at all\r\n\r\n", end=End.FIN)


def mid_head(answer: Answer, request: Request, plan: Plan, how: str) -> Answer:
    return Answer(preamble=b"HTTP/1.1 200 OK\r\ncontent-type: application/js", end=End(how))


def head_only(answer: Answer, request: Request, plan: Plan, how: str) -> Answer:
    return replace(_declared(answer), body=(), end=End(how))


def cut(answer: Answer, request: Request, plan: Plan, words: int, how: str) -> Answer:
    whole = _declared(answer)
    return replace(whole, body=_until(whole, words, request), end=End(how))


def mid_event(answer: Answer, request: Request, plan: Plan, words: int, how: str) -> Answer:
    whole = _declared(answer)
    return replace(whole, body=_until(whole, words, request, half=True), end=End(how))


def stall(answer: Answer, request: Request, plan: Plan, words: int) -> Answer:
    whole = _declared(answer)
    return replace(whole, body=_until(whole, words, request), end=End.HANG)


def many_headers(answer: Answer, request: Request, plan: Plan, count: int) -> Answer:
    return replace(answer, headers=(*answer.headers, *((f"x-filler-{index}", "1") for index in range(count))))


def big_header(answer: Answer, request: Request, plan: Plan, kib: int) -> Answer:
    return replace(answer, headers=(*answer.headers, ("x-filler", "a" * (kib << 10))))


def redirect(answer: Answer, request: Request, plan: Plan, status: int) -> Answer:
    where = f"http://{request.header('host') or '127.0.0.1'}/v1/elsewhere"
    return Answer(status, (("location", where), ("content-type", "text/html")), (Piece(b"<a>moved</a>"),))


def _declared(answer: Answer) -> Answer:
    """The answer with the length of its whole body said, where a length is what frames it."""
    if answer.framing is not Framing.LENGTH:
        return answer
    body = tuple(answer.body)
    return replace(answer, body=body, declared=sum(len(piece.data) for piece in body))


def _until(answer: Answer, words: int, request: Request, *, half: bool = False) -> Iterator[Piece]:
    """The body up to that many content events; of a plain one the first half."""
    seen = 0
    for piece in answer.body:
        if piece.part is not Part.CONTENT:
            yield piece
            continue
        if seen == words or not request.is_stream:
            if half or not request.is_stream:
                yield replace(piece, data=piece.data[: len(piece.data) // 2], words=0)
            return
        yield piece
        seen += 1
