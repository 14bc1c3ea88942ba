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

from app.core.call import Call, Route, Target
from app.core.clock import Clock
from app.core.errors import ErrorType, GatewayError, Status
from app.core.usage import Usage
from app.core.wire import Frame

log = logging.getLogger(__name__)

Batch = Sequence[Frame]  # the frames that one read from the upstream made: they leave together


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a call. `seconds` run from its arrival; `ttft` to the first content, None where none was shown.

    An error with a provider was told by `on_failure` as well; one without is a refusal of ours and told only here.
    """

    status: Status
    error: GatewayError | None
    target: Target | None  # who answered, or was asked last; None where nobody was
    usage: Usage | None  # as the provider counted; None where it said nothing
    chars: int  # of content that left the house
    ttft: float | None
    seconds: float
    rescued: int  # times that a broken stream went on in another one


class Observer:
    """Whoever follows a call. Every hook does nothing; implement the ones you need."""

    def on_route(self, route: Route) -> None:
        """It is known which model is meant."""

    def on_attempt(self, target: Target) -> None:
        """An attempt begins."""

    def on_failure(self, target: Target, error: GatewayError) -> None:
        """That attempt failed, before its first content or after; another may follow."""

    def on_first_content(self, seconds: float) -> None:
        """The first content is about to leave, this long after the call came."""

    def on_end(self, outcome: Outcome) -> None:
        """The call is over. Called exactly once."""


Joined = TypeVar("Joined", bound=Observer)


class Exchange:
    """A context manager until `hand_over()`, then the Reply's business."""

    def __init__(self, call: Call, clock: Clock) -> None:
        self.call = call
        self.target: Target | None = None
        self.attempts = 0
        self.dropped: tuple[str, ...] = ()
        self.rescued = 0  # times that a broken stream went on in another one
        self.headless = False  # the head left before it was known who would answer
        self.estimated = False  # no provider was asked: the answer is a guess of ours
        self._clock = clock
        self._observers: list[Observer] = []
        self._usage: Usage | None = None
        self._ttft: float | None = None
        self._chars = 0
        self._handed_over = self._over = False

    def join(self, observer: Joined) -> Joined:
        self._observers.append(observer)
        return observer

    def routed(self, route: Route) -> None:
        self._tell("on_route", route)

    def attempt(self, target: Target) -> None:
        if self._over:  # the client left while another thread went on searching
            raise GatewayError(ErrorType.CANCELLED, "the client left")
        self.target = target
        self.attempts += 1
        self._tell("on_attempt", target)

    def failure(self, target: Target, error: GatewayError) -> None:
        error.told = True
        if not self._over:
            self._tell("on_failure", target, error)

    def batch(self, frames: Batch) -> None:
        for frame in frames:
            if frame.usage is not None:
                self._usage = frame.usage
            self._chars += frame.chars
        if self._ttft is None and self._chars:
            self._ttft = self._clock.monotonic() - self.call.began
            self._tell("on_first_content", self._ttft)

    def hand_over(self, batches: Iterator[Batch]) -> Reply:
        self._handed_over = True
        return Reply(self, batches)

    def end(self, error: GatewayError | None = None) -> None:
        """Tell everyone how it went; every call but the first does nothing."""
        if self._over:
            return
        self._over = True
        seconds = self._clock.monotonic() - self.call.began
        status = Status.SUCCESS if error is None else error.counts_as
        self._tell(
            "on_end", Outcome(status, error, self.target, self._usage, self._chars, self._ttft, seconds, self.rescued)
        )

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
            batch = next(self._batches)
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
