"""The run directory: what the processes of one instance share, and nobody else may see.

    lock                held by the master, with its process id
    housekeeper.lock    held by the housekeeper
    private.sock        where the housekeeper answers
    listeners.json      the addresses that the master has bound
    started             there has been a good start: a worker was ready
    failed              the first start has failed, and a worker has said why
    memory.lock         held by the worker that makes room for a fresh one
    breakers            records of targets, shared by all workers
    metrics/            slots and the files that workers count in
    config/             the published configuration

Emptied by a master that starts, kept over a reload.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from app.metrics import slots

_LONGEST_SOCKET = 100  # bytes; the kernel takes 107
_ORPHANS = 10.0  # seconds that what is left of a killed instance may take to notice


class Refused(RuntimeError):
    """This instance cannot start here. gunicorn shows a RuntimeError as one line."""


@dataclass(frozen=True, slots=True)
class RunDir:
    path: Path

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def housekeeper(self) -> Path:
        return self.path / "housekeeper.lock"

    @property
    def socket(self) -> Path:
        return self.path / "private.sock"

    @property
    def listeners(self) -> Path:
        return self.path / "listeners.json"

    @property
    def started(self) -> Path:
        return self.path / "started"

    @property
    def failed(self) -> Path:
        return self.path / "failed"

    @property
    def memory(self) -> Path:
        return self.path / "memory.lock"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics"

    @property
    def breakers(self) -> Path:
        return self.path / "breakers"

    @property
    def config(self) -> Path:
        return self.path / "config"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run directory that belongs to this master for as long as `fd` is open."""

    dir: RunDir
    fd: int

    def is_there(self) -> bool:
        """Whether it is still the directory that was claimed."""
        try:
            return os.path.samestat(os.fstat(self.fd), self.dir.lock.stat()) and self.dir.metrics.is_dir()
        except OSError:
            return False

    def leave(self) -> None:
        """In a worker: the lock is the master's alone."""
        os.close(self.fd)


def claim(path: Path, *, patience: float = _ORPHANS) -> Claimed:
    """Make or take over the directory, for a master that starts. Raises Refused."""
    here = RunDir(path)
    if len(os.fsencode(here.socket)) >= _LONGEST_SOCKET:
        raise Refused(f"the run directory's path is too long for a socket in it: {path}; set GATEWAY_RUN_DIR")
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Refused(f"the run directory {path} cannot be made: {error.strerror}; set GATEWAY_RUN_DIR") from error
    _check(path)
    fd = _lock(here)
    try:
        _wait_for_orphans(here, patience)
        _empty(here)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    except BaseException:
        os.close(fd)
        raise
    return Claimed(here, fd)


def renew(gone: Claimed) -> Claimed:
    """Make what is missing of it anew, for a master that runs. Raises Refused, OSError."""
    here = gone.dir
    if here.lock.exists() and os.path.samestat(os.fstat(gone.fd), here.lock.stat()):
        here.metrics.mkdir(mode=0o700, exist_ok=True)
        here.config.mkdir(mode=0o700, exist_ok=True)
        return gone
    fresh = claim(here.path, patience=0)
    os.close(gone.fd)
    return fresh


def try_lock(path: Path) -> int | None:
    """An open file that holds the lock, None where somebody else does. The kernel drops it with the last copy."""
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _check(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise Refused(f"the run directory {path} is not a directory (a symbolic link is none)")
    if found.st_uid != os.geteuid():
        raise Refused(f"the run directory {path} belongs to uid {found.st_uid}, not to {os.geteuid()}")
    if found.st_mode & 0o077:
        raise Refused(f"the run directory {path} is open to others (mode {found.st_mode & 0o777:o}); chmod 700 it")


def _lock(here: RunDir) -> int:
    if not here.lock.exists() and any(here.path.iterdir()):
        raise Refused(f"{here.path} holds files that are not a gateway's; it would be emptied: set GATEWAY_RUN_DIR")
    fd = try_lock(here.lock)
    if fd is None:
        owner = here.lock.read_text().strip() or "unknown"
        raise Refused(f"another gateway (process {owner}) runs in {here.path}; stop it, or set GATEWAY_RUN_DIR")
    return fd


def _wait_for_orphans(here: RunDir, patience: float) -> None:
    """Workers and housekeeper of a master that was killed notice it within seconds and end by themselves."""
    ends_at = time.monotonic() + patience
    while True:
        workers = slots.held(here.metrics)
        if not workers and (fd := try_lock(here.housekeeper)) is not None:
            os.close(fd)
            return
        if time.monotonic() > ends_at:
            who = ", ".join(state.partition(" ")[0] for state in workers.values()) or "its housekeeper"
            raise Refused(f"what is left of a killed gateway still runs in {here.path} (process {who}); end it first")
        time.sleep(0.1)


def _empty(here: RunDir) -> None:
    for entry in list(here.path.iterdir()):
        if entry == here.lock:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    here.metrics.mkdir(mode=0o700)
    here.config.mkdir(mode=0o700)
