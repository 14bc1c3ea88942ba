"""One question to one target, as far as it has come: what time it took and what it made."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.call import Target
from app.core.errors import GatewayError
from app.core.usage import Usage, at_least


@dataclass(slots=True, eq=False)
class Attempt:
    """Written while its answer is read, delivered or not. Times are monotonic."""

    target: Target
    began: float  # about to be sent
    first: float | None = None  # the first content came
    latest: float = 0.0  # a piece of a stream came
    ended: float | None = None
    complete: bool = False  # the whole answer came
    error: GatewayError | None = None  # why it failed; None as well where it was given up
    usage: Usage | None = None  # as the provider counted, so far
    chars: int = 0  # of content
    prompt: int = 0  # tokens, guessed where the provider counted none
    malformed: int = 0  # events that could not be read

    def made(self) -> Usage:
        """What the provider will charge for: its own count, or what so much content must have cost at least."""
        if self.complete and self.usage is not None:
            return self.usage
        return at_least(self.usage, self.chars, self.prompt)

    def cost(self) -> float:
        """USD."""
        return self.target.price.of(self.made())
