"""Whether the same target is asked again after a failure, and how long that waits. Pure: decides, never sleeps."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from app.core.errors import ErrorType, GatewayError

JITTER = 0.5  # seconds: full jitter, so that calls that failed together do not return together
UNTOLD = (0.5, 1.0)  # seconds, after a 429 that does not say how long


@dataclass(frozen=True, slots=True)
class Repeating:
    retries: int = 1  # at one target, for whatever causes
    rate_limit_wait: float = 3.0  # seconds; who asks for more is not waited for


def pause(
    error: GatewayError, repeated: Collection[ErrorType], policy: Repeating, chance: Callable[[], float]
) -> float | None:
    """Seconds until this target is asked again; None: not by this call.

    `repeated`: the causes for which this call has already asked it again; each is good for as many repeats as its rule
    says. A target that has the request and is silent may be working on it, for money, and one whose fault will still be
    there (`error.lasting`) is not worth it. `chance` gives 0 to 1.
    """
    used = sum(1 for cause in repeated if cause is error.type)
    if len(repeated) >= policy.retries or used >= error.rule.repeats or error.silent or error.lasting:
        return None
    if error.type is ErrorType.CONNECTION:
        return 0.0
    asked = error.retry_after
    if asked is not None and asked > policy.rate_limit_wait:
        return None
    if error.type is not ErrorType.RATE_LIMITED:
        return max(asked or 0.0, JITTER * chance())
    if asked is not None:
        return asked
    shortest, longest = UNTOLD
    longest = min(longest, policy.rate_limit_wait)
    return None if longest < shortest else shortest + (longest - shortest) * chance()
