"""What providers do wrong: every row of tests/faults.yaml, plain and streamed, alone or beside another target.

Most of it happens at the two providers that the healthy calls ask, too; what quarantines a provider, and what happens
below HTTP, at providers of their own. Each row keeps to a target of its own, for some cool down.
"""

from __future__ import annotations

import contextlib
import dataclasses
import heapq
import itertools
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults import judge
from tests.faults.client import Client
from tests.faults.judge import Run
from tests.faults.table import Cell, load
from tests.journeys.house import KEY
from tests.soak.hour.calls import Ended

HOMES = ("north", "south")
_REST = 5.0  # seconds beyond what it cools down for
_WARM = ("stale", "stale-reset")  # whose connection was perhaps not used before


@dataclass(frozen=True, slots=True)
class Shared(Cell):
    """A cell at a provider that others use, asked again and again."""

    place: str = ""
    number: int = 0

    @property
    def call_id(self) -> str:
        return f"{self.name}-{self.number}"

    @property
    def home(self) -> str:
        return self.place or self.name

    @property
    def pause(self) -> float:
        """Seconds until it can be asked again as if it had not been."""
        kind, _, amount = self.breaker.partition(" ")
        return float(amount) + _REST if kind in ("cools", "quarantine") else 0.0


def cells() -> list[Shared]:
    """Half of the table: of each row and mode either the one that is alone or the one beside."""
    found = []
    for number, cell in enumerate(load().cells):
        row, beside = divmod(number, 2)
        if beside == (row % 2):
            values = {field.name: getattr(cell, field.name) for field in dataclasses.fields(cell)}
            own = cell.below_http or cell.warm or cell.breaker.startswith("quarantine")
            found.append(Shared(**values, place="" if own else HOMES[number // 4 % 2]))
    return found


def providers(found: Sequence[Shared], url: str, ports: Mapping[str, str]) -> dict[str, Any]:
    bases = {cell.home: ports[cell.provider.removeprefix("port: ")] if cell.below_http else url for cell in found}
    return {
        name: {"kind": "compatible", "base_url": f"{base}/v1", "api_key": "k", "models": ["*"]}
        for name, base in {**dict.fromkeys((*HOMES, "spare"), url), **bases}.items()
    }


def models(found: Sequence[Shared]) -> dict[str, Any]:
    return {
        cell.name: {
            "targets": [f"{cell.home}/{cell.model}", *([cell.other] if cell.beside else [])],
            "timeouts": dict(cell.timeouts),
            **cell.settings,
        }
        for cell in found
    } | {"larger": {"targets": ["spare/words-7"]}}


class Faults:
    """Asks them in turn, each as soon as it can be. For threads; each has a client of its own."""

    def __init__(self, url: str, found: Sequence[Shared]) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._due = [(0.0, number, cell) for number, cell in enumerate(found)]
        self._order = itertools.count(len(found))
        self._idle: list[Client] = []  # each for one call at a time, so that the call before was on its connection

    def close(self) -> None:
        """While nobody calls. A later call connects anew."""
        while self._idle:
            self._idle.pop().__exit__(None, None, None)

    def call(self) -> list[Ended]:
        """Nothing where none can be asked now."""
        with self._lock:
            if not self._due or self._due[0][0] > time.monotonic():
                return []
            _, _, cell = heapq.heappop(self._due)
        cell = dataclasses.replace(cell, number=next(self._order))
        try:
            return self._ask(cell)
        finally:
            with self._lock:
                heapq.heappush(self._due, (time.monotonic() + cell.pause, next(self._order), cell))

    def _ask(self, cell: Shared) -> list[Ended]:
        with self._client() as client:
            before = [self._before(client, cell)] if cell.warm else []
            began = time.monotonic()
            seen = client.call(cell.call_id, cell.name, stream=cell.streamed, headers=cell.headers, **cell.call)
        complaints = list(judge.of_client(Run(cell, seen, time.monotonic(), None)))
        if cell.row in _WARM:
            complaints = [one for one in complaints if not one.startswith("x-gateway-attempts")]
        told = cell.expected.told
        counts = told.counts if told else "success"
        return [*before, Ended("fault", cell.name, (counts,), "; ".join(complaints), began)]

    def _before(self, client: Client, cell: Shared) -> Ended:
        model, began = f"{cell.home}/words-1", time.monotonic()
        seen = client.call(f"{cell.call_id}-before", model, stream=False)
        return Ended("before", model, ("success",), None if seen.status == 200 else f"{seen}", began)

    @contextlib.contextmanager
    def _client(self) -> Iterator[Client]:
        with self._lock:
            client = self._idle.pop() if self._idle else None
        client = client or Client(self._url, key=KEY)
        yield client
        with self._lock:
            self._idle.append(client)
