"""A provider as data, and the one interface that a language of providers implements."""

from __future__ import annotations

import threading
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

    @property
    def marks(self) -> bool:
        """Whether its chat knows Anthropic's own words, too: `cache_control`, and `thinking_blocks` in the history."""

    def encode(self, ask: Ask, provider: Provider, model: str) -> UpstreamRequest:
        """Raises GatewayError (invalid_request, with the field) for what would change the answer if left out."""

    def decode(self, ask: Ask, provider: Provider, body: Json) -> Frame:
        """A plain 200 body. Raises ValueError where it is not an answer."""

    def reader(self, ask: Ask, provider: Provider) -> Reader:
        """For a 200 stream."""

    def decode_error(self, provider: Provider, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        """Any other answer: status first, the provider's own code second. Headers have lower-case names."""


class Patience(Protocol):
    """One call's: how long it may wait for something that somebody else does."""

    def until(self, ready: threading.Event, provider: str) -> None:
        """Wait for an event that is this call's alone.

        Raises:
            GatewayError: the call's time is up, or its client has left.
        """


class Credentials(Protocol):
    """What proves who we are where it cannot be written down once: a token that expires, a signature of the request."""

    @property
    def fingerprint(self) -> str:
        """Another one when they are changed; says nothing about them."""

    def prepare(self) -> None:
        """Calls will come: begin to fetch what takes time. Does not wait."""

    def headers(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, patience: Patience
    ) -> Mapping[str, str]:
        """What to add to a request that is otherwise as it will be sent.

        Raises:
            GatewayError: naming the provider: authentication where they are refused, connection where nobody was there
                to make them.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """Where in a cloud a provider is, and the file of its credentials. Each kind takes what it needs of this."""

    region: str | None = None
    project: str | None = None
    location: str | None = None
    credentials_file: str | None = None


NOWHERE = Cloud()


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
    cloud: Cloud = NOWHERE
    credentials: Credentials | None = None  # asked for each request, beside `headers`
    models: tuple[str, ...] = ()  # upstream names offered as provider/model; "*": all
