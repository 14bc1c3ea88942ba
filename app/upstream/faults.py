"""What the simulated provider gets wrong when it is told to, at random: refusals, and accidents on the wire.

Each is what a real provider or its network would do, so that the dialect, the reader and the clocks make of it what
they make of those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Never

from app.core.errors import ErrorType, GatewayError
from app.core.json import dumps
from app.core.provider import Provider
from app.upstream.watch import Guard

SLOWER = 10  # times
_LONG = 3600.0  # seconds of a silence that the guard ends


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is none; headers have lower-case names."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def _refusal(status: int, code: str, kind: str, message: str, **headers: str) -> Refusal:
    error = {"message": f"simulated: {message}", "type": kind, "param": None, "code": code}
    return Refusal(status, dumps({"error": error}), {name.replace("_", "-"): value for name, value in headers.items()})


_REQUEST = "invalid_request_error"

#: As OpenAI would say it.
REFUSALS: Mapping[str, Refusal] = {
    "authentication": _refusal(401, "invalid_api_key", _REQUEST, "the key is wrong"),
    "content_filter": _refusal(400, "content_filter", _REQUEST, "the prompt was blocked"),
    "context_length": _refusal(400, "context_length_exceeded", _REQUEST, "the prompt is too long"),
    "invalid_request": _refusal(400, "invalid_value", _REQUEST, "the request is not understood"),
    "model_not_found": _refusal(404, "model_not_found", _REQUEST, "there is no such model"),
    "overloaded": _refusal(503, "overloaded", "server_error", "too much to do"),
    "quota_exceeded": _refusal(429, "insufficient_quota", "insufficient_quota", "the account is empty"),
    "rate_limited": _refusal(429, "rate_limit_exceeded", "requests", "too many requests", retry_after="1"),
    "server_error": _refusal(500, "server_error", "server_error", "something broke"),
}


#: Of what would be asked of it.
TOO_MUCH = _refusal(400, "invalid_value", _REQUEST, "too many inputs, or numbers in their vectors")


@dataclass(frozen=True, slots=True)
class Body:
    """A good answer in pieces. After the first `half` of them, half of it has been said."""

    pieces: Iterator[bytes]
    half: int
    stream: bool


Accident = Callable[[Body, Provider, Guard], Iterator[bytes]]


def _timeout(body: Body, provider: Provider, guard: Guard) -> Iterator[bytes]:
    yield from ()
    _fall_silent(provider, guard)


def _stall(body: Body, provider: Provider, guard: Guard) -> Iterator[bytes]:
    yield from islice(body.pieces, body.half)
    _fall_silent(provider, guard)


def _cut(body: Body, provider: Provider, guard: Guard) -> Iterator[bytes]:
    yield from islice(body.pieces, body.half)
    raise unreachable(provider)


def _interrupted(body: Body, provider: Provider, guard: Guard) -> Iterator[bytes]:
    """Providers say so in the stream itself; a plain answer has no place for it."""
    if not body.stream:
        yield from _cut(body, provider, guard)
    yield from islice(body.pieces, body.half)
    yield b"data: " + REFUSALS["server_error"].body + b"\n\n"


def _malformed(body: Body, provider: Provider, guard: Guard) -> Iterator[bytes]:
    """One event of a stream, or the whole of a plain answer."""
    yield from islice(body.pieces, body.half)
    if body.stream:
        yield b'data: {"choices": [{"delta\n\n'
        yield from body.pieces


def _no_answer(body: Body, provider: Provider, guard: Guard) -> Iterator[bytes]:
    yield b"<html><title>simulated: this is a page</title></html>\n\n"


ACCIDENTS: Mapping[str, Accident] = {
    "timeout": _timeout,
    "stall": _stall,
    "cut": _cut,
    "stream_interrupted": _interrupted,
    "malformed": _malformed,
    "invalid_response": _no_answer,
}


@dataclass(frozen=True, slots=True)
class Faults:
    """How often which one happens. `shares`: of all calls, 0 to 1, at most 1 in all; `chance` gives 0 to 1."""

    shares: Mapping[str, float]
    chance: Callable[[], float]

    def draw(self) -> str | None:
        """What goes wrong this time; None: nothing."""
        left = self.chance()
        for name, share in self.shares.items():
            left -= share
            if left < 0:
                return name
        return None


def unreachable(provider: Provider) -> GatewayError:
    message = f"provider {provider.name} could not be reached, or closed the connection"
    return GatewayError(ErrorType.CONNECTION, message, provider=provider.name)


def _fall_silent(provider: Provider, guard: Guard) -> Never:
    while True:
        guard.wait(_LONG, provider=provider.name)
