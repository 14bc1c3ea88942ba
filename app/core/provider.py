"""A provider as data, and the one interface that a language of providers implements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.core.errors import GatewayError
from app.core.json import Json
from app.core.wire import Ask, Event, Frame, Operation, UpstreamRequest


class Reader(Protocol):
    """The state of one upstream stream, from its first event to its end. Pure: fed with events, gives frames."""

    complete: bool  # the provider said that its answer is whole (finish reason seen)
    done: bool  # nothing more will come ([DONE], message_stop)

    def feed(self, event: Event) -> Sequence[Frame]:
        """Frames that this event makes: none, one or several.

        Raises:
            GatewayError: the event is an error of the provider, decoded.
            ValueError: the event is malformed (NotJson is one); the caller skips and counts it.
        """

    def end(self) -> Sequence[Frame]:
        """The answer is complete and the stream over, without the mark that ends it: what that would have made."""


class Dialect(Protocol):
    """How one family of upstream APIs is spoken. Pure: no I/O, no clock, no environment."""

    @property
    def native(self) -> frozenset[Operation]:
        """Asks it takes as they are; others reach it as CHAT, translated, or not at all."""

    def encode(self, ask: Ask, provider: Provider, model: str) -> UpstreamRequest:
        """Raises GatewayError (invalid_request, with the field) for what would change the answer if left out."""

    def decode(self, ask: Ask, provider: Provider, body: Json) -> Frame:
        """A plain 200 body. Raises ValueError where it is not an answer."""

    def reader(self, ask: Ask, provider: Provider) -> Reader:
        """For a 200 stream."""

    def decode_error(self, provider: Provider, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        """Any other answer: status first, the provider's own code second. Headers have lower-case names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A configured provider. Whoever speaks a known dialect is one row of data and no code."""

    name: str  # label in metrics, prefix of targets
    kind: str  # its row
    base_url: str
    dialect: Dialect
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # sent with each request, credentials included
    proxy: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    api_version: str | None = None
    models: tuple[str, ...] = ()  # upstream names offered as provider/model; "*": all
