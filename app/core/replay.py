"""A stream as the plain answer to the same call, and back: what one form of an answer has to say in the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.core.json import Json
from app.core.wire import Frame

#: Characters of text in one event of a replay: some clients read events line by line, and no line without end.
PIECE = 4096


class Collected(Protocol):
    """The frames of one stream so far."""

    def add(self, frame: Frame) -> None: ...

    def answer(self) -> Json | None:
        """The plain answer, once the stream is whole. None: it said something that this form cannot say."""


class Replay(Protocol):
    """The two ways, in one language of clients."""

    def collect(self) -> Collected: ...

    def stream(self, answer: Json, *, usage: bool) -> Sequence[Frame] | None:
        """A plain answer as the frames of a stream, the last one marked; `usage`: whether the client asked for it.

        None: it holds something that a stream says in another way.
        """


def pieces(text: str) -> list[str]:
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
