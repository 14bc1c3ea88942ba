"""One upstream answer as batches of frames in the client's language, from its first event to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from app.core.attempt import Attempt
from app.core.clock import Clock
from app.core.errors import ErrorType, GatewayError
from app.core.exchange import Batch
from app.core.language import Translation
from app.core.provider import Reader
from app.core.wire import Event, Frame, Framing, Unreadable
from app.upstream.answer import Answer
from app.upstream.framing import splitter
from app.upstream.watch import NEVER, Guard, Watch

TURN = 16384  # bytes that a stream may hand on before others have their turn: a few milliseconds' work
AFTER_FINISH = 2.0  # seconds that usage or the end may take after the finish reason


class Bounds:
    """The attempt, until when the whole call may take (monotonic), and the guard that sees to it."""

    __slots__ = ("_ends_at", "_guard", "_token_by", "_watch", "attempt", "clock")

    def __init__(self, attempt: Attempt, ends_at: float, guard: Guard, watch: Watch, clock: Clock) -> None:
        self.attempt = attempt
        self._ends_at = ends_at
        self._guard = guard
        self._watch = watch
        self.clock = clock
        first_token = attempt.target.timeouts.first_token
        self._token_by = NEVER if first_token is None else clock.monotonic() + first_token

    def allow(self, silence: float | None) -> None:
        """From now on, so many seconds of silence at most."""
        due = self._ends_at if silence is None else self.clock.monotonic() + silence
        self._guard.due = due if due < self._ends_at else self._ends_at

    def allow_first(self) -> None:
        """The same, while the provider may think: until any event, and in all until the first content."""
        self.allow(self.attempt.target.timeouts.first_byte)
        self._guard.due = min(self._guard.due, self._token_by)

    def rest(self) -> None:
        """It is not the provider who is waited for: no silence is counted, the whole call is."""
        self._guard.due = self._ends_at

    def end(self) -> None:
        self._watch.end(self._guard)


class Judge(Protocol):
    """Who is told how an attempt ended; the first word counts."""

    def succeeded(self) -> None: ...
    def failed(self, error: GatewayError, /) -> None: ...
    def abandoned(self) -> None: ...


class Stream:
    """Iterator of batches with a close(), and the end of its guard.

    A failure after the first content is `stream_interrupted`, whatever it was: what the client has read cannot be
    unsaid. Events that came before the failure, in the same piece, are handed on first.
    """

    __slots__ = (
        "_answer",
        "_attempt",
        "_bounds",
        "_content",
        "_failure",
        "_held",
        "_judge",
        "_over",
        "_reader",
        "_skipped",
        "_splitter",
        "_translation",
        "_turn",
    )

    def __init__(
        self,
        answer: Answer,
        reader: Reader,
        translation: Translation | None,
        bounds: Bounds,
        *,
        framing: Framing,
        judge: Judge,
        skipped: Callable[[], None],
    ) -> None:
        """`skipped` hears of each event that could not be read."""
        self._answer = answer
        self._attempt = bounds.attempt
        self._reader = reader
        self._translation = translation
        self._bounds = bounds
        self._judge = judge
        self._skipped = skipped
        self._splitter = splitter(framing)
        self._content = False
        self._turn = 0  # bytes since others had theirs
        self._held: list[Batch] = []  # from the last to the first
        self._failure: GatewayError | None = None
        self._over = False

    def begin(self) -> None:
        """Wait for the first content, or for an answer that ends well without any. Raises as the upstream fails."""
        try:
            while not self._content and (batch := self._fresh()) is not None:
                self._held.append(batch)
        except BaseException:
            self._answer.close()
            raise
        self._held.reverse()

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Batch:
        batch = self._held.pop() if self._held else self._fresh()
        if batch is None:
            raise StopIteration
        return batch

    def close(self) -> None:
        self._over = True
        self._held.clear()
        self._answer.close()
        self._bounds.end()
        self._judge.abandoned()

    def _fresh(self) -> Batch | None:
        """The next batch from upstream; None after the last."""
        while not self._over:
            if self._failure is not None:
                self._over = True
                self._answer.close()
                self._judge.failed(self._failure)
                raise self._failure
            if batch := self._read():
                return batch
        return None

    def _read(self) -> list[Frame]:
        """The frames of one piece from the socket; none is normal."""
        frames: list[Frame] = []
        if self._content and not self._reader.complete:
            self._bounds.allow(self._attempt.target.timeouts.idle)
        try:
            piece = self._answer.piece()
            if piece:
                self._take(piece, frames)
                self._turn += len(piece)
                if self._turn > TURN:  # what is always there already is never waited for, and nobody else would run
                    self._turn = 0
                    self._bounds.clock.sleep(0)
            else:
                self._end(frames)
        except GatewayError as error:
            self._fail(error, frames)
        return frames

    def _take(self, piece: bytes, frames: list[Frame]) -> None:
        reader = self._reader
        was_complete = reader.complete
        self._attempt.latest = self._bounds.clock.monotonic()
        for event in self._split(piece):
            try:
                made = reader.feed(event)
            except ValueError:
                self._skipped()
                continue
            if reader.done and not reader.complete:
                made = [frame for frame in made if not frame.last]  # it is over, and no translation may call it whole
            self._add(made, frames)
            if reader.done:
                self._end(frames)
                return
        if not reader.complete:
            if self._content:
                self._bounds.rest()  # a client that reads slowly is no silence of the provider
            else:
                self._bounds.allow_first()
        elif not was_complete:
            self._bounds.allow(AFTER_FINISH)

    def _add(self, made: Batch, frames: list[Frame]) -> None:
        """What the reader made, in the client's language."""
        attempt = self._attempt
        for frame in made:
            if frame.chars:
                attempt.chars += frame.chars
                if not self._content:
                    self._content = True
                    attempt.first = attempt.latest
            if frame.usage is not None:
                attempt.usage = frame.usage
            if self._translation is None:
                frames.append(frame)
            else:
                frames.extend(self._translation.feed(frame))

    def _split(self, piece: bytes) -> Iterable[Event]:
        try:
            return self._splitter.feed(piece)
        except Unreadable as error:
            return self._before(error)

    def _before(self, error: Unreadable) -> Iterator[Event]:
        yield from error.events
        raise self._named(ErrorType.INVALID_RESPONSE, f"sent a stream that cannot be read: {error}") from error

    def _end(self, frames: list[Frame]) -> None:
        if not self._reader.complete:
            raise self._named(ErrorType.INVALID_RESPONSE, "ended its stream before the answer was complete")
        if not self._reader.done:
            self._add(self._reader.end(), frames)
        if self._translation is not None:
            frames.extend(self._translation.end())
        self._over = True
        self._attempt.complete = True
        self._attempt.ended = self._attempt.latest
        self._answer.finish()
        self._bounds.end()
        self._judge.succeeded()

    def _fail(self, error: GatewayError, frames: list[Frame]) -> None:
        if self._reader.complete:  # all that matters has come: silence or a cut after the finish reason is no loss
            self._answer.close()
            self._end(frames)
        elif self._content and not error.ends_the_call:
            message = f"the stream broke off: {error.message}"
            self._failure = GatewayError(
                ErrorType.STREAM_INTERRUPTED, message, provider=error.provider, silent=error.silent
            )
            self._failure.__cause__ = error
        else:
            self._failure = error

    def _named(self, error_type: ErrorType, what: str) -> GatewayError:
        name = self._attempt.target.provider.name
        return GatewayError(error_type, f"provider {name} {what}", provider=name)
