"""One call's business with the cache: it finds an answer, waits for that of another call, or leaves its own.

Only whole answers are left, in their plain form: a stream is put together first, and what was left is told in either
form. Not left are answers of another model (`fallbacks`), of a stream that broke and went on in another one, and what a
provider's filter cut short.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

from app.cache.entry import Entry
from app.cache.flights import End
from app.cache.parts import Parts, Terms
from app.cache.shelf import Look, Looked
from app.cache.turn import Turn
from app.core.call import Call, Route
from app.core.errors import Status
from app.core.exchange import Batch, Exchange, Observer, Outcome, Stored
from app.core.json import dumps, loads
from app.core.replay import Collected
from app.core.wire import Frame
from app.store.store import Read, nothing

log = logging.getLogger(__name__)

_ODD = (AttributeError, IndexError, KeyError, TypeError, ValueError)  # what an answer of a strange shape may cause


class Cached(Observer):
    """A call that has no business here."""

    __slots__ = ()

    def fetch(self) -> Iterator[Batch] | None:
        """An answer that was kept, or that another call has brought meanwhile; None: ask.

        Raises:
            GatewayError: the client left, or its time was up, while another call was waited for.
        """
        return None

    def keep(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; what they say is kept once the call has ended well."""
        return batches


class Visit(Cached):
    __slots__ = (
        *("_call", "_exchange", "_kept", "_look", "_parts", "_route", "_take_back", "_terms", "_turn", "_writes"),
    )

    def __init__(self, parts: Parts, terms: Terms, call: Call, route: Route, exchange: Exchange) -> None:
        self._parts = parts
        self._terms = terms
        self._call = call
        self._route = route
        self._exchange = exchange
        self._turn: Turn | None = None
        self._writes = terms.reachable
        self._kept: _Kept | None = None
        self._look = Look(Looked.GONE)
        self._take_back = nothing  # the look, if nobody came to ask it
        if call.keeping.read:
            self._begin()

    def _begin(self) -> None:
        """Look, as soon as the call asks the store for anything."""
        shelf, store, key = self._parts.shelf, self._terms.store, self._terms.key
        if not self._call.stream:
            self._turn = Turn(self._parts, self._terms, self._call, self._route, self._is_young)
        if not self._terms.reachable:
            return
        if self._turn is not None:
            self._take_back = self._turn.look(self._looked)
        else:
            self._take_back = store.soon(Read(key), lambda found: self._looked(shelf.judge(store, key, found)))

    def _looked(self, look: Look) -> None:
        self._look = look

    def fetch(self) -> Iterator[Batch] | None:
        if not self._call.keeping.read:
            return None
        self._terms.store.flush()
        shelf, look = self._parts.shelf, self._look
        entry = look.entry if look.entry is not None and self._is_young(look.entry) else None
        if entry is None and self._turn is not None:
            entry = self._turn.wait(look)
        if entry is not None and (batches := self._told(entry)) is not None:
            shelf.count("get", "hit")
            return batches
        self._writes = look.how is not Looked.GONE
        shelf.count("get", "error" if look.how in (Looked.CORRUPT, Looked.GONE) else "miss")
        if self._writes:
            self._exchange.cache = "miss"
        return None

    def keep(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        self._kept = _Kept(batches, self._collector(), self._terms.max_bytes)
        return self._kept

    def on_end(self, outcome: Outcome) -> None:
        self._take_back()
        if self._exchange.stored is not None:
            return
        entry, end = None, End.FAILED
        try:
            if outcome.status is Status.SUCCESS:
                end = End.NOT_KEPT
                entry = self._entry(outcome)
                if entry is None:
                    self._parts.shelf.count("set", "skipped")
        finally:
            if entry is not None and self._writes:
                self._parts.shelf.put(self._terms.store, self._terms.key, entry, partial(self._end_turn, entry))
            else:
                self._end_turn(entry or end, replaced=False)

    def _end_turn(self, end: Entry | End, replaced: bool) -> None:
        if self._turn is not None:
            self._turn.end(end, replaced=replaced)

    def _is_young(self, entry: Entry) -> bool:
        bounds = [bound for bound in (self._call.keeping.max_age, self._call.keeping.ttl) if bound is not None]
        return not bounds or self._parts.clock.time() - entry.made <= min(bounds)

    def _told(self, entry: Entry) -> Iterator[Batch] | None:
        """The entry as this call wants it. None: it holds what a stream says in another way."""
        batch: Batch | None = (Frame({}, encoded=entry.body, last=True),)
        if self._call.stream:
            batch = self._streamed(entry.body)
        if batch is None:
            return None
        batch[-1].usage = entry.usage  # for the books: what it would have taken
        age = max(0, int(self._parts.clock.time()) - entry.made)
        self._exchange.cache = "hit"
        self._exchange.stored = Stored(entry.provider, entry.model, age)
        self._exchange.dropped = entry.dropped
        return iter((batch,))

    def _streamed(self, body: bytes) -> Batch | None:
        language = self._call.language
        replay = language.replay()
        if replay is None:
            return None
        try:
            return replay.stream(loads(body), usage=language.wants_usage(self._call.body))
        except _ODD:
            log.exception("a kept answer cannot be told as a stream")
            return None

    def _collector(self) -> Collected | None:
        replay = self._call.language.replay() if self._call.stream else None
        return replay.collect() if replay is not None else None

    def _entry(self, outcome: Outcome) -> Entry | None:
        """None: not to be kept."""
        target = outcome.target
        asked = {each.name for each in self._route.targets}
        if self._kept is None or outcome.rescued or target is None or target.name not in asked:
            return None
        body = self._kept.body()
        if body is None or len(body) > self._terms.max_bytes:
            return None
        made = int(self._parts.clock.time())
        ttl = max(1, int(self._terms.ttl * (1 - self._terms.jitter * self._parts.chance())))
        dropped = self._exchange.dropped
        return Entry(body, made, made + ttl, target.provider.name, target.model, outcome.usage, dropped)


class _Kept:
    """Batches on their way, and what they come to."""

    __slots__ = ("_batches", "_collected", "_filtered", "_left", "_plain", "_streams")

    def __init__(self, batches: Iterator[Batch], collected: Collected | None, max_bytes: int) -> None:
        self._batches = batches
        self._collected = collected
        self._streams = collected is not None
        self._left = max_bytes
        self._plain: Frame | None = None
        self._filtered = False

    def __iter__(self) -> _Kept:
        return self

    def __next__(self) -> Batch:
        batch = self._batches.__next__()
        for frame in batch:
            if frame.finish == "content_filter":
                self._filtered = True
            if not self._streams:
                self._plain = frame
            elif self._collected is not None:
                self._add(self._collected, frame)
        return batch

    def close(self) -> None:
        if close := getattr(self._batches, "close", None):
            close()

    def body(self) -> bytes | None:
        """The plain answer as JSON, None where there is none to keep."""
        if self._filtered:
            return None
        if self._plain is not None:
            if self._plain.encoded is None:
                self._plain.encoded = dumps(self._plain.data)
            return self._plain.encoded
        try:
            answer = self._collected.answer() if self._collected is not None else None
        except _ODD:
            log.exception("a stream cannot be put together")
            return None
        return dumps(answer) if answer is not None else None

    def _add(self, collected: Collected, frame: Frame) -> None:
        self._left -= frame.chars
        try:
            collected.add(frame)
        except _ODD:
            log.exception("a stream cannot be put together")
            self._left = -1
        if self._left < 0:
            self._collected = None  # too large, or too strange: nothing more of it is held
