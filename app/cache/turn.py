"""A plain call's turn to ask: at once, or after another one that asks for the same has failed."""

from __future__ import annotations

from collections.abc import Callable

from app.cache.entry import Entry
from app.cache.flights import TTL, End, Flight, Held
from app.cache.parts import Parts, Terms
from app.cache.shelf import Look, Looked
from app.core.call import Call, Route
from app.core.errors import ErrorType, GatewayError
from app.store.store import Claim, Found, Read
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
        self._held: Held | None = None
        self._has_no_claim = False  # since there is none to be had

    def look(self, then: Callable[[Look], None]) -> Callable[[], None]:
        """Soon; what is returned takes it back. Where workers share a store, the look claims what is not there."""
        shelf, store, key = self._parts.shelf, self._store, self._key
        if not store.is_shared:
            return store.soon(Read(key), lambda found: then(shelf.judge(store, key, found)))
        claims = self._parts.flights.claims
        question = claims.question(key)

        def heard(answer: tuple[Claim, Found]) -> None:
            went, found = answer
            if went is Claim.WON:
                self._held = claims.won(question)
                then(Look(Looked.OURS))
            else:
                self._has_no_claim = went is Claim.GONE
                then(shelf.judge(store, key, found))

        return store.soon(question, heard)

    def wait(self, look: Look) -> Entry | None:
        """What another call has brought since that look; None: it is this one's turn. Raises GatewayError."""
        flight, leads = self._parts.flights.join(self._key)
        if leads:
            self._flight = flight
            if not self._store.is_shared:
                return self._brought(self._parts.shelf.look(self._store, self._key))
        if self._held is not None or (leads and self._may_ask(look)):
            return None  # where another one leads, it waits for whoever has the claim, and will be told
        guard = self._parts.watch.begin(self._call.client)
        try:
            return self._behind_others(flight, guard) if leads else self._behind(flight, guard)
        finally:
            self._parts.watch.end(guard)

    def end(self, end: Entry | End, *, replaced: bool = False) -> None:
        """Tell those who wait; `replaced`: the answer stands in the place of the claim."""
        if (held := self._held) is not None:
            self._held = None
            self._parts.flights.claims.give_back(self._store, held, replaced=replaced, open_=end is not End.FAILED)
            if self._flight is None and isinstance(end, Entry):
                self._parts.flights.answer(self._key, end)
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
                    return self._behind_others(flight, guard)
        self._check_time()
        return None

    def _behind_others(self, flight: Flight, guard: Guard) -> Entry | None:
        """Wait for a call in another worker, for all that wait in this one."""
        clock, pause = self._parts.clock, FIRST
        known, since = b"", clock.monotonic()
        while (left := self._left()) > 0:
            look = self._look_again()
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
            end = flight.wait(guard, min(left, pause * (0.5 + self._parts.chance() / 2)))
            if isinstance(end, Entry):
                self.end(end)
                return end if self._accepts(end) else None
            pause = min(2 * pause, LONGEST)
        self._check_time()
        return None

    def _look_again(self) -> Look:
        looks: list[Look] = []
        self.look(looks.append)
        self._store.flush()
        return looks[0]

    def _brought(self, look: Look) -> Entry | None:
        """An entry that this call takes; those that wait for it are given it, too."""
        if look.entry is None or not self._accepts(look.entry):
            return None
        self.end(look.entry)
        return look.entry

    def _may_ask(self, look: Look) -> bool:
        """Because the claim is this call's, or because no claim is needed, or can be made."""
        if look.how in (Looked.FOUND, Looked.GONE, Looked.OPEN, Looked.OURS):
            return True
        return look.how is not Looked.CLAIMED and (self._has_no_claim or not self._store.is_shared)

    def _left(self) -> float:
        return self._until - self._parts.clock.monotonic()

    def _lose_patience(self) -> None:
        self._until = min(self._until, self._parts.clock.monotonic() + PATIENCE)

    def _check_time(self) -> None:
        """Whoever has waited in vain asks, if there is time left for that."""
        if self._parts.clock.monotonic() >= self._ends_at:
            message = "no answer came in time; another call had asked for the same"
            raise GatewayError(ErrorType.TIMEOUT, message, provider=self._provider)
