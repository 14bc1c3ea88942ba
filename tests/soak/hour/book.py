"""What has been seen of the calls so far, and a line about it every minute."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TextIO

import requests

from tests.gunicorn import Server
from tests.soak.hour.calls import Ended
from tests.soak.hour.watch import MIB, Watch
from tests.soak.report import share

LOOK = 10.0  # seconds
SCRAPE = 15.0


@dataclass
class Book:
    """Many threads write into it."""

    calls: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, tuple[str, ...]]] = field(default_factory=Counter)
    complaints: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    timed: list[Ended] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, ended: Ended) -> None:
        with self._lock:
            self.calls[ended.kind] += 1
            if ended.model is not None and "/" not in ended.model:
                self.statuses[ended.model, ended.statuses] += 1
            if ended.complaint:
                self.complaints[f"{ended.kind} {ended.model}"].append(ended.complaint)
            if ended.took is not None:
                self.timed.append(ended)

    @property
    def wrong(self) -> int:
        return sum(map(len, self.complaints.values()))


class Diary:
    """Looks at the processes, scrapes as Prometheus does, and tells; all of it is in `out` as lines of JSON."""

    def __init__(self, server: Server, book: Book, watch: Watch, out: TextIO, minute: float) -> None:
        self._server = server
        self._book = book
        self._watch = watch
        self._out = out
        self._minute = minute
        self._began = time.monotonic()
        self._minutes = 0
        self._told = 0  # of the timed calls
        self._done = threading.Event()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._look), threading.Thread(target=self._scrape)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._done.set()
            for thread in threads:
                thread.join()

    def _scrape(self) -> None:
        while not self._done.wait(SCRAPE):
            with contextlib.suppress(requests.RequestException):
                requests.get(f"{self._server.metrics_url}/metrics", timeout=SCRAPE)

    def _look(self) -> None:
        while not self._done.wait(min(LOOK, self._minute)):
            found = self._watch.look()
            print(json.dumps({"samples": [asdict(one) for one in found]}), file=self._out, flush=True)
            if time.monotonic() - self._began >= (self._minutes + 1) * self._minute:
                self._minutes += 1
                self._tell()

    def _tell(self) -> None:
        timed = self._book.timed[self._told :]
        self._told += len(timed)
        now = [one for one in self._watch.samples if one.at == self._watch.samples[-1].at]
        workers = [one for one in now if one.role == "worker"]
        line: dict[str, Any] = {
            "minute": self._minutes,
            "calls": sum(self._book.calls.values()),
            "faults": self._book.calls["fault"],
            "wrong": self._book.wrong,
            "healthy_ms": _quantiles([one for one in timed if one.kind != "straight"]),
            "straight_ms": _quantiles([one for one in timed if one.kind == "straight"]),
            "worker_mb": [round(one.pss / MIB, 1) for one in workers],
            "other_mb": {one.role: round(one.pss / MIB, 1) for one in now if one.role != "worker"},
            "files": [one.files for one in workers],
            "threads": [one.threads for one in workers],
            "replaced": self._watch.replaced(),
        }
        print("  " + " ".join(f"{name} {value}" for name, value in line.items()), flush=True)
        line["complaints"] = {name: found[-1][:500] for name, found in list(self._book.complaints.items())}
        print(json.dumps(line), file=self._out, flush=True)


def _quantiles(calls: Sequence[Ended]) -> list[float]:
    """Half of them were faster, and 99 %."""
    took = [one.took for one in calls if one.took is not None]
    return [round(1000 * share(took, each), 1) for each in (0.5, 0.99)] if took else []
