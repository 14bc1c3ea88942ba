"""What a client has been given of a stream, so that another stream can go on where the first one broke."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.core.json import Json
from app.core.wire import Frame


class Diverged(ValueError):
    """The other stream says something else than what was delivered."""


class Delivered(Protocol):
    """The text so far, in one language of clients. `note` hears every frame that leaves."""

    def note(self, frame: Frame) -> None: ...

    def can_go_on(self) -> bool:
        """Whether the stream broke inside plain text, of which something was delivered."""

    def continued(self, body: Json) -> Json:
        """The request for whoever is to go on: its last message is the text so far."""

    def goes_on(self) -> None:
        """The next stream's frames begin after the text so far."""

    def begins_again(self) -> None:
        """The next stream's frames begin at the beginning."""

    def join(self, frame: Frame) -> Sequence[Frame]:
        """A frame of the next stream as the rest of the first one. Raises Diverged."""
