"""What a language of clients must be able to say. Implemented by app/surfaces, carried by each Call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from app.core.delivered import Delivered
from app.core.errors import GatewayError
from app.core.json import Json
from app.core.replay import Replay
from app.core.wire import Ask, Frame, Operation


class Translation(Protocol):
    """One ask turned into a chat ask, and the way back for its answer. Holds the state of one stream."""

    ask: Ask  # operation CHAT
    dropped: tuple[str, ...]  # fields that chat cannot say
    called: Mapping[str, str]  # fields of chat -> what the client calls them, where that is something else

    def whole(self, frame: Frame) -> Frame:
        """A plain chat answer, in this language."""

    def feed(self, frame: Frame) -> Sequence[Frame]:
        """A frame of a chat stream, in this language: none, one or several frames."""

    def end(self) -> Sequence[Frame]:
        """The chat stream is complete: what was held back."""


class Language(Protocol):
    """How one kind of client speaks."""

    @property
    def operation(self) -> Operation: ...

    @property
    def done(self) -> bytes:
        """What ends a stream after its last frame."""

    @property
    def carried_by_chat(self) -> bool:
        """Whether through_chat works: dialects that do not speak this language can be asked in chat."""

    def check(self, body: Json) -> None:
        """Raises GatewayError (invalid_request) naming the field that no provider could make sense of."""

    def wants_usage(self, body: Json) -> bool:
        """Whether the client asked for usage in its stream."""

    def render(self, frame: Frame) -> bytes:
        """A frame with data as a server-sent event."""

    def error(self, error: GatewayError, call_id: str) -> Json:
        """The error object of this language."""

    def error_event(self, error: GatewayError, call_id: str, after: Sequence[Frame] = ()) -> bytes:
        """The same, inside a stream that has begun; `after` are the frames that left last."""

    def unaided(self, body: Json) -> Frame | None:
        """An answer for want of a provider that could give a better one; marked as an estimate. None: there is none."""

    def delivered(self) -> Delivered | None:
        """An account of a stream, for its rescue; None in languages whose streams cannot go on in another one."""

    def replay(self) -> Replay | None:
        """Between its streams and its plain answers; None in languages without streams, or with others."""

    def through_chat(self, ask: Ask) -> Translation:
        """For dialects that do not speak this language; never called where chat does not carry it."""
