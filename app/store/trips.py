"""Questions of several calls in one round trip: whoever comes while one is under way goes with the next.

A worker with many calls at once has most of them here at once, too, and what a trip costs it is mostly the sending and
the waking up. A call that is alone travels alone, and at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from app.store.patience import Crowded, Wait
from app.store.store import Question

MOST = 32  # calls that travel together: their answers are held, and read, at one go

Asks = Sequence[Question[Any]]
Trip = Callable[[Asks, Wait], list[Any]]
"""Asks in one piece, as long as that wait has patience; the answers in their order. Raises whatever went wrong."""


class Trips:
    """To one server, one at a time."""

    def __init__(self, trip: Trip) -> None:
        self._trip = trip
        self._lock = threading.Lock()
        self._is_under_way = False
        self._boarding: list[_Passenger] = []

    def travel(self, asks: Asks, wait: Wait) -> list[Any]:
        """The answers. Raises what the trip does to whoever leads it, to the others that it failed, and Crowded."""
        with self._lock:
            passenger = _Passenger(asks) if self._is_under_way else None
            if passenger is not None:
                self._boarding.append(passenger)
            self._is_under_way = True
        if passenger is None:
            return self._lead(asks, (), wait)
        try:
            wait.through(passenger.told)
        except BaseException:
            self._leave(passenger)
            raise
        if passenger.leads:
            return self._lead(asks, self._board(), wait)
        if passenger.answers is None:
            raise Crowded  # whoever led has said what was wrong
        return passenger.answers

    def _lead(self, asks: Asks, others: Sequence[_Passenger], wait: Wait) -> list[Any]:
        try:
            together = [*asks, *(ask for other in others for ask in other.asks)] if others else asks
            answers = self._trip(together, wait)
            at = len(asks)
            for other in others:
                other.answers = answers[at : at + len(other.asks)]
                at += len(other.asks)
            return answers[: len(asks)]
        finally:
            for other in others:
                other.told.set()
            self._next()

    def _board(self) -> Sequence[_Passenger]:
        with self._lock:
            boarded, self._boarding = self._boarding[: MOST - 1], self._boarding[MOST - 1 :]
        return boarded

    def _next(self) -> None:
        """Whoever has waited longest leads the next one."""
        with self._lock:
            self._is_under_way = bool(self._boarding)
            leader = self._boarding.pop(0) if self._boarding else None
            if leader is not None:
                leader.leads = True
        if leader is not None:
            leader.told.set()

    def _leave(self, passenger: _Passenger) -> None:
        with self._lock:
            if passenger in self._boarding:
                self._boarding.remove(passenger)
        if passenger.leads:  # it was just about to
            self._next()


class _Passenger:
    __slots__ = ("answers", "asks", "leads", "told")

    def __init__(self, asks: Asks) -> None:
        self.asks = asks
        self.answers: list[Any] | None = None  # None: there are none yet, or the trip has failed
        self.leads = False
        self.told = threading.Event()  # that it leads, or has its answers
