"""Which target of a route is asked first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.core.call import Route, Strategy, Target

Chance = Callable[[], float]  # 0 to 1


def ordered(route: Route, busy: Callable[[Target], int], chance: Chance) -> Sequence[Target]:
    """Every target of the route, the first to be asked first. `busy`: attempts that run at a target in this worker."""
    if len(route.targets) == 1 or route.strategy is Strategy.PRIORITY:
        return route.targets
    if route.strategy is Strategy.LEAST_BUSY:
        return sorted(route.targets, key=lambda target: (busy(target) / target.weight, chance()))
    # The exponential of a target's rate: the order is a weighted draw without putting back (Efraimidis, Spirakis 2006).
    return sorted(route.targets, key=lambda target: chance() ** (1 / target.weight), reverse=True)
