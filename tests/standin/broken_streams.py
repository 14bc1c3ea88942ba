"""Faults among the events of a stream. Where a plain answer was asked for they leave it alone, or fail it likewise."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.standin.answers import content_event, error_event, refusal
from tests.standin.message import Answer, Framing, Part, Piece, Request
from tests.standin.plan import Plan, word

_BROKEN = b'{"id": "broken", "choices": [{"delta": {"content": "bro'


def error_first(answer: Answer, request: Request, plan: Plan, status: int) -> Answer:
    if not request.is_stream:
        return refusal(request, status, "the stand-in fails")
    return replace(answer, body=(error_event(request, status, "the stand-in fails at once"),))


def error_mid(answer: Answer, request: Request, plan: Plan, words: int, status: int) -> Answer:
    if not request.is_stream:
        return refusal(request, status, "the stand-in fails")

    def body() -> Iterator[Piece]:
        yield from _first_words(answer, words)
        yield error_event(request, status, "the stand-in fails in the middle")

    return replace(answer, body=body())


def malformed(answer: Answer, request: Request, plan: Plan, words: int, count: int) -> Answer:
    def body() -> Iterator[Piece]:
        seen = 0
        for piece in answer.body:
            yield piece
            if piece.part is Part.CONTENT:
                seen += 1
                if seen == words:
                    yield from itertools.repeat(_broken_event(request), count)

    return replace(answer, body=body()) if request.is_stream else answer


def malformed_last(answer: Answer, request: Request, plan: Plan) -> Answer:
    def body() -> Iterator[Piece]:
        for piece in answer.body:
            if piece.part is Part.FINISH:
                yield _broken_event(request)
                return
            yield piece

    return replace(answer, body=body()) if request.is_stream else answer


def no_done(answer: Answer, request: Request, plan: Plan) -> Answer:
    return _without(answer, Part.DONE)


def no_finish(answer: Answer, request: Request, plan: Plan) -> Answer:
    return _without(answer, Part.FINISH)


def no_events(answer: Answer, request: Request, plan: Plan) -> Answer:
    return replace(answer, body=())


def after_done(answer: Answer, request: Request, plan: Plan, words: int) -> Answer:
    def body() -> Iterator[Piece]:
        yield from answer.body
        for index in range(words):
            yield content_event(request, word(plan.word_count + index))

    return replace(answer, body=body()) if request.is_stream else answer


def duplicates(answer: Answer, request: Request, plan: Plan) -> Answer:
    if not request.is_stream:
        return answer
    twice = (again for piece in answer.body for again in [piece] * (2 if piece.part is Part.CONTENT else 1))
    return replace(answer, body=twice)


def reorder(answer: Answer, request: Request, plan: Plan) -> Answer:
    """Every second content event comes before the one that it follows."""

    def body() -> Iterator[Piece]:
        early: Piece | None = None
        for piece in answer.body:
            if piece.part is Part.CONTENT and early is None:
                early = piece
                continue
            if piece.part is Part.CONTENT:
                yield piece
            if early is not None:
                yield early
                early = None
            if piece.part is not Part.CONTENT:
                yield piece

    return replace(answer, body=body()) if request.is_stream else answer


def endless(answer: Answer, request: Request, plan: Plan) -> Answer:
    """At the plan's gap, or a millisecond; a plain answer goes on with white space."""

    def body() -> Iterator[Piece]:
        pause = plan.gap or 0.001
        if request.is_stream:
            yield from (piece for piece in answer.body if piece.part is Part.START)
            for index in itertools.count():
                yield replace(content_event(request, word(index)), pause=pause)
        while True:
            yield Piece(b" " * 1024, pause=pause)

    framing = Framing.CLOSE if plan.framing is Framing.CLOSE else Framing.CHUNKED
    return replace(answer, body=body(), framing=framing)


def huge_line(answer: Answer, request: Request, plan: Plan, mib: int) -> Answer:
    def body() -> Iterator[Piece]:
        for piece in answer.body:
            if piece.part is Part.FINISH:
                yield replace(content_event(request, "x" * (mib << 20)), words=1)
            yield piece

    return replace(answer, body=body()) if request.is_stream else answer


def crlf(answer: Answer, request: Request, plan: Plan) -> Answer:
    return _rewritten(answer, request, lambda data: data.replace(b"\n", b"\r\n"))


def carriage_return(answer: Answer, request: Request, plan: Plan) -> Answer:
    return _rewritten(answer, request, lambda data: data.replace(b"\n", b"\r"))


def comments(answer: Answer, request: Request, plan: Plan) -> Answer:
    return _rewritten(answer, request, lambda data: b": keep-alive\n\n" + data)


def byte_order_mark(answer: Answer, request: Request, plan: Plan) -> Answer:
    if not request.is_stream:
        return answer
    return replace(answer, body=itertools.chain((Piece(b"\xef\xbb\xbf"),), answer.body))


def _broken_event(request: Request) -> Piece:
    name = b"event: content_block_delta\n" if request.is_anthropic else b""
    return Piece(name + b"data: " + _BROKEN + b"\n\n")


def _first_words(answer: Answer, words: int) -> Iterator[Piece]:
    seen = 0
    for piece in answer.body:
        if piece.part is Part.CONTENT:
            if seen == words:
                return
            seen += 1
        yield piece


def _without(answer: Answer, part: Part) -> Answer:
    return replace(answer, body=(piece for piece in answer.body if piece.part is not part))


def _rewritten(answer: Answer, request: Request, change: Callable[[bytes], bytes]) -> Answer:
    if not request.is_stream:
        return answer
    return replace(answer, body=(replace(piece, data=change(piece.data)) for piece in answer.body))
