"""Whom a call may ask, in which order: the targets of its route, then those of fallbacks that it may and can use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from app.core.call import Call, Route, Target
from app.core.errors import ErrorType

_IMAGES = frozenset({"image_url", "image", "input_image"})

Order = Callable[[Route], Iterable[Target]]


class Candidates:
    """Iterate for the next target. Fallbacks join behind when the route has nobody left, or at once for their cause.

    A target that stands behind several of these models comes once.
    """

    def __init__(self, call: Call, route: Route, order: Order) -> None:
        self._call = call
        self._route = route
        self._order = order
        self._queue: deque[Target] = deque()
        self._asked: set[str] = set()
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
        target = self._queue.popleft()
        self._asked.add(target.name)
        return target

    def rest(self) -> list[Target]:
        """Who could still be asked, fallbacks included."""
        return [*self._queue, *(target for route in self._usable(self._last_resort) for target in route.targets)]

    def turn_to(self, cause: ErrorType) -> bool:
        """From now on only the fallbacks for this cause. False where there are none."""
        fallbacks = self._route.fallbacks
        self._queue.clear()
        self._last_resort = ()
        if fallbacks is not None:
            self._add(fallbacks.context_length if cause is ErrorType.CONTEXT_LENGTH else fallbacks.content_filter)
        return bool(self._queue)

    def _add(self, routes: Iterable[Route]) -> None:
        for route in self._usable(routes):
            self._join(route)

    def _join(self, route: Route) -> None:
        waiting = {target.name for target in self._queue}
        self._queue.extend(one for one in self._order(route) if one.name not in waiting | self._asked)

    def _usable(self, routes: Iterable[Route]) -> Iterator[Route]:
        return (route for route in routes if self._call.tenant.may_use(route.model) and takes(route, self._call.body))


def takes(route: Route, body: dict[str, Any]) -> bool:
    """Whether the model can take such a call: its tools, its images."""
    if not route.tools and (body.get("tools") or body.get("functions")):
        return False
    return route.vision or not any(_shows(body.get(name)) for name in ("messages", "input"))


def _shows(said: Any, deeper: int = 3) -> bool:
    """Whether there is an image among messages or their parts; those that a tool gave are one step further in."""
    if not isinstance(said, list) or not deeper:
        return False
    return any(
        isinstance(part, dict)
        and (part.get("type") in _IMAGES or any(_shows(part.get(name), deeper - 1) for name in ("content", "output")))
        for part in said
    )
