"""What all visits of a configuration share, and what one of them goes by."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from app.cache.flights import Flights
from app.cache.generations import Generations
from app.cache.shelf import Shelf
from app.core.clock import Clock
from app.store.store import Store
from app.upstream.watch import Watch


@dataclass(frozen=True, slots=True)
class Parts:
    """`flights` are the worker's, whatever the configuration. `chance` gives numbers from 0 to 1."""

    shelf: Shelf
    generations: Generations
    flights: Flights
    watch: Watch
    clock: Clock
    chance: Callable[[], float] = random.random


class Terms(NamedTuple):
    """`store`: the call's. `reachable`: whether it could be asked for what the key is made of."""

    store: Store
    key: str
    ttl: int
    jitter: float
    max_bytes: int
    reachable: bool
