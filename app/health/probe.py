"""One question to a provider that costs nothing: which models there are."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import GatewayError
from app.core.provider import Provider
from app.health import verdict
from app.health.verdict import Result
from app.upstream.client import HttpAnswer, HttpTransport
from app.upstream.watch import Guard

_READ = 65536  # bytes of a list; some are megabytes long, and their beginning shows as much


@dataclass(frozen=True, slots=True)
class Finding:
    result: Result
    status: int | None  # HTTP's, where there was an answer


def ask(transport: HttpTransport, provider: Provider, url: str, connect: float, guard: Guard) -> Finding:
    """`connect`: seconds for the connection; the Guard bounds the rest."""
    try:
        answer = transport.get(provider, url, connect, guard)
        try:
            body = _beginning(answer)
        finally:
            answer.close()
    except GatewayError as error:
        return Finding(verdict.of_failure(error), None)
    return Finding(verdict.of_answer(provider, answer.status, answer.headers, body), answer.status)


def _beginning(answer: HttpAnswer) -> bytes:
    found = b""
    while len(found) < _READ and (piece := answer.piece()):
        found += piece
    return found
