"""What answers say about limits, in the words that clients of OpenAI know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Standing(NamedTuple):
    """Of one limit. `whole_in`: seconds until all of it is there again, if nothing else comes; None: nobody can say."""

    what: str  # requests, tokens, concurrency
    limit: int
    left: int
    whole_in: float | None


def headers(standings: Iterable[Standing]) -> dict[str, str]:
    """Where several limit the same thing, the one with the least left is told."""
    tightest: dict[str, Standing] = {}
    for standing in standings:
        known = tightest.get(standing.what)
        if known is None or standing.left < known.left:
            tightest[standing.what] = standing
    found: dict[str, str] = {}
    for what, standing in tightest.items():
        found[f"x-ratelimit-limit-{what}"] = str(standing.limit)
        found[f"x-ratelimit-remaining-{what}"] = str(max(0, standing.left))
        if standing.whole_in is not None:
            found[f"x-ratelimit-reset-{what}"] = duration(standing.whole_in)
    return found


def duration(seconds: float) -> str:
    """As Go writes them: 0s, 20ms, 1.5s, 1m0.25s."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    return (f"{minutes}m" if minutes else "") + f"{rest / 1000:g}s"
