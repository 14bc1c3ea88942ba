"""A worker that outgrows its share of the memory makes room for a fresh one, when its calls have ended.

The kernel would kill whoever is largest once the memory is used up, in the middle of its calls. Long before that the
worker tells itself to stop, as a SIGTERM would: others answer meanwhile, and the master starts one in its place when it
has ended. One worker at a time, whatever all of them take; and none that is the only one.
"""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

SHARE = 0.8  # of the memory, for all workers together
LOOKS = 10  # in a row, before it is believed: a large body comes and goes
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_LARGE = 1024 * 1024  # bytes; from here on a block comes from the system, and goes back to it
_KEPT = 1024 * 1024  # bytes that may lie unused at the end of the heap
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of containers: v2, v1


def available() -> int:
    """Bytes that the machine has, or its container."""
    found = [_PAGE * os.sysconf("SC_PHYS_PAGES")]
    for path in _LIMITS:
        with suppress(OSError, ValueError):
            found.append(int(Path(path).read_text()))
    return min(found)


def resident() -> int:
    """Bytes that this process has in memory, with what it shares with its master."""
    return _PAGE * int(Path("/proc/self/statm").read_text().split()[1])


def give_back() -> None:
    """Have glibc return at once what a large body took.

    By itself it learns from the first body of 16 MiB to keep that much, and twice as much, for the next one.
    """
    with suppress(OSError, AttributeError):  # another C library has no such habit
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)


class Memory:
    """Looked at by the tick. `lock`: a file of the instance; `most`: bytes that one worker may take."""

    def __init__(
        self,
        lock: Path,
        workers: int,
        most: int,
        taken: Callable[[], int] = resident,
        stop: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGTERM),
    ) -> None:
        self._path = lock
        self._is_alone = workers == 1
        self._most = most
        self._taken = taken
        self._stop = stop
        self._looks = 0
        self._lock: int | None = None  # held until the process ends

    def look(self) -> None:
        if self._is_alone or self._lock is not None:
            return
        taken = self._taken()
        self._looks = self._looks + 1 if taken > self._most else 0
        if self._looks >= LOOKS and self._is_first():
            mib = 1024 * 1024
            log.warning("this worker takes %d MiB of %d and is replaced", taken // mib, self._most // mib)
            self._stop()

    def _is_first(self) -> bool:
        fd = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._lock = fd
        return True
