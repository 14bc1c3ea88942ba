"""What is said to memcached where several questions travel together, and how its answers are read.

Counters and looks are meta commands, whose answers repeat a mark; what is written is a command that every memcached has
alike. An answer is read strictly: after anything that memcached would not say, nobody knows whose the next one is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pymemcache.exceptions import MemcacheUnknownError  # type: ignore[import-untyped]  # it has no types

from app.store.store import Claim, ClaimOrRead, Found, Question, Read, Step, Tally, Write

LARGEST = 32 * 1024 * 1024  # bytes of an answer, as far as anybody would read one
LINE = 512  # bytes; none of memcached's is longer
_HIGHEST = 2**63
_DIGITS = 19
_MISSING = (b"EN", b"NF", b"NS")
_NO_NUMBER = b"CLIENT_ERROR cannot increment or decrement non-numeric value"
_NO_ROOM = b"SERVER_ERROR"
_NUMBER = re.compile(rb"(?:VA (\d\d?)|EN)( O\d+)\r\n(?(1)(\d{1,18})\r\n)")  # what nearly all are, at one glance
_STORED: Mapping[bytes, bool] = {b"STORED": True, b"NOT_STORED": False}


def said(question: Question[Any], mark: bytes) -> bytes:
    """The commands. `mark`: as its answers repeat it."""
    match question:
        case Tally(_, steps):
            return b"".join([_step(step, mark) for step in steps])
        case Read(key):
            return _look(key, b" k" + mark)
        case ClaimOrRead(key, value, ttl, claims):
            return (_written(b"add", key, value, ttl) if claims else b"") + _look(key, b" k" + mark)
        case Write(key, value, ttl):
            return _written(b"set", key, value, ttl)
    raise TypeError(question)


def is_marked(question: Question[Any]) -> bool:
    """Whether its first answer repeats the mark: nothing that was left on a connection can be taken for it."""
    return not isinstance(question, (Write, ClaimOrRead))


class Answers:
    """What comes back, in the order of the questions. Raises MemcacheUnknownError for what no memcached says."""

    def __init__(self, mark: bytes, more: Callable[[], bytes]) -> None:
        """`more`: the next piece, at least one byte of it."""
        self.is_full = False  # the server had no room for something, or it was too large for it
        self._mark = mark
        self._more = more
        self._came = b""
        self._at = 0

    def to(self, question: Question[Any]) -> Any:
        match question:
            case Tally(_, steps):
                return [self._number() for _ in steps]
            case Read(key):
                return Found(self._value(key))
            case ClaimOrRead(key, claims=claims):
                won = self._stored() if claims else None
                went = Claim.GONE if won is None else Claim.WON if won else Claim.TAKEN
                return went, Found(self._value(key))
            case Write():
                return bool(self._stored())
        raise TypeError(question)

    def end(self) -> None:
        if self._at < len(self._came):
            raise MemcacheUnknownError("more answers than questions")

    def _number(self) -> int | None:
        if self._at == len(self._came):
            self._came, self._at = self._more(), 0
        if (whole := _NUMBER.match(self._came, self._at)) is not None:
            size, mark, number = whole.groups()
            if mark == self._mark and (number is None or int(size) == len(number)):
                self._at = whole.end()
                return None if number is None else int(number)
        line = self._line()
        if line.startswith((_NO_ROOM, _NO_NUMBER)):
            return None
        number = self._after(line, self._mark)
        if number is None:
            return None
        number = number.rstrip(b" ")  # memcached pads what became shorter
        if not number.isdigit() or len(number) > _DIGITS:
            return None
        return int(number) if int(number) < _HIGHEST else None

    def _value(self, key: str) -> bytes | None:
        return self._after(self._line(), b" k%s%s" % (key.encode(), self._mark))

    def _stored(self) -> bool | None:
        """None: there is no room."""
        line = self._line()
        if line.startswith(_NO_ROOM):
            self.is_full = True
            return None
        try:
            return _STORED[line]
        except KeyError:
            raise MemcacheUnknownError("no answer to something that was to be written") from None

    def _after(self, line: bytes, tail: bytes) -> bytes | None:
        """The bytes that such a line announces, with what it ends in; None: it says that there are none."""
        if line[:2] in _MISSING and line[2:] in (tail, b""):
            return None
        size = line[3 : -len(tail)]
        if not (line.startswith(b"VA ") and line.endswith(tail) and size.isdigit() and len(size) <= _DIGITS):
            raise MemcacheUnknownError("an answer that memcached's meta commands do not have, or to another question")
        return self._bytes(int(size))

    def _line(self) -> bytes:
        while (end := self._came.find(b"\r\n", self._at)) < 0:
            if len(self._came) - self._at > LINE:
                raise MemcacheUnknownError("a line without an end")
            self._came = self._came[self._at :] + self._more()
            self._at = 0
        line = self._came[self._at : end]
        self._at = end + 2
        return line

    def _bytes(self, size: int) -> bytes:
        if size > LARGEST:
            raise MemcacheUnknownError("an answer that is too large")
        missing = self._at + size + 2 - len(self._came)
        if missing > 0:
            pieces = [self._came[self._at :]]
            while missing > 0:
                pieces.append(self._more())
                missing -= len(pieces[-1])
            self._came, self._at = b"".join(pieces), 0
        end = self._at + size
        if self._came[end : end + 2] != b"\r\n":
            raise MemcacheUnknownError("a value of another length than was told")
        value = self._came[self._at : end]
        self._at = end + 2
        return value


def _step(step: Step, mark: bytes) -> bytes:
    key, by, first, ttl, renew = step
    if by is None:
        return _look(key, mark)
    made = b"" if first is None else b" N%d J%d" % (ttl, first)
    kept = b" T%d" % ttl if renew else b""
    down = b"MD " if by < 0 else b""
    return b"ma %s %sD%d%s%s v%s\r\n" % (key.encode(), down, abs(by), made, kept, mark)


def _look(key: str, mark: bytes) -> bytes:
    return b"mg %s v%s\r\n" % (key.encode(), mark)


def _written(command: bytes, key: str, value: bytes, ttl: int) -> bytes:
    return b"%s %s 0 %d %d\r\n%s\r\n" % (command, key.encode(), ttl, len(value), value)
