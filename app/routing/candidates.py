"""Whom a call may ask, in which order: the targets of its route, then those of fallbacks that it may and can use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from app.core.call import Call, Route, Target
from app.core.errors import ErrorType

Order = Callable[[Route], Iterable[Target]]


class Candidates:
    """Iterate for the next target. Fallbacks join behind when the route has nobody left, or at once for their cause."""

    def __init__(self, call: Call, route: Route, order: Order) -> None:
        self._call = call
        self._route = route
        self._order = order
        self._queue = deque(order(route))
        self._last_resort = route.fallbacks.any if route.fallbacks else ()

    def __iter__(self) -> Candidates:
        return self

    def __next__(self) -> Target:
        if not self._queue and self._last_resort:
            self._add(self._last_resort)
            self._last_resort = ()
        if not self._queue:
            raise StopIteration
        return self._queue.popleft()

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
            self._queue.extend(self._order(route))

    def _usable(self, routes: Iterable[Route]) -> Iterator[Route]:
        return (route for route in routes if self._call.tenant.may_use(route.model) and takes(route, self._call.body))


def takes(route: Route, body: dict[str, Any]) -> bool:
    """Whether the model can take such a call: its tools, its images."""
    if not route.tools and (body.get("tools") or body.get("functions")):
        return False
    return route.vision or not any(_is_image(part) for message in _messages(body) for part in _parts(message))


def _messages(body: dict[str, Any]) -> list[Any]:
    messages = body.get("messages") or body.get("input")
    return messages if isinstance(messages, list) else []


def _parts(message: Any) -> list[Any]:
    content = (message.get("content") or message.get("output")) if isinstance(message, dict) else None
    return content if isinstance(content, list) else []


def _is_image(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in ("image_url", "image", "input_image")
