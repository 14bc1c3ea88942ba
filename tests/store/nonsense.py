"""Whatever answers in memcached's place: replies of every kind of wrongness, and what may become of each.

    python -m tests.store.nonsense [REPLIES [SEED]]

An operation ends in what the reply says, read strictly, or in an exception; then its connection is closed and nobody
uses it again. What comes when nobody has asked is never taken for the next answer.
"""

from __future__ import annotations

import random
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from app.core.clock import SystemClock
from app.store.line import Line
from app.store.patience import Patience, Queue, Seats, Wait
from app.store.store import Question as Asked
from app.store.store import Tally, Write, read
from tests.store.replies import BAD, ERRORS, KEYS, Question, question_of, wrong


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
            question = question_of(dice, line._asked)
            said = question.honest if dice.random() < 0.3 else wrong(question.honest, dice)
            strict = question.reads(said)
            peer.next = reply = Reply(_pieces(said, dice), closes=strict is BAD)
            about = f"reply {number} of seed {seed}: {said[:200]!r}"
            answer = _asked(line, question)
            if isinstance(answer, Exception):
                assert strict is BAD or said.startswith(ERRORS), f"{about} was refused: {answer!r}"
                assert not isinstance(answer, TimeoutError), f"{about} was waited for"
                found[f"refused: {type(answer).__name__}"] += 1
                line.close()
                line = None
                continue
            if strict is BAD:  # its first piece may be an answer; what follows comes too late, and must be noticed
                strict = question.reads(reply.pieces[0])
                found["more than asked for, noticed"] += _is_noticed(line, peer, dice)
                line = None
            assert answer == strict, f"{about} was taken for {answer!r}"
            found["taken"] += 1
            if line is not None and dice.random() < 0.02:
                peer.next = Reply([wrong(b"MN\r\n", dice)], closes=False)
                line.sock.sendall(b"mn\r\n")
                found["never asked for, noticed"] += _is_noticed(line, peer, dice)
                line = None
    if line is not None:
        line.close()
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


def _is_noticed(line: Line, peer: Peer, dice: random.Random) -> bool:
    """What arrives while nobody asks is taken for no answer, but for one that says nothing, and no answer after it."""
    socket.socket.settimeout(line.sock, 10)
    socket.socket.recv(line.sock, 1, socket.MSG_PEEK)
    marked = dice.random() < 0.7
    try:
        for _ in range(2 if marked else 1):
            line.appoint(_wait())
            question, peer.next = _next(marked, line._asked + 1)
            answers, _ = line.ask([question])
            assert answers == [[None]], f"what nobody asked for was taken for {answers}"
    except AssertionError:
        raise
    except Exception:
        return True
    finally:
        line.close()
    raise AssertionError("what nobody asked for was left for the next one")


def _next(marked: bool, number: int) -> tuple[Asked[Any], Reply]:
    """A question, and what memcached would say."""
    if marked:
        return Tally(KEYS[0], [read(KEYS[0])]), Reply([b"VA 1 O%d\r\n3\r\n" % number], closes=False)
    return Write(KEYS[0], b"v", 9), Reply([b"STORED\r\n"], closes=False)


def main() -> None:
    replies, seed = [*map(int, sys.argv[1:]), *(100_000, 1)[len(sys.argv) - 1 :]]
    began = time.monotonic()
    for how, count in sorted(run(replies, seed).items()):
        print(f"{count:8} {how}")
    print(f"{replies} replies of seed {seed}, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
