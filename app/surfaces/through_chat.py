"""What languages have in common that are carried by chat: one ask there, and the stream of its answer back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Ask, Frame, Operation


@dataclass(frozen=True, slots=True)
class Written:
    """A request in chat. `dropped`: fields that chat cannot say. `names`: the real names of tools whose were cut."""

    body: Json
    dropped: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)


class ChatWriter(ABC):
    """Chunks of a chat stream as the events of another language, which go to `_out`."""

    def __init__(self) -> None:
        self._out: list[Frame] = []
        self._started = self._over = False
        self._finish: str | None = None
        self._usage: Usage | None = None

    def feed(self, frame: Frame) -> Sequence[Frame]:
        self._out = []
        if frame.usage is not None:
            self._usage = frame.usage
        if frame.data is not None:
            if not self._started:
                self._started = True
                self._start(frame.data)
            self._chunk(frame.data)
        if frame.usage is not None and not self._over:
            self._out.append(Frame(None, usage=frame.usage))  # for the books, should the client leave early
        if frame.last:
            self._end()
        return self._out

    def end(self) -> Sequence[Frame]:
        self._out = []
        self._end()
        return self._out

    def _end(self) -> None:
        if self._over:
            return
        if not self._started:
            self._started = True
            self._start({})
        self._over = True
        self._finished()

    @abstractmethod
    def _start(self, chunk: Json) -> None:
        """Before the first chunk, which is given, or before the end of a stream that had none."""

    @abstractmethod
    def _chunk(self, chunk: Json) -> None: ...

    @abstractmethod
    def _finished(self) -> None:
        """Once, when the chat stream is over."""


class ThroughChat:
    """A request for a provider that is asked in chat, and the way back. `whole` turns a plain answer."""

    def __init__(
        self, ask: Ask, written: Written, called: Mapping[str, str], writer: ChatWriter, whole: Callable[[Frame], Frame]
    ) -> None:
        self.ask = replace(ask, operation=Operation.CHAT, body=written.body, wants_usage=ask.stream, headers={})
        self.dropped = written.dropped
        self.called = called
        self._writer = writer
        self._whole = whole

    def whole(self, frame: Frame) -> Frame:
        return self._whole(frame)

    def feed(self, frame: Frame) -> Sequence[Frame]:
        return self._writer.feed(frame)

    def end(self) -> Sequence[Frame]:
        return self._writer.end()
