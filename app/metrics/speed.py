"""How fast streams come: tokens after the first, and the time since it.

Counted about once a second while a stream runs, and at its end. What providers count is known at the end only, so that
until then tokens are guessed from characters, a little too low: what was counted too much could not be taken back.
"""

from __future__ import annotations

from app.core.attempt import Attempt
from app.core.usage import CHARS_A_TOKEN
from app.metrics.registry import Metrics

_CAUTION = 0.9
_INERTIA = 0.8  # of what is known about a model's characters a token

Key = tuple[str, str]  # model label, provider


class Speeds:
    """Of a worker. Remembers how many characters a token of each model has."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self._chars: dict[Key, float] = {}

    def follow(self) -> Speed:
        return Speed(self)

    def guess(self, key: Key, chars: int) -> float:
        return _CAUTION * chars / self._chars.get(key, CHARS_A_TOKEN)

    def learn(self, key: Key, chars: int, tokens: int) -> None:
        known = self._chars.get(key)
        seen = chars / tokens
        self._chars[key] = seen if known is None else _INERTIA * known + (1 - _INERTIA) * seen


class Speed:
    """Of one call's streams, one after another."""

    __slots__ = ("_attempt", "_speeds", "_tokens", "_until")

    def __init__(self, speeds: Speeds) -> None:
        self._speeds = speeds
        self._attempt: Attempt | None = None
        self._tokens = 0.0  # counted so far
        self._until = 0.0  # monotonic: time counted so far

    def progress(self, label: str, attempt: Attempt) -> None:
        if attempt.first is not None:
            self._begin(attempt, attempt.first)
            key = label, attempt.target.provider.name
            self._add(key, self._speeds.guess(key, attempt.chars) - 1, attempt.latest)

    def ended(self, label: str, attempt: Attempt) -> None:
        """Streams of one token have no speed, nor those that came in one piece."""
        if attempt.first is None or attempt.latest <= attempt.first:
            return
        tokens, key = _streamed(attempt), (label, attempt.target.provider.name)
        if tokens < 2:
            return
        self._begin(attempt, attempt.first)
        self._add(key, tokens - 1, attempt.latest)
        if attempt.complete:
            self._speeds.learn(key, attempt.chars, tokens)
            took = attempt.latest - attempt.first
            self._speeds.metrics.time_per_token(*key).observe(took / (tokens - 1))

    def _begin(self, attempt: Attempt, first: float) -> None:
        if self._attempt is not attempt:
            self._attempt, self._tokens, self._until = attempt, 0.0, first

    def _add(self, key: Key, tokens: float, until: float) -> None:
        metrics = self._speeds.metrics
        if tokens > self._tokens:
            metrics.stream_tokens(*key).inc(tokens - self._tokens)
            self._tokens = tokens
        if until > self._until:
            metrics.stream_seconds(*key).inc(until - self._until)
            self._until = until


def _streamed(attempt: Attempt) -> int:
    """Tokens that came as a stream. Reasoning that a provider keeps to itself did not: its time is before the first."""
    made = attempt.made()
    shown = made.output - made.reasoning_output
    guess = attempt.chars / CHARS_A_TOKEN
    return min(made.output, shown, key=lambda tokens: abs(tokens - guess))
