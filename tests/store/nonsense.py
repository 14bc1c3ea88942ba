"""Whatever answers in memcached's place: replies of every kind of wrongness, and what may become of each.

    python -m tests.store.nonsense [REPLIES [SEED]]

An operation ends in what the reply says, read strictly, or in an exception; then its connection is closed and nobody
uses it again. What comes when nobody has asked is never taken for the next answer.
"""

from __future__ import annotations

import random
import re
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from app.core.clock import SystemClock
from app.store.line import Line
from app.store.patience import Patience, Queue, Seats, Wait
from app.store.store import add, key, read

KEYS = [key("nonsense", str(n)) for n in range(8)]
BAD = object()
_WORDS = (b"STORED", b"NOT_STORED", b"EXISTS", b"NOT_FOUND", b"DELETED", b"END", b"OK", b"MN", b"HD", b"EN", b"NF")
_ERRORS = (
    b"ERROR",
    b"CLIENT_ERROR bad command line format",
    b"SERVER_ERROR out of memory storing object",
    b"CLIENT_ERROR",
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent, piece by piece; then `more`, when the operation is over; then the connection may be closed."""

    pieces: Sequence[bytes]
    closes: bool

    @property
    def whole(self) -> bytes:
        return b"".join(self.pieces)


class Peer:
    """Answers each command with what it was told to say next."""

    def __init__(self) -> None:
        self.next: Reply | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while connection.recv(65_536):
                reply = self.next
                if reply is None:
                    continue
                for piece in reply.pieces:
                    connection.sendall(piece)
                if reply.closes:
                    return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@dataclass(frozen=True, slots=True)
class Question:
    """`reads`: what a reply means, strictly; BAD where it means nothing."""

    ask: Callable[[Line], object]
    honest: bytes
    reads: Callable[[bytes], object]


def value_of(where: str, dice: random.Random) -> bytes:
    """Says whose it is, and looks like an answer now and then."""
    tail = dice.choice(
        (b"", b"\r\n", b"\r\nEND\r\n", b"VALUE ", bytes(dice.randrange(300)), b"x" * dice.randrange(9000))
    )
    return where.encode() + b"!" + tail


def question_of(dice: random.Random, tallies: int) -> Question:
    where = dice.choice(KEYS)
    name = where.encode()
    kind = dice.randrange(6)
    if kind == 0:
        value = value_of(where, dice)
        honest = dice.choice((b"END\r\n", b"VALUE %s 0 %d 77\r\n%s\r\nEND\r\n" % (name, len(value), value)))

        def other(said: bytes) -> object:
            return BAD if _value(name, said, rb"\s+\d+") is BAD else False

        return Question(lambda line: line.exchange(where, b"another", b"v", 9), honest, other)
    if kind == 5:
        value = value_of(where, dice)
        honest = dice.choice((b"END\r\n", b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (name, len(value), value)))
        return Question(lambda line: line.read(where), honest, lambda said: _value(name, said))
    if kind == 1:
        words = {b"STORED\r\n": True, b"NOT_STORED\r\n": False}
        return Question(lambda line: line.claim(where, b"v", 9), dice.choice(list(words)), lambda s: words.get(s, BAD))
    if kind == 2:
        words = {b"STORED\r\n": True, b"NOT_STORED\r\n": False}
        return Question(lambda line: line.write(where, b"v", 9), b"STORED\r\n", lambda s: words.get(s, BAD))
    if kind == 3:
        steps = [dice.choice((read(where), add(where, 1, 9))) for _ in range(dice.randrange(1, 6))]
        mark = b" O%d" % (tallies + 1)
        lines = (b"EN%s\r\n" % mark, b"NF%s\r\n" % mark, b"VA 2%s\r\n17\r\n" % mark, b"VA 1%s\r\n3\r\n" % mark)
        honest = b"".join(dice.choice(lines) for _ in steps)
        return Question(lambda line: line.tally(steps), honest, lambda said: _numbers(said, mark, len(steps)))
    return Question(Line.greet, b"MN\r\n", lambda said: None if said == b"MN\r\n" else BAD)


def _value(name: bytes, said: bytes, version: bytes = b"") -> object:
    if said == b"END\r\n":
        return None
    head = rb"VALUE\S*\s+%s\s+([+-]?\d+)\s+([+-]?\d+)%s\s*" % (re.escape(name), version)
    found = re.fullmatch(head + rb"\r\n(.*)\r\nEND\r\n", said, re.DOTALL)
    return found[3] if found and int(found[2]) == len(found[3]) else BAD


def _numbers(said: bytes, mark: bytes, count: int) -> object:
    found: list[int | None] = []
    while said:
        if match := re.match(rb"VA (\d+)%s\r\n((?:(?!\r\n).)*)\r\n" % mark, said, re.DOTALL):
            if int(match[1]) != len(match[2]):
                return BAD
            found.append(int(match[2]) if re.fullmatch(rb"\d{1,18} *", match[2]) else None)
        elif match := re.match(rb"(EN|NF|NS)(%s)?\r\n|SERVER_ERROR[^\r\n]*\r\n" % mark, said):
            found.append(None)
        else:
            return BAD
        said = said[match.end() :]
    return found if len(found) == count else BAD


def wrong(honest: bytes, dice: random.Random) -> bytes:
    """Something else in place of an honest reply, or made of it."""
    return dice.choice(_WAYS)(honest, dice)


def _cut(honest: bytes, dice: random.Random) -> bytes:
    return honest[: dice.randrange(1, len(honest))]


def _more(honest: bytes, dice: random.Random) -> bytes:
    return honest + dice.choice((honest, b"END\r\n", b"\r\n", b"\x00", b"VA 1\r\n9\r\n", b"STORED\r\n"))


def _of_odd_size(honest: bytes, dice: random.Random) -> bytes:
    name, size = dice.choice(KEYS).encode(), dice.choice((-1, -5, 0, 1, 2**31, 2**63, 10**30, 5))
    return b"VALUE %s 0 %d\r\n%s!\r\nEND\r\n" % (name, size, name)


def _of_any_key(honest: bytes, dice: random.Random) -> bytes:
    name = dice.choice(KEYS).encode()
    return b"VALUE %s 0 %d\r\n%s!\r\nEND\r\n" % (name, len(name) + 1, name)


def _words(honest: bytes, dice: random.Random) -> bytes:
    return b"".join(dice.choice(_WORDS + _ERRORS) + b"\r\n" for _ in range(dice.choice((1, 1, 1, 5))))


def _noise(honest: bytes, dice: random.Random) -> bytes:
    return dice.randbytes(dice.randrange(1, 200))


def _other_number(honest: bytes, dice: random.Random) -> bytes:
    return re.sub(rb"\d+", lambda found: b"%d" % dice.randrange(10**4), honest, count=1)


def _one_byte(honest: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(honest))
    return honest[:at] + dice.randbytes(1) + honest[at + 1 :]


def _line_ends(honest: bytes, dice: random.Random) -> bytes:
    return honest.replace(b"\r\n", dice.choice((b"\n", b"\r", b"\r\r\n", b"\n\r")))


def _numbers_of_others(honest: bytes, dice: random.Random) -> bytes:
    return b"VA %d O%d\r\n%d\r\n" % (dice.randrange(3), dice.randrange(40), dice.randrange(99)) * dice.randrange(1, 5)


_WAYS: Sequence[Callable[[bytes, random.Random], bytes]] = (
    *(_cut, _more, _of_odd_size, _of_any_key, _words, _noise),
    *(_other_number, _one_byte, _line_ends, _numbers_of_others),
)


def _pieces(whole: bytes, dice: random.Random) -> list[bytes]:
    if dice.random() < 0.7 or len(whole) < 2:
        return [whole]
    at = dice.randrange(1, len(whole))
    return [whole[:at], whole[at:]]


def run(replies: int, seed: int) -> Counter[str]:
    """How many replies ended how. Raises AssertionError."""
    dice, found = random.Random(seed), Counter[str]()
    line: Line | None = None
    with Peer() as peer:
        for number in range(replies):
            line = line or _opened(peer)
            question = question_of(dice, line._tallies)
            said = question.honest if dice.random() < 0.3 else wrong(question.honest, dice)
            strict = question.reads(said)
            peer.next = reply = Reply(_pieces(said, dice), closes=strict is BAD)
            about = f"reply {number} of seed {seed}: {said[:200]!r}"
            answer = _asked(line, question)
            if isinstance(answer, Exception):
                assert strict is BAD or said.startswith(_ERRORS), f"{about} was refused: {answer!r}"
                assert not isinstance(answer, TimeoutError), f"{about} was waited for"
                found[f"refused: {type(answer).__name__}"] += 1
                line.close()
                line = None
                continue
            if strict is BAD:  # its first piece may be an answer; what follows comes too late, and must be noticed
                strict = question.reads(reply.pieces[0])
                found["more than asked for, noticed"] += _is_noticed(line)
                line = None
            assert answer == strict, f"{about} was taken for {answer!r}"
            found["taken"] += 1
            if line is not None and dice.random() < 0.02:
                peer.next = Reply([wrong(b"MN\r\n", dice)], closes=False)
                line.sock.sendall(b"mn\r\n")
                found["never asked for, noticed"] += _is_noticed(line)
                line = None
    return found


def _asked(line: Line, question: Question) -> object:
    try:
        line.appoint(_wait())
        return question.ask(line)
    except Exception as error:
        return error


def _opened(peer: Peer) -> Line:
    line = Line(peer.address)
    line.open(_wait(), 10.0)
    return line


def _wait() -> Wait:
    """As long as anybody could want: nothing here is to be found out by waiting."""
    seats = Seats(SystemClock())
    return Wait(Patience(30.0, SystemClock(), seats), Queue(seats))


def _is_noticed(line: Line) -> bool:
    """What arrives while nobody asks: the connection is not used again."""
    socket.socket.settimeout(line.sock, 10)
    socket.socket.recv(line.sock, 1, socket.MSG_PEEK)
    try:
        line.appoint(_wait())
    except Exception:
        return True
    finally:
        line.close()
    raise AssertionError("what nobody asked for was left for the next one")


def main() -> None:
    replies, seed = [*map(int, sys.argv[1:]), *(100_000, 1)[len(sys.argv) - 1 :]]
    began = time.monotonic()
    for how, count in sorted(run(replies, seed).items()):
        print(f"{count:8} {how}")
    print(f"{replies} replies of seed {seed}, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
