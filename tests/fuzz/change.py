"""A sound thing made unsound, step by step. `chance` decides: Python's, hypothesis's, or what coverage led to."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

import yaml

from app.core.json import Json
from app.providers import fields
from tests.config.given import HASH
from tests.config.test_accepted import EVERYTHING
from tests.fuzz.seeds import ASKS, PLAIN, STREAMS

Path = tuple[str | int, ...]

DEEP = (60, 190, 230, 300, 900)  # levels


def places(value: Any, path: Path = ()) -> list[Path]:
    """Of everything below, what is inside texts that hold JSON left aside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in inner for place in ((*path, key), *places(each, (*path, key)))]


def _words(trees: Any) -> tuple[list[str], list[str]]:
    """All names of fields, and all short texts, that occur."""
    names, texts = set(), set()
    pending = [trees]
    while pending:
        match pending.pop():
            case dict() as found:
                names |= {name for name in found if isinstance(name, str)}
                pending += found.values()
            case list() | tuple() as found:
                pending += found
            case str() as found if len(found) < 40:
                texts.add(found)
            case _:
                pass
    return sorted(names), sorted(texts)


_ODD_NAMES = ("\ud83d", "", "a\r\nb: c", "世界", "x" * 3000, "a, b", "\x00", "\x7f", "__proto__", "messages[0]")
_ALL: list[Any] = [dict(ASKS), dict(PLAIN), dict(STREAMS)]
_SAID = _words(_ALL)
NAMES = sorted({*_SAID[0], *fields.CHAT, *fields.MESSAGES, *fields.RESPONSES, "error", "cachePoint", *_ODD_NAMES})
TEXTS = sorted(
    {
        *_SAID[1],
        *("", " ", "\x00", "\r\n\r\ndata: x\n\n", "\u2028", "\U0001f600", "İ", "a" * 5000, "{", "[1", "null", "-1"),
        *("user", "developer", "function", "http://127.0.0.1/", "data:", "data:;base64,", "data:image/png;base64,%%"),
        *("any", "required", "none", "max", "1e400", "NaN", "../../x", "gemini-3-pro", "us.anthropic.claude-opus-4-6"),
    }
)
NUMBERS = (0, 1, -1, 2, 200, 1024, 2**31, 2**53, 2**63 - 1, 2**64 - 1, -(2**63), 10**30, 0.5, 1e-320, 1e308, -1e308)
_CONFIG = _words(yaml.safe_load(EVERYTHING))
SETTINGS = sorted(
    {*_CONFIG[0], *("*", "", "<<", "fast*", "a b", "${X}", "region", "project", "location", "token_file")}
)
VALUES = sorted(
    {
        *_CONFIG[1],
        *("openai/gpt", "simulated/simulated", "*", "${X}", "${ODD}", "$", "${", HASH, "off", "unix:/m", "h:1"),
        *("2027-01-31T00:00:00Z", "http://h/v1", "http://[::1", "10.0.0.0/8", "s" * 40, "1e400", "\u0085", "9" * 5000),
        *("gemini", "vertex", "bedrock", "azure", "anthropic", "cohere", "compatible", "[::1]:1", "http://a:b@c"),
    }
)


_DEEP = re.compile(r"""(["'])@deep ([0-9]+) ([a-z]*)\1""")


def dug(written: str) -> str:
    """JSON or YAML with what is deep as deep as it should be: no tree could be, for those who write it."""

    def levels(found: re.Match[str]) -> str:
        count, name = int(found[2]), found[3]
        return f'{{"{name}":' * count + "1" + "}" * count if name else "[" * count + "]" * count

    return _DEEP.sub(levels, written)


def text(tree: Any) -> str:
    """As JSON, lone surrogates escaped."""
    return dug(json.dumps(tree))


class Changes:
    """Of trees: `names` and `texts` are what is put into them."""

    def __init__(self, chance: Random, names: list[str] = NAMES, texts: list[str] = TEXTS) -> None:
        self._chance = chance
        self._names = names
        self._texts = texts

    def tree(self, sound: Any, most: int = 4) -> Any:
        """The same with up to so many changes."""
        made = copy.deepcopy(sound)
        for _ in range(1 + min(self._chance.randrange(most), self._chance.randrange(most))):
            made = self._once(made)
        return made

    def anything(self, depth: int = 3) -> Any:
        pick = self._chance.randrange(12 if depth else 8)
        if pick < 3:
            return self._chance.choice(self._texts)
        if pick < 5:
            return self._chance.choice(NUMBERS)
        if pick < 8:
            return (None, True, False)[pick - 5]
        if pick == 8:
            return [self.anything(depth - 1) for _ in range(self._chance.randrange(4))]
        if pick == 9:
            return f"@deep {self._chance.choice(DEEP)} {self._chance.choice(('', 'properties', 'items', 'x'))}"
        return {self._chance.choice(self._names): self.anything(depth - 1) for _ in range(self._chance.randrange(4))}

    def _once(self, tree: Any) -> Any:
        left = places(tree)
        if not left or self._chance.randrange(40) == 0:
            return self.anything()
        *way, last = self._chance.choice(left)
        inner: Any = tree
        for step in way:
            inner = inner[step]
        change: Callable[[Any, Any], None] = self._chance.choice(
            (self._replace, self._replace, self._remove, self._add, self._add, self._twice, self._swap, self._inside)
        )
        change(inner, last)
        return tree

    def _replace(self, inner: Any, last: Any) -> None:
        inner[last] = self.anything()

    def _remove(self, inner: Any, last: Any) -> None:
        del inner[last]

    def _add(self, inner: Any, last: Any) -> None:
        if isinstance(inner, dict):
            inner[self._chance.choice(self._names)] = self.anything()
        else:
            inner.insert(last, self.anything())

    def _twice(self, inner: Any, last: Any) -> None:
        """The same thing again, also where it is a list of one."""
        if isinstance(inner, list):
            inner.insert(last, copy.deepcopy(inner[last]))
        else:
            inner[last] = [copy.deepcopy(inner[last])]

    def _swap(self, inner: Any, last: Any) -> None:
        """Two values change their places, or one gets another's name."""
        if isinstance(inner, list):
            other = self._chance.randrange(len(inner))
            inner[last], inner[other] = inner[other], inner[last]
        else:
            inner[self._chance.choice(self._names)] = inner.pop(last)

    def _inside(self, inner: Any, last: Any) -> None:
        """Of a text that holds JSON."""
        value = inner[last]
        if isinstance(value, str) and value[:1] in ("{", "["):
            try:
                inner[last] = text(self.tree(json.loads(value)))
            except (ValueError, RecursionError):
                inner[last] = value[:-1]
        elif isinstance(value, dict):
            inner[last] = text(value)
        elif isinstance(value, str):
            inner[last] = self._chance.choice((value + "\n", value * 3, value[1:], value.upper(), f"{value}/x"))
        else:
            inner[last] = str(value)


def stream(events: list[tuple[str | None, Json | bytes]], chance: Random) -> list[tuple[str | None, Json | bytes]]:
    """A stream's events: some changed, some gone, some twice, some elsewhere."""
    made, changes = list(events), Changes(chance)
    for _ in range(1 + chance.randrange(4)):
        if not made:
            break
        at = chance.randrange(len(made))
        pick = chance.randrange(8)
        name, data = made[at]
        if pick < 4:
            made[at] = (name, text(changes.tree(data, 2)).encode() if isinstance(data, dict) else data + b"x")
        elif pick == 4:
            del made[at]
        elif pick == 5:
            made.insert(at, made[chance.randrange(len(made))])
        elif pick == 6:
            made[at] = (chance.choice((None, "error", "exception:throttlingException", "ping", "x")), data)
        else:
            made[at] = (
                name,
                chance.choice((b"", b"[DONE]", b"{", b"null", b"[]", b"\xff", b'{"error": {"code": 429}}')),
            )
    return made


def raw(body: bytes, chance: Random) -> bytes:
    """Bytes: some changed, gone, or twice."""
    made = bytearray(body)
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(made) + 1)
        pick = chance.randrange(4)
        if pick == 0:
            made[at:at] = bytes(chance.randrange(256) for _ in range(1 + chance.randrange(3)))
        elif pick == 1:
            del made[at : at + 1 + chance.randrange(8)]
        elif pick == 2:
            made[at:at] = made[at : at + 1 + chance.randrange(64)]
        else:
            made[at : at + 1] = chance.choice(
                (b"\n", b"\r", b"\r\n", b"\n\n", b"\xef\xbb\xbf", b"\x00", b"\xff", b"data:", b"{")
            )
    return bytes(made)
