"""Refusals, and bodies that are not what their head says."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tests.standin.answers import JSON, SSE, content_event, in_json, made_up, refusal
from tests.standin.message import Answer, Framing, Headers, Part, Piece, Request
from tests.standin.plan import Plan

_BLOCK = b"a" * (64 << 10)


def status(answer: Answer, request: Request, plan: Plan, code: int) -> Answer:
    return refusal(request, code, f"the stand-in answers {code}", form=plan.error_form)


def quota(answer: Answer, request: Request, plan: Plan) -> Answer:
    message = "You exceeded your current quota, please check your plan and billing details."
    if request.is_anthropic:
        return refusal(request, 402, message, form=plan.error_form)
    return refusal(request, 429, message, code="insufficient_quota", kind="insufficient_quota", form=plan.error_form)


def context_length(answer: Answer, request: Request, plan: Plan) -> Answer:
    if request.is_anthropic:
        return refusal(request, 400, "prompt is too long: 250000 tokens > 200000 maximum")
    message = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
    return refusal(request, 400, message, code="context_length_exceeded")


def content_filter(answer: Answer, request: Request, plan: Plan) -> Answer:
    if request.is_anthropic:
        return refusal(request, 400, "Output blocked by content filtering policy")
    message = "The response was filtered due to the prompt triggering the content management policy."
    return refusal(request, 400, message, code="content_filter")


def bad_key(answer: Answer, request: Request, plan: Plan, code: str) -> Answer:
    if request.is_anthropic:
        return refusal(request, int(code), "invalid x-api-key", kind="authentication_error")
    return refusal(request, int(code), "Incorrect API key provided: sk-standin.", code="invalid_api_key")


def bad_json(answer: Answer, request: Request, plan: Plan) -> Answer:
    return replace(answer, headers=JSON, body=(Piece(b'{"id": nobody, choices: [}'),))


def truncated(answer: Answer, request: Request, plan: Plan) -> Answer:
    whole = b"".join(piece.data for piece in answer.body)
    return replace(answer, body=(Piece(whole[: len(whole) // 2]),))


def empty_body(answer: Answer, request: Request, plan: Plan) -> Answer:
    return replace(answer, headers=JSON, body=(), framing=Framing.LENGTH)


def no_choices(answer: Answer, request: Request, plan: Plan) -> Answer:
    """For a stream, one without any content that ends as it should."""
    if request.is_stream:
        return replace(answer, body=(piece for piece in answer.body if piece.part in {Part.START, Part.DONE}))
    empty = replace(plan, words=0, tools=0)
    if request.is_anthropic:
        return made_up(request, empty)
    return in_json(200, {"id": "empty", "object": "chat.completion", "created": 0, "model": "", "choices": []})


def wrong_shape(answer: Answer, request: Request, plan: Plan) -> Answer:
    return in_json(200, {"id": 7, "type": [], "choices": "none", "content": 0, "data": None, "usage": "much"})


def swap(answer: Answer, request: Request, plan: Plan) -> Answer:
    return made_up(replace(request, fields=request.fields | {"stream": not request.is_stream}), plan)


def mislabel(answer: Answer, request: Request, plan: Plan, label: str) -> Answer:
    kinds: dict[str, Headers] = {"html": (("content-type", "text/html"),), "json": JSON, "sse": SSE, "none": ()}
    others = tuple(header for header in answer.headers if header[0] != "content-type")
    return replace(answer, headers=(*kinds[label], *others))


def huge(answer: Answer, request: Request, plan: Plan, mib: int) -> Answer:
    """The answer's own body with N MiB of text in it; a stream has them in events of 64 KiB."""

    def body() -> Iterator[Piece]:
        if request.is_stream:
            for piece in answer.body:
                if piece.part is Part.FINISH:
                    yield from (content_event(request, _BLOCK.decode()) for _ in range(mib << 4))
                yield piece
            return
        yield Piece(b'{"filler": "')
        yield from (Piece(_BLOCK) for _ in range(mib << 4))
        yield Piece(b'", ')
        whole = b"".join(piece.data for piece in answer.body)
        yield Piece(whole[1:])

    return replace(answer, body=body(), framing=plan.framing or Framing.CHUNKED)


def zipped(answer: Answer, request: Request, plan: Plan) -> Answer:
    return _coded(answer, "gzip", _gzip(answer.body))


def bad_gzip(answer: Answer, request: Request, plan: Plan) -> Answer:
    """A good beginning, then noise."""
    whole = b"".join(piece.data for piece in _gzip(answer.body))
    half = len(whole) // 2
    return _coded(answer, "gzip", (Piece(whole[:half]), Piece(b"\xff" * 64), Piece(whole[half:])))


def bomb(answer: Answer, request: Request, plan: Plan, mib: int) -> Answer:
    return _coded(answer, "gzip", _gzip(huge(answer, request, plan, mib).body, flush=request.is_stream))


def unknown_coding(answer: Answer, request: Request, plan: Plan) -> Answer:
    return _coded(answer, "x-rot13", answer.body)


def _coded(answer: Answer, coding: str, body: Iterable[Piece]) -> Answer:
    return replace(answer, headers=(*answer.headers, ("content-encoding", coding)), body=body)


def _gzip(body: Iterable[Piece], *, flush: bool = True) -> Iterator[Piece]:
    packer = zlib.compressobj(wbits=31)
    for piece in body:
        data = packer.compress(piece.data) + (packer.flush(zlib.Z_SYNC_FLUSH) if flush else b"")
        if data:
            yield replace(piece, data=data)
    yield Piece(packer.flush())
