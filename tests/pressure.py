"""Clients that call again and again while something else happens."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def without_pause(*clients: Callable[[], object]) -> Iterator[Counter[object]]:
    """Each client calls in a thread of its own until the block ends, its last call included; what they all came to."""
    outcomes: Counter[object] = Counter()
    done = threading.Event()

    def run(client: Callable[[], object]) -> None:
        while not done.is_set():
            outcomes[client()] += 1

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        done.set()
        for thread in threads:
            thread.join()
