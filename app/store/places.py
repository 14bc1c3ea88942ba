"""How many may do something at a time: a semaphore that costs little where there is room, as there nearly always is."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress


class Places:
    """One that is given back goes to whoever has waited longest."""

    def __init__(self, count: int) -> None:
        self._free = deque([None] * count)
        self._waiting: deque[threading.Event] = deque()

    def take(self) -> bool:
        """Whether there was one."""
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def wait(self, seconds: float) -> bool:
        """Take one that is given back until then."""
        ring = threading.Event()  # set: it is ours
        self._waiting.append(ring)
        if self.take():  # it was given back just before
            if not self._leave(ring):
                self.give_back()  # and so was another one
            return True
        return ring.wait(seconds) or not self._leave(ring)

    def give_back(self) -> None:
        self._free.append(None)
        while self._waiting and self.take():
            with suppress(IndexError):
                self._waiting.popleft().set()
                return
            self._free.append(None)  # whoever waited has just left

    def _leave(self, ring: threading.Event) -> bool:
        """Whether it was still in the line: if not, it has just been given a place."""
        try:
            self._waiting.remove(ring)
        except ValueError:
            return False
        return True
