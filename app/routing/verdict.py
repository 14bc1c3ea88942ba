"""The end of one attempt, told once: to its target's breaker, and to whoever waits for its place."""

from __future__ import annotations

from collections.abc import Callable

from app.core.call import Target
from app.core.errors import ErrorType, GatewayError
from app.resilience.breaker import Admission
from app.routing.places import Places


class Verdict:
    """Only the first ending counts. A stream is judged at its end, not at its start."""

    __slots__ = ("_admission", "_alone", "_impatient", "_open", "_places", "_target")

    def __init__(
        self,
        admission: Admission,
        target: Target,
        places: Places,
        *,
        alone: Callable[[], bool],
        impatient: Callable[[GatewayError], bool],
    ) -> None:
        self._admission = admission
        self._target = target
        self._places = places
        self._alone = alone
        self._impatient = impatient
        self._open = True

    def succeeded(self) -> None:
        if self._close():
            self._admission.succeeded()

    def failed(self, error: GatewayError) -> None:
        if self._close():
            if error.ends_the_call or error.type is ErrorType.SATURATED or self._impatient(error):
                self._admission.abandoned()
            else:
                self._admission.failed(error, alone=error.rule.trips_breaker and self._alone())

    def abandoned(self) -> None:
        """The client left, or we stop: it says nothing about the target."""
        if self._close():
            self._admission.abandoned()

    def _close(self) -> bool:
        was_open, self._open = self._open, False
        if was_open:
            self._places.leave(self._target)
        return was_open
