"""Before a target may be asked: its breaker must admit the call, and its provider have a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.core.call import Target
from app.core.errors import GatewayError
from app.resilience.breaker import Breakers, Refusal
from app.routing.places import Places
from app.routing.verdict import Verdict


class Full:
    """The provider has as many calls as it may have at a time."""


@dataclass(frozen=True, slots=True)
class Entrance:
    breakers: Breakers
    places: Places

    def enter(
        self, target: Target, *, waited: bool, alone: Callable[[], bool], impatient: Callable[[GatewayError], bool]
    ) -> Verdict | Refusal | Full:
        """A Verdict must be ended.

        `waited`: as the target wished; `alone`: no other target would be admitted; `impatient`: the client did not wait
        for long enough to know.
        """
        admission = self.breakers.ask(target.key, target.provider.name, waited=waited)
        if isinstance(admission, Refusal):
            return admission
        if not self.places.take(target):
            admission.abandoned()
            return Full()
        return Verdict(admission, target, self.places, alone=alone, impatient=impatient)

    def admits(self, target: Target) -> bool:
        return self.breakers.admits(target.key, target.provider.name)
