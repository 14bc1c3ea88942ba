"""What all visits of a configuration share."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from app.cache.flights import Flights
from app.cache.generations import Generations
from app.cache.shelf import Shelf
from app.core.clock import Clock
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
