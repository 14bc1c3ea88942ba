"""Whose files a worker counts in: slots instead of process ids.

prometheus_client keeps the values of a process in files named after it, and dead processes leave theirs behind: either
the files pile up, or counters fall when they are removed. Here a worker takes the lowest free slot and holds its lock
until the kernel drops it, at whatever death. The next owner of a slot goes on with the values in its files: counters
never fall, and there are never more files than workers that lived at the same time. Only live gauges die with their
owner: they are removed when a slot is taken and when the master notices a death.

Taking, reaping and looking happen under one more lock, so that nobody who looks at a free slot makes it seem taken.
The master never touches a metric: how workers ended is counted in a JSON file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.core import json

LIMIT = 1024  # workers at the same time; twice WEB_CONCURRENCY during a reload
_ROOM = 16 * 1024  # bytes; more than one histogram child takes
_FIRST = 64 * 1024  # a new file; prometheus_client doubles it when it is full
_SAID = 40  # characters of what a worker says of itself
_HEAD = struct.Struct("i4x")  # how much of a file is used, itself included
_LENGTH = struct.Struct("i")  # of a key, which 1 to 8 blanks fill up to a multiple of 8
_VALUES = 16  # bytes: a value and when it was set
_PARTS = 4  # of a key: metric, series, labels, help

log = logging.getLogger(__name__)

DRAINING = "draining"  # what a worker says that was told to stop, with all the others
REPLACED = "replaced"  # and what one says whose place another takes

REASONS = ("graceful", "timeout", "failed", "killed")


class Full(OSError):
    """There is no room on the file system for another series."""


@dataclass(frozen=True, slots=True)
class Slot:
    """`fd`: the open file that holds its lock. Through it the owner speaks, wherever the directory has gone since."""

    directory: Path
    number: int
    fd: int

    @property
    def name(self) -> str:
        return f"w{self.number}"

    def mark(self, state: str) -> None:
        """Say how far this worker has come: `booting`, `ready` or `draining`. Raises OSError.

        In place: to cut the file first would lose what it says where the disk has filled up since.
        """
        os.pwrite(self.fd, f"{os.getpid()} {state}".ljust(_SAID).encode() + b"\n", 0)

    def marked(self) -> str:
        """What this worker said last."""
        return os.pread(self.fd, 2 * _SAID, 0).decode().strip().partition(" ")[2]

    def is_there(self) -> bool:
        """Whether the directory is still the one in which this slot was taken."""
        try:
            return os.path.samestat(os.fstat(self.fd), _lock_file(self.directory, self.number).stat())
        except OSError:
            return False

    def make_room(self, kind: str) -> None:
        """Before a series is made: a write to a file that the file system cannot back is a SIGBUS, not an error.

        `kind` as in the file's name: counter, histogram, gauge_livesum. Raises Full.
        """
        path = self.directory / f"{kind}_{self.name}.db"
        if not self.is_there():
            raise Full(errno.ENOENT, f"no room for metrics: {self.directory} is gone")
        try:
            if not path.exists():
                _make(path)
            fd = os.open(path, os.O_RDWR)
            try:
                size = os.fstat(fd).st_size
                if _HEAD.unpack(os.pread(fd, _HEAD.size, 0))[0] + _ROOM > size:
                    os.posix_fallocate(fd, 0, 2 * size)
            finally:
                os.close(fd)
        except OSError as error:
            raise Full(error.errno, f"no room for metrics in {self.directory}: {error.strerror}") from error


def claim(directory: Path) -> Slot:
    """Take the lowest free slot, for as long as its open file is not closed. Raises OSError."""
    with _alone(directory):
        for number in range(LIMIT):
            fd = _try_lock(directory, number)
            if fd is not None:
                _forget_live_gauges(directory, number)
                _set_aside(directory, number)
                slot = Slot(directory, number, fd)
                slot.mark("booting")
                return slot
    raise OSError(f"no metrics slot is free in {directory}")


def adopt(slot: Slot) -> None:
    """From here on whatever this process counts goes to the slot's files. Before the first metric is made."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(slot.directory)
    from prometheus_client import values  # noqa: PLC0415 - the master imports this module, and must never make a value

    name = slot.name

    def identity() -> str:  # asked at every increment: nothing that takes time
        return name

    def forked() -> None:  # a process forked from a worker must not write into its files
        nonlocal name
        name = f"p{os.getpid()}"

    os.register_at_fork(after_in_child=forked)
    values.ValueClass = values.MultiProcessValue(process_identifier=identity)  # type: ignore[no-untyped-call]


def note_exit(directory: Path, reason: str) -> None:
    """Why this process is about to end; the first note counts. Without one, or without room for it, it was killed."""
    with contextlib.suppress(OSError), _note(directory, os.getpid()).open("x") as note:
        note.write(reason)


def reap(directory: Path, pid: int) -> None:
    """In the master, when a worker has died: forget the live gauges of free slots and count the exit."""
    with _alone(directory):
        for number in _known(directory):
            fd = _try_lock(directory, number)
            if fd is not None:
                _forget_live_gauges(directory, number)
                os.close(fd)
    note = _note(directory, pid)
    try:
        reason = note.read_text()
        note.unlink()
    except FileNotFoundError:
        reason = "killed"
    counts = exits(directory)
    counts[reason] = counts.get(reason, 0) + 1
    fresh = directory / "exits.json.new"
    fresh.write_bytes(json.dumps(counts))
    fresh.rename(directory / "exits.json")


def exits(directory: Path) -> dict[str, int]:
    """How many workers ended in which way, as far as the master has noticed."""
    try:
        counted = json.loads((directory / "exits.json").read_bytes())
    except (FileNotFoundError, json.NotJson):
        return {}
    return {reason: int(counted.get(reason, 0)) for reason in REASONS}


def held(directory: Path) -> dict[int, str]:
    """The slots that living workers hold, each with what its owner said of itself: `<pid> booting|ready|draining`."""
    found: dict[int, str] = {}
    with contextlib.suppress(FileNotFoundError), _alone(directory):
        for number in _known(directory):
            fd = _try_lock(directory, number)
            if fd is not None:
                os.close(fd)
            else:
                found[number] = _lock_file(directory, number).read_text().strip()
    return found


def _is_whole(path: Path) -> bool:
    """Whether prometheus_client can go on with this file: a length, then entries of a key in JSON and two numbers."""
    try:
        data = path.read_bytes()
        used = _HEAD.unpack_from(data)[0]
        at = _HEAD.size
        if not at <= used <= len(data):
            return False
        while at < used:
            key = at + _LENGTH.size
            end = key + _LENGTH.unpack_from(data, at)[0]
            if not key < end <= used or len(json.loads(data[key:end])) != _PARTS:
                return False
            at = end + 8 - end % 8 + _VALUES
    except (OSError, struct.error, TypeError, json.NotJson):
        return False
    return bool(at == used)


def _set_aside(directory: Path, number: int) -> None:
    """What cannot be read would keep every worker that takes this slot from its start."""
    for path in directory.glob(f"*_w{number}.db"):
        if not _is_whole(path):
            log.error("%s cannot be read: what was counted in it is lost", path)
            path.rename(path.with_suffix(".unreadable"))


def _make(path: Path) -> None:
    """An empty file as prometheus_client starts one, but backed. By rename: a reader never sees it half made."""
    fresh = path.with_suffix(".new")
    fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.posix_fallocate(fd, 0, _FIRST)
        os.pwrite(fd, _HEAD.pack(_HEAD.size), 0)
    finally:
        os.close(fd)
    fresh.rename(path)


def _note(directory: Path, pid: int) -> Path:
    return directory / f"exit-{pid}"


def _lock_file(directory: Path, number: int) -> Path:
    return directory / f"slot{number}.lock"


def _known(directory: Path) -> list[int]:
    return sorted(int(path.name[4:-5]) for path in directory.glob("slot*.lock"))


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Held for microseconds, so waiting is no danger, even where it stops a whole process.

    Unlocked by name: under gevent, close() may wait for the event loop.
    """
    fd = os.open(directory / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def _try_lock(directory: Path, number: int) -> int | None:
    fd = os.open(_lock_file(directory, number), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _forget_live_gauges(directory: Path, number: int) -> None:
    for path in directory.glob(f"gauge_live*_w{number}.db"):
        path.unlink()
