"""What the processes of an instance take, again and again."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.gunicorn import Server
from tests.soak.scene import inside

AFTER = 3.0  # seconds for which a trouble is felt
MIB = 1024 * 1024


class Spans:
    """When something was going on (monotonic)."""

    def __init__(self) -> None:
        self._all: list[tuple[float, float]] = []

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._all.append((began, time.monotonic() + AFTER))

    def touches(self, began: float, ended: float) -> bool:
        return any(began < until and ended > since for since, until in self._all)


@dataclass(frozen=True, slots=True)
class Sample:
    """Of one process. Bytes: `pss` with its share of what others have, too, `rss` with all of that.

    `own` is what it has written itself. The rest grows and shrinks as other programs of the machine come and go, which
    share pages of Python with it.
    """

    at: float  # monotonic
    role: str  # worker, master, housekeeper
    pid: int
    own: int
    pss: int
    rss: int
    files: int
    threads: int


@dataclass(frozen=True, slots=True)
class Rest:
    """What one worker holds while nobody asks for anything."""

    pid: int
    held: dict[str, int]  # tests/faults/inside.py, and `files` that are no socket


class Watch:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._workers = sorted(server.workers())
        self._lock = threading.Lock()
        self.samples: list[Sample] = []

    def look(self) -> list[Sample]:
        """Of all processes, as they are now."""
        at, workers = time.monotonic(), set(self._server.workers())
        found = []
        for process in self._server.family():
            role = "worker" if process.pid in workers else "housekeeper"
            role = "master" if process.pid == self._server.process.pid else role
            with contextlib.suppress(OSError):
                found.append(_sample(at, role, process.pid))
        with self._lock:
            self.samples += found
        return found

    def rest(self) -> list[Rest]:
        return [Rest(pid, {**held, "files": _plain_files(pid)}) for pid, held in sorted(inside(self._server).items())]

    def replaced(self) -> int:
        """Workers of the beginning that are not there any more."""
        return len(set(self._workers) - set(self._server.workers()))


def _sample(at: float, role: str, pid: int) -> Sample:
    memory = dict(_numbers(Path(f"/proc/{pid}/smaps_rollup")))
    threads = dict(_numbers(Path(f"/proc/{pid}/status")))["Threads"]
    files = len(os.listdir(f"/proc/{pid}/fd"))
    own, pss, rss = (1024 * memory[name] for name in ("Anonymous", "Pss", "Rss"))
    return Sample(at, role, pid, own, pss, rss, files, threads)


def _numbers(path: Path) -> Iterator[tuple[str, int]]:
    for line in path.read_text().splitlines():
        name, _, rest = line.partition(":")
        with contextlib.suppress(ValueError, IndexError):
            yield name, int(rest.split()[0])


def _plain_files(pid: int) -> int:
    """Open files but for sockets: connections are kept for the next call."""
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
    return count
