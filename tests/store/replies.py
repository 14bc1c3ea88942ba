"""What memcached says to each question, what it means, and everything that it could be mistaken for."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.store.line import Line
from app.store.store import Claim, ClaimOrRead, Found, Read, Step, Tally, Write, add, key, read
from app.store.store import Question as Asked

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


def question_of(dice: random.Random, asked: int) -> Question:
    """To a connection that was asked so often before."""
    where = dice.choice(KEYS)
    kind = dice.choice((_together, _together, _exchange, _drop, _greet))
    return kind(where, dice, b" O%d" % (asked + 1))


def _together(where: str, dice: random.Random, mark: bytes) -> Question:
    """One question or several in one piece."""
    parts = [dice.choice(_PARTS)(where, dice, mark) for _ in range(dice.choice((1, 1, 2, 3)))]

    def reads(said: bytes) -> object:
        found: list[object] = []
        for part in parts:
            if (answer := part.reads(said)) is None:
                return BAD
            what, size = answer
            found.append(what)
            said = said[size:]
        return BAD if said else found

    asked = [part.asked for part in parts]
    return Question(lambda line: line.ask(asked)[0], b"".join(part.honest for part in parts), reads)


@dataclass(frozen=True, slots=True)
class Part:
    """`reads`: what a reply begins with, and how long that is; None: with nothing that would be an answer."""

    asked: Asked[Any]
    honest: bytes
    reads: Callable[[bytes], tuple[object, int] | None]


def _read(where: str, dice: random.Random, mark: bytes) -> Part:
    value = value_of(where, dice)
    tail = b" k%s%s\r\n" % (where.encode(), mark)
    honest = dice.choice((b"EN\r\n", b"EN" + tail, b"VA %d%s%s\r\n" % (len(value), tail, value)))

    def reads(said: bytes) -> tuple[object, int] | None:
        if match := re.match(rb"(?:EN|NF|NS)(?:%s)?\r\n" % re.escape(tail[:-2]), said):
            return Found(None), match.end()
        match = re.match(rb"VA (\d+)" + re.escape(tail), said)
        end = match.end() + int(match[1]) if match else 0
        return (Found(said[match.end() : end]), end + 2) if match and said[end : end + 2] == b"\r\n" else None

    return Part(Read(where), honest, reads)


def _write(where: str, dice: random.Random, mark: bytes) -> Part:
    return Part(Write(where, b"v", 9), _word(dice), lambda said: _stored(said, (True, False, False)))


def _claim(where: str, dice: random.Random, mark: bytes) -> Part:
    look = _read(where, dice, mark)

    def reads(said: bytes) -> tuple[object, int] | None:
        claimed = _stored(said, (Claim.WON, Claim.TAKEN, Claim.GONE))
        looked = look.reads(said[claimed[1] :]) if claimed else None
        return ((claimed[0], looked[0]), claimed[1] + looked[1]) if claimed and looked else None

    return Part(ClaimOrRead(where, b"v", 9), _word(dice) + look.honest, reads)


def _tally(where: str, dice: random.Random, mark: bytes) -> Part:
    steps: list[Step] = [dice.choice((read(where), add(where, 1, 9))) for _ in range(dice.randrange(1, 6))]
    lines = (b"EN%s\r\n" % mark, b"NF%s\r\n" % mark, b"VA 2%s\r\n17\r\n" % mark, b"VA 1%s\r\n3\r\n" % mark)
    honest = b"".join(dice.choice(lines) for _ in steps)
    return Part(Tally(where, steps), honest, lambda said: _numbers(said, mark, len(steps)))


_PARTS = (_read, _write, _claim, _tally)


def _word(dice: random.Random) -> bytes:
    return dice.choice((b"STORED\r\n", b"NOT_STORED\r\n", b"SERVER_ERROR out of memory storing object\r\n"))


def _stored(said: bytes, meanings: Sequence[object]) -> tuple[object, int] | None:
    if match := re.match(rb"(STORED)\r\n|(NOT_STORED)\r\n|(SERVER_ERROR(?:(?!\r\n).)*)\r\n", said, re.DOTALL):
        return meanings[(match.lastindex or 0) - 1], match.end()
    return None


def _exchange(where: str, dice: random.Random, mark: bytes) -> Question:
    """Of another value than there ever is."""
    name, value = where.encode(), value_of(where, dice)
    honest = dice.choice((b"END\r\n", b"VALUE %s 0 %d 77\r\n%s\r\nEND\r\n" % (name, len(value), value)))

    def reads(said: bytes) -> object:
        return BAD if _value(name, said, rb"\s+\d+") is BAD else False

    return Question(lambda line: line.exchange(where, b"another", b"v", 9), honest, reads)


def _drop(where: str, dice: random.Random, mark: bytes) -> Question:
    return _of_words(lambda line: line.drop(where), dice, {b"DELETED": True, b"NOT_FOUND": True})


def _greet(where: str, dice: random.Random, mark: bytes) -> Question:
    return _of_words(Line.greet, dice, {b"MN": None})


def _of_words(ask: Callable[[Line], object], dice: random.Random, words: Mapping[bytes, object]) -> Question:
    meaning = {word + b"\r\n": what for word, what in words.items()}
    return Question(ask, dice.choice(list(meaning)), lambda said: meaning.get(said, BAD))


def _value(name: bytes, said: bytes, version: bytes = b"") -> object:
    if said == b"END\r\n":
        return None
    head = rb"VALUE\S*\s+%s\s+([+-]?\d+)\s+([+-]?\d+)%s\s*" % (re.escape(name), version)
    found = re.fullmatch(head + rb"\r\n(.*)\r\nEND\r\n", said, re.DOTALL)
    return found[3] if found and int(found[2]) == len(found[3]) else BAD


def _numbers(said: bytes, mark: bytes, count: int) -> tuple[object, int] | None:
    found: list[int | None] = []
    at = 0
    for _ in range(count):
        if match := re.compile(rb"VA (\d+)%s\r\n" % mark).match(said, at):
            end = match.end() + int(match[1])
            value = said[match.end() : end]
            if said[end : end + 2] != b"\r\n":
                return None
            found.append(int(value) if re.fullmatch(rb"\d{1,18} *", value) else None)
            at = end + 2
        elif match := re.compile(rb"(EN|NF|NS)(%s)?\r\n|SERVER_ERROR((?!\r\n).)*\r\n" % mark, re.DOTALL).match(
            said, at
        ):
            found.append(None)
            at = match.end()
        else:
            return None
    return found, at


def wrong(honest: bytes, dice: random.Random) -> bytes:
    """Something else in place of an honest reply, or made of it."""
    return dice.choice(_WAYS)(honest, dice)


def _cut(honest: bytes, dice: random.Random) -> bytes:
    return honest[: dice.randrange(1, len(honest))]


def _more(honest: bytes, dice: random.Random) -> bytes:
    return honest + dice.choice((honest, b"END\r\n", b"\r\n", b"\x00", b"VA 1\r\n9\r\n", b"STORED\r\n"))


def _of_odd_size(honest: bytes, dice: random.Random) -> bytes:
    name, size = dice.choice(KEYS).encode(), dice.choice((-1, -5, 0, 1, 2**31, 2**63, 10**30, 5))
    if dice.random() < 0.5:
        return b"VA %d k%s O%d\r\n%s!\r\n" % (size, name, dice.randrange(40), name)
    return b"VALUE %s 0 %d\r\n%s!\r\nEND\r\n" % (name, size, name)


def _of_any_key(honest: bytes, dice: random.Random) -> bytes:
    name = dice.choice(KEYS).encode()
    if dice.random() < 0.5:  # in the mark that was asked for
        return re.sub(rb"k\S+", b"k" + name, honest)
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
