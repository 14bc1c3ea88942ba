"""A whole answer to any request that a provider knows, and its refusals, each in the language of the request."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Iterable
from dataclasses import replace

from tests.standin import anthropic, openai, responses
from tests.standin.foreign import language_of
from tests.standin.message import Answer, Cuts, Framing, Headers, Part, Piece, Request
from tests.standin.plan import Plan, timed

JSON: Headers = (("content-type", "application/json"),)
SSE: Headers = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
MODELS = ("standin-large", "standin-small")


def made_up(request: Request, plan: Plan) -> Answer:
    """The answer that the plan describes, before any fault."""
    if other := language_of(request):
        if refused := other.complaint(request):
            return refused
        if not request.is_stream:
            return in_json(200, other.plain(request, plan), plan)
        body = timed(other.stream(request, plan), plan, request.model)
        return Answer(headers=other.STREAM, body=body, framing=plan.framing or Framing.CHUNKED)
    if request.is_stream and request.path.endswith(("/completions", "/messages", "/responses")):
        body = timed(_stream(request, plan), plan, request.model)
        answer = Answer(headers=SSE, body=body, framing=plan.framing or Framing.CHUNKED)
    else:
        answer = in_json(200, _plain(request, plan), plan)
    return answer


def _stream(request: Request, plan: Plan) -> Iterable[Piece]:
    if request.is_responses:
        return responses.stream(request, plan)
    return anthropic.stream(request, plan) if request.is_anthropic else openai.stream(request, plan)


def in_json(status: int, data: object, plan: Plan | None = None) -> Answer:
    """A body of JSON in one piece."""
    words = plan.word_count if plan else 0
    body = (Piece(json.dumps(data, ensure_ascii=False).encode(), words, Part.CONTENT),)
    return Answer(status, JSON, body, framing=plan.framing or Framing.LENGTH if plan else Framing.LENGTH)


def _plain(request: Request, plan: Plan) -> object:
    dialect = anthropic if request.is_anthropic else openai
    match request.path.rpartition("/")[2]:
        case "messages" | "completions":
            answer: object = dialect.plain(request, plan)
        case "responses":
            answer = responses.plain(request, plan)
        case "count_tokens":
            answer = anthropic.count_tokens(request)
        case "embeddings":
            answer = openai.embeddings(request)
        case "moderations":
            answer = openai.moderations(request)
        case "models":
            answer = dialect.models(MODELS)
        case _:
            answer = dialect.model(request.model)
    return answer


def is_known(request: Request) -> bool:
    """Whether a provider has such a path."""
    if language_of(request) is not None:
        return True
    return "/models/" in request.path or request.path.endswith(
        ("/count_tokens", "/messages", "/responses", "/completions", "/embeddings", "/moderations", "/models")
    )


def refusal(
    request: Request, status: int, message: str, *, code: str | None = None, kind: str | None = None, form: str = "json"
) -> Answer:
    """An error of the request's dialect; `form` text, html or empty instead of json is what a proxy in between says."""
    if form == "html":
        page = f"<html><head><title>{status}</title></head><body><h1>{status} {message}</h1></body></html>"
        return Answer(status, (("content-type", "text/html"),), (Piece(page.encode()),))
    if form == "text":
        return Answer(status, (("content-type", "text/plain"),), (Piece(message.encode()),))
    if form == "empty":
        return Answer(status)
    if other := language_of(request):
        return other.refusal(status, message, kind)
    if request.is_anthropic:
        return in_json(status, anthropic.error(status, message, kind))
    return in_json(status, openai.error(status, message, code, kind))


def error_event(request: Request, status: int, message: str) -> Piece:
    """An error inside a stream that began with 200."""
    if other := language_of(request):
        return other.error_event(status, message)
    if request.is_responses:
        return responses.error_event(status, message)
    return anthropic.error_event(status, message) if request.is_anthropic else openai.error_event(status, message)


def content_event(request: Request, text: str) -> Piece:
    """One more word of a stream."""
    if other := language_of(request):
        return other.content_event(text)
    if request.is_responses:
        return responses.content_event(text)
    return anthropic.content_event(text) if request.is_anthropic else openai.content_event(request, text)


def dressed(answer: Answer, request: Request, plan: Plan) -> Answer:
    """With the headers, waits, cuts and end that the plan adds to any answer."""
    name = "request-id" if request.is_anthropic else "x-request-id"
    headers = (*answer.headers, (name, f"req_{request.connection}_{request.nth}"), *plan.headers)
    if plan.retry_after is not None and answer.status >= 400:
        headers = (*headers, _retry_after(*plan.retry_after))
    return replace(
        answer,
        headers=headers,
        delay=plan.delay or answer.delay,
        gate=request.model if plan.is_held or (plan.hold is not None and not request.is_stream) else None,
        cuts=Cuts(plan.cuts) if plan.cuts is not None else answer.cuts,
        drip=plan.drip if plan.drip is not None else answer.drip,
        end=plan.end if answer.is_complete else answer.end,
    )


def _retry_after(form: str, amount: int) -> tuple[str, str]:
    match form:
        case "ms":
            return "retry-after-ms", str(amount)
        case "date":
            return "retry-after", email.utils.formatdate(time.time() + amount, usegmt=True)
        case "reset":
            return "x-ratelimit-reset-requests", f"{amount // 60}m{amount % 60}s" if amount >= 60 else f"{amount}s"
        case _:
            nonsense = {"words": "soon, or later", "negative": "-5", "float": "1.5", "blank": ""}
            return "retry-after", nonsense.get(form, str(amount))
