"""The end of a call, as its store sees it."""

from __future__ import annotations

from app.core.exchange import Observer, Outcome
from app.store.store import Store


class Ending(Observer):
    """To be told after everyone who has something to tell the store: it all goes in one round trip."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def on_end(self, outcome: Outcome) -> None:
        self._store.flush()
