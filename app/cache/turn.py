"""A plain call's turn to ask: at once, or after another one that asks for the same has failed."""

from __future__ import annotations

from collections.abc import Callable

from app.cache.entry import Entry
from app.cache.flights import TTL, End, Flight
from app.cache.parts import Parts, Terms
from app.cache.shelf import Look, Looked
from app.core.call import Call, Route
from app.core.errors import ErrorType, GatewayError
from app.store.store import Claim
from app.upstream.watch import Guard

FIRST, LONGEST = 0.02, 0.25  # seconds between two looks at the store, while another worker asks
PATIENCE = float(TTL)  # seconds of taking turns after a first failure; who has waited that long asks anyway


class Turn:
    """Ended exactly once, by whoever took it."""

    def __init__(
        self,
        parts: Parts,
        terms: Terms,
        call: Call,
        route: Route,
        accepts: Callable[[Entry], bool],
    ) -> None:
        """`accepts`: whether an entry is young enough."""
        self._parts = parts
        self._store = terms.store
        self._key = terms.key
        self._call = call
        self._accepts = accepts
        self._provider = route.targets[0].provider.name
        deadline = route.targets[0].timeouts.deadline
        self._ends_at = call.began + (deadline if call.patience is None else min(deadline, call.patience))
        self._until = self._ends_at
        self._flight: Flight | None = None  # led by this call
        self._claimed = False

    def wait(self, look: Look) -> Entry | None:
        """What another call has brought since that look; None: it is this one's turn. Raises GatewayError."""
        flight, leads = self._parts.flights.join(self._key)
        if leads:
            self._flight = flight
            if not self._store.is_shared:
                return self._brought(self._parts.shelf.look(self._store, self._key))
            if self._may_ask(look):
                return None
        guard = self._parts.watch.begin(self._call.client)
        try:
            return self._behind_others(guard) if leads else self._behind(flight, guard)
        finally:
            self._parts.watch.end(guard)

    def end(self, end: Entry | End, *, replaced: bool = False) -> None:
        """Tell those who wait; `replaced`: the answer stands in the place of the claim."""
        if self._claimed:
            self._claimed = False
            self._parts.flights.claims.give_back(self._store, self._key, replaced=replaced, open_=end is not End.FAILED)
        if self._flight is not None:
            self._parts.flights.end(self._key, self._flight, end)
            self._flight = None

    def _behind(self, flight: Flight, guard: Guard) -> Entry | None:
        """Wait for a call in this worker."""
        while (left := self._left()) > 0:
            end = flight.wait(guard, left)
            if isinstance(end, Entry):
                return end
            if end is End.NOT_KEPT:
                return None
            if end is End.FAILED:
                self._lose_patience()
                flight, leads = self._parts.flights.join(self._key)
                if leads:
                    self._flight = flight
                    return self._behind_others(guard)
        self._check_time()
        return None

    def _behind_others(self, guard: Guard) -> Entry | None:
        """Wait for a call in another worker, for all that wait in this one."""
        clock, pause = self._parts.clock, FIRST
        known, since = b"", clock.monotonic()
        while (left := self._left()) > 0:
            look = self._parts.shelf.look(self._store, self._key)
            if (entry := self._brought(look)) is not None:
                return entry
            if self._may_ask(look):
                return None
            if look.how is not Looked.CLAIMED:
                self._lose_patience()  # the last one failed, and somebody else was faster
            elif look.claim != known:
                known, since = look.claim, clock.monotonic()
            elif clock.monotonic() - since > TTL + 1:
                return None  # nobody renews it: no claim of ours looks like that
            guard.wait(min(left, pause * (0.5 + self._parts.chance() / 2)))
            pause = min(2 * pause, LONGEST)
        self._check_time()
        return None

    def _brought(self, look: Look) -> Entry | None:
        """An entry that this call takes; those that wait for it are given it, too."""
        if look.entry is None or not self._accepts(look.entry):
            return None
        self.end(look.entry)
        return look.entry

    def _may_ask(self, look: Look) -> bool:
        """Because the claim is this call's, or because no claim is needed, or can be made."""
        if look.how is Looked.CLAIMED:
            return False
        if look.how in (Looked.FOUND, Looked.OPEN) or not self._store.is_shared:
            return True
        went = self._parts.flights.claims.claim(self._store, self._key)
        self._claimed = went is Claim.WON
        return went is not Claim.TAKEN

    def _left(self) -> float:
        return self._until - self._parts.clock.monotonic()

    def _lose_patience(self) -> None:
        self._until = min(self._until, self._parts.clock.monotonic() + PATIENCE)

    def _check_time(self) -> None:
        """Whoever has waited in vain asks, if there is time left for that."""
        if self._parts.clock.monotonic() >= self._ends_at:
            message = "no answer came in time; another call had asked for the same"
            raise GatewayError(ErrorType.TIMEOUT, message, provider=self._provider)
