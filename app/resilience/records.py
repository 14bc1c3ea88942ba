"""The file in the run directory in which all workers of an instance keep one state a target.

A header, then slots of a fixed size: whose it is, written once, and twice the state, each change written over the older
one before a single byte says which is the newer, so that a worker that is killed while it writes leaves the last whole
state. A name is looked for from the slot that its digest points at, on to the next ones until one is empty; nothing is
ever removed, since the names come from the configuration and the file lives no longer than the instance.

All changes share one BriefLock: they take microseconds, so that a lock a slot would cost more than it saves. Reading
needs none: a checksum tells whole from torn.
"""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

from app.core.clock import Clock
from app.resilience.lock import BriefLock
from app.resilience.state import SIZE, State, Torn, decoded, encoded

log = logging.getLogger(__name__)

CAPACITY = 1024
_NAME = 200  # bytes of a name that are kept

_HEADER = struct.Struct("<8sHHI")
_FIRST = 4096  # where the slots begin
_STATES = 256  # of a slot; from here on it has its two states
_SLOT = _STATES + 2 * SIZE
_CHECKSUM = struct.Struct("<I")
_OWNER = struct.Struct(f"<16sBBB{_NAME}s32s")  # digest, kind, lengths of name and provider, name, provider
_LOOKS = 3  # at a state that may just be being written

Answer = TypeVar("Answer")


class Kind(IntEnum):
    TARGET = 1
    PROVIDER = 2


def kept(name: str) -> str:
    """The name as the file keeps it: whole, or its beginning and a digest."""
    raw = name.encode(errors="replace")
    if len(raw) <= _NAME:
        return raw.decode()
    return f"{raw[: _NAME - 17].decode(errors='ignore')}~{hashlib.blake2b(raw, digest_size=8).hexdigest()}"


class Record:
    """The state of one target, or what concerns all of a provider's. `name` is as `kept()` says."""

    __slots__ = ("_lock", "_places", "_seen", "_slots", "_which", "kind", "name", "provider")

    def __init__(
        self, kind: Kind, name: str, provider: str, slots: mmap.mmap | bytearray, *, at: int, lock: BriefLock
    ) -> None:
        self.kind = kind
        self.name = name
        self.provider = provider
        self._slots = slots
        self._which = at + _STATES - 1  # where it says which of the two is the newer
        self._places = tuple(slice(start, start + SIZE) for start in (at + _STATES, at + _STATES + SIZE))
        self._lock = lock
        self._seen = (b"", State())

    def read(self) -> State:
        """As it is, or was when it could last be read. Not to be changed."""
        last, state = self._seen
        for _ in range(_LOOKS):
            raw = bytes(self._slots[self._places[self._slots[self._which] & 1]])
            if raw == last:
                return state
            try:
                state = decoded(raw)
            except Torn:
                continue
            self._seen = (raw, state)
            break
        return state

    def change(self, step: Callable[[State], Answer]) -> Answer | None:
        """What the step says; None where the lock could not be had and nothing has changed."""
        return self._lock.do(lambda: self._apply(step))

    def note(self, step: Callable[[State], Answer]) -> Answer | None:
        """The same, but then it is changed later, with the next change of this process."""
        return self._lock.do_or_put_off(lambda: self._apply(step))

    def _apply(self, step: Callable[[State], Answer]) -> Answer:
        newer = self._slots[self._which] & 1
        try:
            state = decoded(bytes(self._slots[self._places[newer]]))
        except Torn:
            log.warning("the record of %s was damaged: its breaker is closed now", self.name)
            state = State()
        answer = step(state)
        raw = encoded(state)
        self._slots[self._places[1 - newer]] = raw
        self._slots[self._which] = 1 - newer
        self._seen = (raw, state)
        return answer


class Records:
    """The file, open and mapped. One object a process; the housekeeper has its own."""

    def __init__(self, path: Path, clock: Clock, capacity: int = CAPACITY) -> None:
        """Make the file or join those who use it. Raises OSError: a full disk is known here, not at a later write."""
        self._clock = clock
        self._capacity = capacity
        self._full = False
        header = _HEADER.pack(b"breakers", 1, _SLOT, capacity)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            size = _FIRST + capacity * _SLOT
            os.posix_fallocate(self._fd, 0, size)
            if not any(found := os.pread(self._fd, len(header), 0)):
                os.pwrite(self._fd, header, 0)
            elif found != header:
                raise OSError(f"{path} is not this version's file of breakers")
            self._slots = mmap.mmap(self._fd, size)
        except BaseException:
            os.close(self._fd)
            raise
        self._lock = BriefLock(clock, self._fd)

    def find(self, kind: Kind, name: str, provider: str) -> Record | None:
        """The record of this name, made if there is none. None where the lock could not be had: ask again next time."""
        digest = hashlib.blake2b(bytes([kind]) + name.encode(errors="replace"), digest_size=16).digest()
        found, _ = self._look(digest)
        if found is None:
            owner = _owner(digest, kind, kept(name), provider)
            found = self._lock.do(lambda: self._make(digest, owner))
        if found is None:
            return None
        if found < 0:
            if not self._full:
                log.warning("more than %d targets: each worker judges the others for itself", self._capacity)
            self._full = True
            return self.apart(kind, name, provider)
        return Record(kind, kept(name), provider, self._slots, at=found, lock=self._lock)

    def apart(self, kind: Kind, name: str, provider: str) -> Record:
        """A record of this process alone."""
        return Record(kind, kept(name), provider, bytearray(_SLOT), at=0, lock=BriefLock(self._clock, None))

    def all(self) -> Iterator[Record]:
        for number in range(self._capacity):
            at = _FIRST + number * _SLOT
            if owner := self._read_owner(at):
                _, kind, name, provider = owner
                yield Record(kind, name, provider, self._slots, at=at, lock=self._lock)

    def catch_up(self) -> bool:
        """Make the changes that had to be put off; False where they still are.

        For the worker's tick: without it they wait for the next call.
        """
        return self._lock.catch_up()

    def close(self) -> None:
        self._slots.close()
        os.close(self._fd)

    def _look(self, digest: bytes) -> tuple[int | None, int]:
        """Where this one's slot is, and the first that could be; -1: there is none."""
        start = int.from_bytes(digest[:4], "little")
        free = -1
        for step in range(self._capacity):
            at = _FIRST + (start + step) % self._capacity * _SLOT
            owner = self._read_owner(at)
            if owner is not None and owner[0] == digest:
                return at, free
            if owner is None and free < 0:
                free = at
            if owner is None and not any(self._slots[at : at + _STATES]):
                break
        return None, free

    def _make(self, digest: bytes, owner: bytes) -> int:
        found, free = self._look(digest)
        if found is not None:
            return found
        if free >= 0:
            self._slots[free : free + _SLOT] = owner.ljust(_SLOT, b"\0")
        return free

    def _read_owner(self, at: int) -> tuple[bytes, Kind, str, str] | None:
        """None: nobody's, or its writer was killed."""
        raw = self._slots[at + _CHECKSUM.size : at + _CHECKSUM.size + _OWNER.size]
        if _CHECKSUM.unpack_from(self._slots, at) != (zlib.crc32(raw),):
            return None
        digest, kind, long, longer, name, provider = _OWNER.unpack(raw)
        return digest, Kind(kind), name[:long].decode(), provider[:longer].decode()


def _owner(digest: bytes, kind: Kind, name: str, provider: str) -> bytes:
    raw_name, raw_provider = name.encode(), provider.encode()
    raw = _OWNER.pack(digest, kind, len(raw_name), len(raw_provider), raw_name, raw_provider)
    return _CHECKSUM.pack(zlib.crc32(raw)) + raw
