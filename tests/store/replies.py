"""What memcached says to each question, what it means, and everything that it could be mistaken for."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.store.line import Line
from app.store.store import add, key, read

KEYS = [key("nonsense", str(n)) for n in range(8)]
BAD = object()
_WORDS = (b"STORED", b"NOT_STORED", b"EXISTS", b"NOT_FOUND", b"DELETED", b"END", b"OK", b"MN", b"HD", b"EN", b"NF")
ERRORS = (
    b"ERROR",
    b"CLIENT_ERROR bad command line format",
    b"SERVER_ERROR out of memory storing object",
    b"CLIENT_ERROR",
)


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
    """To a connection that has been asked for so many tallies."""
    where = dice.choice(KEYS)
    kind = dice.choice((_read, _exchange, _write, _claim, _drop, _tally, _greet))
    return kind(where, dice, tallies)


def _read(where: str, dice: random.Random, tallies: int) -> Question:
    name, value = where.encode(), value_of(where, dice)
    honest = dice.choice((b"END\r\n", b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (name, len(value), value)))
    return Question(lambda line: line.read(where), honest, lambda said: _value(name, said))


def _exchange(where: str, dice: random.Random, tallies: int) -> Question:
    """Of another value than there ever is."""
    name, value = where.encode(), value_of(where, dice)
    honest = dice.choice((b"END\r\n", b"VALUE %s 0 %d 77\r\n%s\r\nEND\r\n" % (name, len(value), value)))

    def reads(said: bytes) -> object:
        return BAD if _value(name, said, rb"\s+\d+") is BAD else False

    return Question(lambda line: line.exchange(where, b"another", b"v", 9), honest, reads)


def _write(where: str, dice: random.Random, tallies: int) -> Question:
    return _of_words(lambda line: line.write(where, b"v", 9), dice, {b"STORED": True, b"NOT_STORED": False})


def _claim(where: str, dice: random.Random, tallies: int) -> Question:
    return _of_words(lambda line: line.claim(where, b"v", 9), dice, {b"STORED": True, b"NOT_STORED": False})


def _drop(where: str, dice: random.Random, tallies: int) -> Question:
    return _of_words(lambda line: line.drop(where), dice, {b"DELETED": True, b"NOT_FOUND": True})


def _greet(where: str, dice: random.Random, tallies: int) -> Question:
    return _of_words(Line.greet, dice, {b"MN": None})


def _tally(where: str, dice: random.Random, tallies: int) -> Question:
    steps = [dice.choice((read(where), add(where, 1, 9))) for _ in range(dice.randrange(1, 6))]
    mark = b" O%d" % (tallies + 1)
    lines = (b"EN%s\r\n" % mark, b"NF%s\r\n" % mark, b"VA 2%s\r\n17\r\n" % mark, b"VA 1%s\r\n3\r\n" % mark)
    honest = b"".join(dice.choice(lines) for _ in steps)
    return Question(lambda line: line.tally(steps), honest, lambda said: _numbers(said, mark, len(steps)))


def _of_words(ask: Callable[[Line], object], dice: random.Random, words: Mapping[bytes, object]) -> Question:
    meaning = {word + b"\r\n": what for word, what in words.items()}
    return Question(ask, dice.choice(list(meaning)), lambda said: meaning.get(said, BAD))


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
    return b"".join(dice.choice(_WORDS + ERRORS) + b"\r\n" for _ in range(dice.choice((1, 1, 1, 5))))


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
