"""A Reply into a Response: one JSON body, or server-sent events."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response

from app.core.call import Call
from app.core.errors import GatewayError
from app.core.exchange import Batch, Exchange, Reply
from app.core.json import dumps
from app.core.language import Language
from app.core.wire import ANTHROPIC, Frame

_FIELDS = 1024  # characters of all their names together: proxies have a few kilobytes for all headers


def response(call: Call, reply: Reply) -> Response:
    """The headers tell who answered; the body is on its way."""
    headers = _headers(reply.exchange)
    if call.stream:
        headers["X-Accel-Buffering"] = "no"
        headers["Cache-Control"] = "no-cache"
        return Response(
            Events(reply, call.language),
            headers=headers,
            content_type="text/event-stream; charset=utf-8",
            direct_passthrough=True,  # the server iterates and closes it itself; nothing of Flask's outlives the head
        )
    try:
        (frame,) = next(reply)
    finally:
        reply.close()
    return Response(frame.encoded or dumps(frame.data), headers=headers, content_type="application/json")


def identified(id_: str, language: Language) -> dict[str, str]:
    headers = {"x-request-id": id_}
    if language.operation in ANTHROPIC:
        headers["request-id"] = id_  # where Anthropic's SDK looks for it
    return headers


def answered(provider: str | None, model: str | None, attempts: int | None, cache: str | None) -> dict[str, str]:
    """Who answered a call, or failed; what is not known, or means nothing, is left out."""
    told = {"provider": provider, "model": model and _visible(model), "attempts": attempts, "cache": cache}
    return {f"x-gateway-{name}": str(value) for name, value in told.items() if value is not None}


def _listed(fields: Sequence[str]) -> str:
    """Names of fields, which may be the client's own words too: as many as a header can take."""
    named = ", ".join(_visible(name) for name in fields)
    return named if len(named) <= _FIELDS else named[: named.rindex(",", 0, _FIELDS)] + ", ..."


def _visible(name: str) -> str:
    """A model's name may be the client's own word, and a header takes little."""
    if name.isascii() and name.isprintable():
        return name
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in name)


def _headers(exchange: Exchange) -> dict[str, str]:
    headers = identified(exchange.call.id, exchange.call.language)
    target, stored = exchange.target, exchange.stored
    if stored is not None:  # who wrote it, though nobody was asked this time
        headers |= answered(stored.provider, stored.model, 0, exchange.cache)
        headers["Age"] = str(stored.age)
    elif target is None or exchange.headless:
        headers |= answered(None, None, None, exchange.cache)
    else:
        headers |= answered(target.provider.name, target.model, exchange.attempts, exchange.cache)
    headers |= exchange.headers
    if exchange.estimated:
        headers["x-gateway-estimated"] = "true"
    if exchange.dropped:
        headers["x-gateway-dropped"] = _listed(exchange.dropped)
    return headers


def _comment(frame: Frame) -> bytes:
    return b": %s\n\n" % frame.comment.encode() if frame.comment else b""


class Events:
    """The bytes of a stream. A broken stream ends in an error event and never looks complete."""

    __slots__ = ("_language", "_last", "_over", "_reply")

    def __init__(self, reply: Reply, language: Language) -> None:
        self._reply = reply
        self._language = language
        self._over = False
        self._last: Batch = ()

    def __iter__(self) -> Events:
        return self

    def __next__(self) -> bytes:
        render = self._language.render
        while not self._over:
            try:
                batch = self._reply.__next__()
            except StopIteration:
                self._over = True
                if self._language.done:
                    return self._language.done
            except GatewayError as error:
                self._over = True
                return self._language.error_event(error, self._reply.exchange.call.id, self._last)
            else:
                self._last = batch
                if sent := b"".join([render(f) if f.data is not None else _comment(f) for f in batch]):
                    return sent
        raise StopIteration

    def close(self) -> None:
        self._reply.close()
