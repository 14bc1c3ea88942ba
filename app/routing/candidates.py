"""Whom a call may ask, in which order: the targets of its route, then those of fallbacks that it may and can use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from app.core.call import Call, Route, Target
from app.core.errors import ErrorType
from app.routing.fit import reads_more, takes

Order = Callable[[Route], Iterable[Target]]


class Candidates:
    """Iterate for the next target. Fallbacks join behind when the route has nobody left, or at once for their cause.

    A target that stands behind several of these models comes once.
    """

    __slots__ = ("_asked", "_call", "_last_resort", "_order", "_queue", "_route")

    def __init__(self, call: Call, route: Route, order: Order) -> None:
        self._call = call
        self._route = route
        self._order = order
        self._queue: list[Target] = []  # they are few
        self._asked: list[str] = []  # names
        self._join(route)
        self._last_resort = route.fallbacks.any if route.fallbacks else ()

    def __iter__(self) -> Candidates:
        return self

    def __next__(self) -> Target:
        if not self._queue and self._last_resort:
            self._add(self._last_resort)
            self._last_resort = ()
        if not self._queue:
            raise StopIteration
        target = self._queue.pop(0)
        self._asked.append(target.name)
        return target

    def rest(self) -> list[Target]:
        """Who could still be asked, fallbacks included."""
        return [*self._queue, *(target for route in self._usable(self._last_resort) for target in route.targets)]

    def turn_to(self, cause: ErrorType, context: int | None) -> bool:
        """From now on only the fallbacks for this cause. False where there are none.

        `context`: tokens that whoever refused can read, where that is known: nobody who reads no more is asked then.
        """
        fallbacks = self._route.fallbacks
        self._queue.clear()
        self._last_resort = ()
        if fallbacks is not None and cause is ErrorType.CONTEXT_LENGTH:
            self._add(route for route in fallbacks.context_length if reads_more(route, context))
        elif fallbacks is not None:
            self._add(fallbacks.content_filter)
        return bool(self._queue)

    def _add(self, routes: Iterable[Route]) -> None:
        for route in self._usable(routes):
            self._join(route)

    def _join(self, route: Route) -> None:
        known = {*self._asked, *(target.name for target in self._queue)}
        self._queue += [one for one in self._order(route) if one.name not in known]

    def _usable(self, routes: Iterable[Route]) -> Iterator[Route]:
        return (route for route in routes if self._call.tenant.may_use(route.model) and takes(route, self._call))
