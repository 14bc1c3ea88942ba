"""What a transport gives back: an answer whose head is here and whose body may still be on its way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from app.core.provider import Provider
from app.core.wire import UpstreamRequest
from app.upstream.watch import Guard


class Answer(Protocol):
    status: int

    @property
    def headers(self) -> Mapping[str, str]:
        """Lower-case names."""

    def read(self) -> bytes:
        """The whole body, and the connection is free again. Raises GatewayError."""

    def piece(self) -> bytes:
        """What has come since the last call, as soon as there is any; b"" at the end. Raises GatewayError."""

    def finish(self) -> None:
        """The body has said that it is over: take what little is left, so that the connection can be used again."""

    def close(self) -> None:
        """Hang up. Idempotent."""


class Transport(Protocol):
    def send(self, provider: Provider, request: UpstreamRequest, connect: float, guard: Guard) -> Answer:
        """Send and wait for the head of the answer, whatever its status.

        `connect` bounds the connection, in seconds; `guard` everything after it. Raises GatewayError.
        """
