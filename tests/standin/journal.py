"""What really happened on the wire, for every thread to read and to wait for.

Records change only under the journal's lock; what is handed out are copies. Times are `time.monotonic()`, which all
processes of a Linux machine share, so they can be compared with a client's own.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.standin.message import Headers, Request

T = TypeVar("T")
COSTLY = 0.0005  # seconds; a tenth of the time goes to a predicate that takes longer


@dataclass(slots=True)
class ConnectionRecord:
    """A connection. `ended_by` is who closed first ("client", "server"), `ended_how` is "fin" or "rst".

    `ended` is when the first end closed, `closed` when the stand-in let go of the socket. `requests` counts whole ones.
    """

    id: int
    opened: float
    requests: int = 0
    received: int = 0
    sent: int = 0
    ended: float | None = None
    ended_by: str = ""
    ended_how: str = ""
    closed: float | None = None
    tls_error: str = ""


@dataclass(slots=True)
class RequestRecord:
    """A request and how its answer went.

    `outcome` is "open" (still being answered), "complete", "cut" (the stand-in broke it off) or "aborted" (the client
    left; `ended_how` says by "fin" or "rst"). `first_byte`, `ended` and `at` are instants. `bytes_sent` counts head and
    framing too; `words_sent` the words of made-up text that were handed to the kernel.
    """

    id: int
    connection: int
    nth: int
    method: str
    target: str
    path: str
    model: str
    headers: Headers
    body: bytes
    json: Any
    at: float
    behaviour: str = ""
    status: int = 0
    first_byte: float | None = None
    bytes_sent: int = 0
    words_sent: int = 0
    outcome: str = "open"
    ended: float | None = None
    ended_how: str = ""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def aborted(self) -> float | None:
        """When the client left before the answer was complete, or None."""
        return self.ended if self.outcome == "aborted" else None


@dataclass(slots=True)
class _Books:
    connections: dict[int, ConnectionRecord] = field(default_factory=dict)
    requests: dict[int, RequestRecord] = field(default_factory=dict)
    finished: deque[int] = field(default_factory=deque)
    gone: deque[int] = field(default_factory=deque)
    totals: Counter[str] = field(default_factory=Counter)


class Journal:
    """Keeps the last `keep` finished requests and closed connections (all, when None); `totals` count everything."""

    def __init__(self, keep: int | None = None) -> None:
        self._keep = keep
        self._changed = self.changing = threading.Condition(threading.RLock())
        self._books = _Books()
        self._connections = 0
        self._requests = 0
        self.version = 0

    # Reading

    def requests(self, **equal: object) -> list[RequestRecord]:
        """Requests in the order they came, filtered by attributes: `requests(model="x", outcome="aborted")`."""
        with self._changed:
            return [copy(one) for one in self._books.requests.values() if _fits(one, equal)]

    def connections(self, **equal: object) -> list[ConnectionRecord]:
        with self._changed:
            return [copy(one) for one in self._books.connections.values() if _fits(one, equal)]

    def request(self, **equal: object) -> RequestRecord:
        """The one request that fits; an AssertionError when there are none or several."""
        found = self.requests(**equal)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} requests fit {equal}, not one; {self}")
        return found[0]

    @property
    def last(self) -> RequestRecord:
        """The newest request."""
        with self._changed:
            return copy(self._books.requests[max(self._books.requests)])

    @property
    def open_connections(self) -> int:
        with self._changed:
            return sum(one.closed is None for one in self._books.connections.values())

    @property
    def totals(self) -> dict[str, int]:
        """Since the start or `clear()`: connections, requests, complete, cut, aborted, bytes_sent, words_sent."""
        with self._changed:
            return dict(self._books.totals)

    def wait_for(self, predicate: Callable[[Journal], T], timeout: float = 10.0) -> T:
        """Block until `predicate(journal)` is true, and give its value; an AssertionError after `timeout` seconds.

        It is asked again after every change, a costly one less often, so that it cannot hold the server up.
        """
        deadline = time.monotonic() + timeout
        while True:
            with self._changed:
                asked = time.monotonic()
                if value := predicate(self):
                    return value
                cost = time.monotonic() - asked
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"not seen within {timeout} s; {self}")
                self._changed.wait(left)
            if cost > COSTLY:
                time.sleep(min(9 * cost, 0.1))

    def wait(self, count: int = 1, timeout: float = 10.0, **equal: object) -> list[RequestRecord]:
        """Block until `count` requests fit: `wait(outcome="aborted")`, `wait(3, model="x", outcome="complete")`."""

        def enough(journal: Journal) -> list[RequestRecord]:
            found = journal.requests(**equal)
            return found if len(found) >= count else []

        return self.wait_for(enough, timeout)

    def clear(self) -> None:
        """Forget what is over; what is open stays."""
        with self._changed:
            old, self._books = self._books, _Books()
            self._books.requests = {one.id: one for one in old.requests.values() if one.outcome == "open"}
            self._books.connections = {one.id: one for one in old.connections.values() if one.closed is None}
            self._touch()

    def __str__(self) -> str:
        with self._changed:
            lines = [f"totals {dict(self._books.totals)}"]
            for one in list(self._books.requests.values())[-20:]:
                lines.append(
                    f"  #{one.id} connection {one.connection}.{one.nth} {one.method} {one.path} model={one.model!r} "
                    f"{one.behaviour!r} -> {one.status} {one.outcome} {one.ended_how} {one.bytes_sent} bytes "
                    f"{one.words_sent} words"
                )
            return "journal: " + "\n".join(lines)

    # Writing, by the server alone

    def opened(self) -> int:
        with self._changed:
            self._connections += 1
            self._books.connections[self._connections] = ConnectionRecord(self._connections, time.monotonic())
            self._books.totals["connections"] += 1
            self._touch()
            return self._connections

    def forget(self, connection: int) -> None:
        """A connection that only controls the stand-in is no part of the story."""
        with self._changed:
            if self._books.connections.pop(connection, None) is not None:
                self._books.totals["connections"] -= 1
                self._touch()

    def received(self, connection: int, count: int) -> None:
        with self._changed:
            if connection in self._books.connections:
                self._books.connections[connection].received += count
                self._touch()

    def tls_failed(self, connection: int, error: str) -> None:
        with self._changed:
            if connection in self._books.connections:
                self._books.connections[connection].tls_error = error
                self._touch()

    def ending(self, connection: int, by: str, how: str) -> None:
        """One end closed; the first to do so is remembered."""
        with self._changed:
            record = self._books.connections.get(connection)
            if record is not None and record.ended is None:
                record.ended, record.ended_by, record.ended_how = time.monotonic(), by, how
                self._touch()

    def closed(self, connection: int) -> None:
        with self._changed:
            record = self._books.connections.get(connection)
            if record is not None:
                record.closed = time.monotonic()
                self._books.gone.append(connection)
                self._trim(self._books.gone, self._books.connections)
                self._touch()

    def began(self, request: Request) -> int:
        with self._changed:
            self._requests += 1
            self._books.requests[self._requests] = RequestRecord(
                id=self._requests,
                connection=request.connection,
                nth=request.nth,
                method=request.method,
                target=request.target,
                path=request.path,
                model=request.model,
                headers=request.headers,
                body=request.body,
                json=request.json,
                at=time.monotonic(),
            )
            if request.connection in self._books.connections:
                self._books.connections[request.connection].requests += 1
            self._books.totals["requests"] += 1
            self._touch()
            return self._requests

    def answering(self, request: int, behaviour: str, status: int) -> None:
        with self._changed:
            if request in self._books.requests:
                record = self._books.requests[request]
                record.behaviour, record.status = behaviour, status
                self._touch()

    def sent(self, connection: int, request: int, count: int, words: int) -> None:
        with self._changed:
            if connection in self._books.connections:
                self._books.connections[connection].sent += count
            if request in self._books.requests:
                record = self._books.requests[request]
                if record.first_byte is None and count:
                    record.first_byte = time.monotonic()
                record.bytes_sent += count
                record.words_sent += words
            self._books.totals["bytes_sent"] += count
            self._books.totals["words_sent"] += words
            self._touch()

    def ended(self, request: int, outcome: str, how: str) -> None:
        with self._changed:
            record = self._books.requests.get(request)
            if record is not None and record.outcome == "open":
                record.outcome, record.ended, record.ended_how = outcome, time.monotonic(), how
                self._books.totals[outcome] += 1
                self._books.finished.append(request)
                self._trim(self._books.finished, self._books.requests)
                self._touch()

    def _trim(self, over: deque[int], records: dict[int, Any]) -> None:
        while self._keep is not None and len(over) > self._keep:
            records.pop(over.popleft(), None)

    def _touch(self) -> None:
        self.version += 1
        self._changed.notify_all()


def _fits(record: object, equal: dict[str, object]) -> bool:
    return all(getattr(record, name) == value for name, value in equal.items())
