"""What the attempts of a call add up to, once it is over: at whom, how they ended, what they made and cost."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from app.core.attempt import Attempt
from app.core.errors import ErrorType
from app.core.usage import Usage
from app.metrics.registry import Metrics

_SUCCESS = "success"


def count(metrics: Metrics, label: str, attempts: Sequence[Attempt]) -> None:
    """`label`: of the model that the client asked for, whoever answered in its place."""
    for attempt in attempts:
        _ended(metrics, label, attempt)
        _made(metrics, label, attempt)
    for before, after in itertools.pairwise(attempts):
        _went_on(metrics, before, after)


def _ended(metrics: Metrics, label: str, attempt: Attempt) -> None:
    provider = attempt.target.provider.name
    if attempt.error is not None:
        outcome = str(attempt.error.type)
    else:
        outcome = _SUCCESS if attempt.complete else str(ErrorType.CANCELLED)
    metrics.attempts(provider, label, outcome).inc()
    if attempt.ended is not None and outcome != ErrorType.CANCELLED:
        metrics.upstream_duration(provider, label).observe(attempt.ended - attempt.began)
    if attempt.first is not None:
        metrics.upstream_ttft(provider, label).observe(attempt.first - attempt.began)
    if attempt.malformed:
        metrics.malformed(provider).inc(attempt.malformed)


def _made(metrics: Metrics, label: str, attempt: Attempt) -> None:
    provider, made, reported = attempt.target.provider.name, attempt.made(), attempt.usage
    if made.input:
        metrics.tokens(label, provider, "input").inc(made.input)
    if made.output:
        metrics.tokens(label, provider, "output").inc(made.output)
    if reported is None and attempt.complete and attempt.chars:
        metrics.usage_missing(label, provider).inc()
    known = 0 if reported is None else reported.input + reported.output
    if guessed := made.input + made.output - known:
        metrics.estimated(label, provider).inc(guessed)
    for detail, tokens in _details(made):
        metrics.details(label, provider, detail).inc(tokens)
    if cost := attempt.target.price.of(made):
        metrics.cost(label, provider).inc(cost)


def _details(made: Usage) -> Iterator[tuple[str, int]]:
    if made.cached_input:
        yield "cached_input", made.cached_input
    if made.cache_write_input:
        yield "cache_write_input", made.cache_write_input
    if made.reasoning_output:
        yield "reasoning_output", made.reasoning_output


def _went_on(metrics: Metrics, before: Attempt, after: Attempt) -> None:
    """The same target once more, or another one; rescues of broken streams, too."""
    if before.error is None:
        return
    there, here, reason = before.target.provider.name, after.target.provider.name, before.error.type
    if before.target.name == after.target.name:
        metrics.retries(here, reason).inc()
    else:
        metrics.fallbacks(there, here, reason).inc()
