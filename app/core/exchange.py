"""How a call ends, told once to everyone who must know.

An Exchange begins when a call is accepted and ends exactly once. While `answer()` runs, an exception ends it. After
`hand_over()` the Reply ends it: with its last frame, when the upstream breaks off, or when the server closes it because
the client has left. Observers may fail; calls may not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from app.core.attempt import Attempt
from app.core.call import Call, Route, Target
from app.core.clock import Clock
from app.core.errors import ErrorType, GatewayError, Status
from app.core.text import prompt_tokens
from app.core.usage import NOTHING, Usage, at_least
from app.core.wire import Frame

log = logging.getLogger(__name__)

PROGRESS = 1.0  # seconds between two words about a stream that goes on

Batch = Sequence[Frame]  # the frames that one read from the upstream made: they leave together


@dataclass(frozen=True, slots=True)
class Stored:
    """A kept answer that was given again, and who gave it first."""

    provider: str
    model: str  # as that provider calls it
    age: int  # seconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a call. `seconds` run from its arrival; `ttft` to the first content, None where none was shown.

    An error with a provider was told by `on_failure` as well; one without is a refusal of ours and told only here.

    A tenant pays for what was delivered, once; providers charge for whatever they made, in every attempt.
    """

    status: Status
    error: GatewayError | None
    target: Target | None  # who answered, or was asked last; None where nobody was
    usage: Usage | None  # as the provider counted what was delivered; None where it said nothing
    chars: int  # of content that left the house
    ttft: float | None
    seconds: float
    rescued: int  # times that a broken stream went on in another one
    attempts: Sequence[Attempt] = ()  # in their order
    malformed: int = 0  # events of providers that could not be read and were left out
    cache: str = "bypass"  # or hit, and then nobody was asked, or miss

    @property
    def delivered(self) -> Usage:
        """What the client got: reported where the answer is complete, else guessed from its length where need be."""
        if self.usage is not None and self.status is Status.SUCCESS:
            return self.usage
        return at_least(self.usage, self.chars, self.attempts[-1].prompt if self.attempts else 0)

    @property
    def charged(self) -> Usage:
        """What the tenant pays for: nothing where no provider was asked."""
        return self.delivered if self.attempts else NOTHING

    @property
    def cost(self) -> float:
        """USD that the tenant pays, by the price of who answered."""
        return self.target.price.of(self.charged) if self.target is not None else 0.0

    @property
    def spent(self) -> float:
        """USD that providers charge, for all attempts."""
        return sum(attempt.cost() for attempt in self.attempts)

    @property
    def guessed(self) -> bool:
        """Whether what the tenant pays for is a guess: nobody counted it, or not to its end."""
        return self.charged.output > (self.usage.output if self.usage is not None else 0)


class Observer:
    """Whoever follows a call. Every hook does nothing; implement the ones you need."""

    __slots__ = ()

    def on_route(self, route: Route) -> None:
        """It is known which model is meant."""

    def on_attempt(self, target: Target) -> None:
        """An attempt begins."""

    def on_failure(self, target: Target, error: GatewayError) -> None:
        """That attempt failed, before its first content or after; another may follow."""

    def on_first_content(self, seconds: float) -> None:
        """The first content is about to leave, this long after the call came."""

    def on_progress(self, attempt: Attempt) -> None:
        """Its stream goes on: told about once a second."""

    def on_end(self, outcome: Outcome) -> None:
        """The call is over. Called exactly once."""


Joined = TypeVar("Joined", bound=Observer)


class Exchange:
    """A context manager until `hand_over()`, then the Reply's business."""

    def __init__(self, call: Call, clock: Clock) -> None:
        self.call = call
        self.target: Target | None = None
        self.dropped: tuple[str, ...] = ()
        self.cache = "bypass"  # or hit, or miss
        self.headers: dict[str, str] = {}  # that the answer carries, be it an error
        self.stored: Stored | None = None
        self.rescued = 0  # times that a broken stream went on in another one
        self.malformed = 0  # events that could not be read and were left out
        self.silent: set[str] = set()  # targets that took the request and said nothing: none is asked for it again
        self.headless = False  # the head left before it was known who would answer
        self.estimated = False  # no provider was asked: the answer is a guess of ours
        self._clock = clock
        self._observers: list[Observer] = []
        self._attempts: list[Attempt] = []
        self._usage: Usage | None = None
        self._ttft: float | None = None
        self._chars = 0
        self._next_progress = 0.0  # monotonic
        self._handed_over = self._over = False

    @property
    def attempts(self) -> int:
        """How many there were so far."""
        return len(self._attempts)

    def join(self, observer: Joined) -> Joined:
        self._observers.append(observer)
        return observer

    def routed(self, route: Route) -> None:
        self._tell("on_route", route)

    def attempt(self, target: Target) -> Attempt:
        """The account of a question that is about to be sent; whoever reads the answer writes it."""
        if self._over:  # the client left while another thread went on searching
            raise GatewayError(ErrorType.CANCELLED, "the client left")
        self.target = target
        attempt = Attempt(target, self._clock.monotonic())
        self._attempts.append(attempt)
        self._tell("on_attempt", target)
        return attempt

    def failure(self, target: Target, error: GatewayError) -> None:
        error.told = True
        error.model = target.model
        if error.silent:
            self.silent.add(target.name)
        if self._attempts and self._attempts[-1].target is target:
            self._close(self._attempts[-1], error)
        if not self._over:
            self._tell("on_failure", target, error)

    def skipped(self) -> None:
        """An event of the provider was malformed: the answer goes on without it."""
        self.malformed += 1
        if self._attempts:
            self._attempts[-1].malformed += 1

    def batch(self, frames: Batch) -> None:
        for frame in frames:
            if frame.usage is not None:
                self._usage = frame.usage
            self._chars += frame.chars
        if self._ttft is None and self._chars:
            self._ttft = self._clock.monotonic() - self.call.began
            self._tell("on_first_content", self._ttft)
        if self._attempts and self._attempts[-1].latest >= self._next_progress:
            self._progress(self._attempts[-1])

    def hand_over(self, batches: Iterator[Batch]) -> Reply:
        self._handed_over = True
        return Reply(self, batches)

    def end(self, error: GatewayError | None = None) -> None:
        """Tell everyone how it went; every call but the first does nothing."""
        if self._over:
            return
        self._over = True
        if self._attempts:
            ours = error is not None and error.type is ErrorType.INTERNAL and not self._attempts[-1].complete
            self._close(self._attempts[-1], error if ours else None)
        if error is not None:
            error.attempts, error.cache, error.headers = self.attempts, self.cache, self.headers
        self._tell(
            "on_end",
            Outcome(
                status=Status.SUCCESS if error is None else error.counts_as,
                error=error,
                target=self.target,
                usage=self._usage,
                chars=self._chars,
                ttft=self._ttft,
                seconds=self._clock.monotonic() - self.call.began,
                rescued=self.rescued,
                attempts=self._attempts,
                malformed=self.malformed,
                cache=self.cache,
            ),
        )

    def _progress(self, attempt: Attempt) -> None:
        if self._next_progress:
            self._tell("on_progress", attempt)
        self._next_progress = attempt.latest + PROGRESS

    def _close(self, attempt: Attempt, error: GatewayError | None) -> None:
        if attempt.ended is None:
            attempt.ended = self._clock.monotonic()
        if attempt.error is None:
            attempt.error = error
        if attempt.usage is None and attempt.chars:
            attempt.prompt = prompt_tokens(self.call.body)

    def _tell(self, hook: str, *facts: object) -> None:
        for observer in reversed(self._observers):
            try:
                getattr(observer, hook)(*facts)
            except Exception:
                log.exception("%s of %r failed for call %s", hook, observer, self.call.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is not None:
            self.end(named(error))
        else:
            assert self._handed_over, "a step returned without handing over a reply"  # noqa: S101 - our own bug, loudly


class Reply:
    """What goes back: an iterator of batches with a close().

    A class and not a generator: close() on a generator that was never started runs none of its code, so a client that
    leaves before the first byte would leave the upstream open and the books unsettled.
    """

    def __init__(self, exchange: Exchange, batches: Iterator[Batch]) -> None:
        self.exchange = exchange
        self._batches = batches

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        """Raises StopIteration after the last batch, GatewayError where the upstream broke off."""
        try:
            batch = self._batches.__next__()  # next() costs a stream that waits a frame of C, and a chunk its time
        except StopIteration:
            self.exchange.end()
            raise
        except Exception as error:
            failure = named(error)
            if self.exchange.target is not None and failure.provider is not None and not failure.told:
                self.exchange.failure(self.exchange.target, failure)
            self.exchange.end(failure)
            raise failure from error
        self.exchange.batch(batch)
        if batch and batch[-1].last:
            self.exchange.end()  # the call is counted before its last bytes are written
        return batch

    def close(self) -> None:
        """Hang up on the upstream, then end the exchange. Idempotent; never raises (the server would skip the rest)."""
        try:
            if close := getattr(self._batches, "close", None):
                close()
        except Exception:
            log.exception("closing the upstream failed for call %s", self.exchange.call.id)
        finally:
            self.exchange.end(GatewayError(ErrorType.CANCELLED, "the client left"))


def named(error: BaseException) -> GatewayError:
    """Any exception as one of the 21: what has no name yet is our own bug."""
    if isinstance(error, GatewayError):
        return error
    if not isinstance(error, Exception):  # the worker is being stopped, or the greenlet killed
        return GatewayError(ErrorType.CANCELLED, "the call was given up")
    log.error("a call ended in an unexpected error", exc_info=error)
    return GatewayError(ErrorType.INTERNAL, "internal error; the log has the details under this request id")
