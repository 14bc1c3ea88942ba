"""JSON in and out. The only door to orjson.

Whoever wrote it, it is UTF-8, at most MAX_DEPTH deep and of MAX_PARTS parts, without NaN, without a lone surrogate, and
nothing comes after the end. What `loads` takes, `dumps` can write, with a few levels around it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

import orjson

Json = dict[str, Any]

MAX_DEPTH = 200
MAX_PARTS = 250_000  # arrays, objects and members: three bytes of `[],` take eighty once they are parsed
NotJson = orjson.JSONDecodeError

dumps = orjson.dumps
canonical = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)  # the same bytes whatever the order of the keys

_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = bytes.maketrans(b"[]{}", b"\x01\xff\x01\xff")  # down and up, as signed bytes
_BLOCK = 65536


class TooMuch(NotJson):
    """Deeper or of more parts than anybody needs; the text says which."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "", 0)

    def __str__(self) -> str:
        return self.msg


def loads(text: bytes | str) -> Any:
    """Parse.

    Raises:
        TooMuch: brackets nest deeper than MAX_DEPTH, or there are more than MAX_PARTS parts.
        NotJson: anything else; its text says what and where.
    """
    if len(text) > 2 * MAX_DEPTH:  # what opens closes again, or is refused anyway
        body = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        opened = body.count(b"[") + body.count(b"{")
        if opened > MAX_DEPTH or (len(body) > MAX_PARTS and opened + body.count(b":") > MAX_PARTS):
            _check(body)
    return orjson.loads(text)


def _check(body: bytes) -> None:
    """Follow the brackets outside of strings. Linear, and over as soon as it is known."""
    parts, depth = 0, 1
    for outside in _outside(body):
        parts += sum(map(outside.count, (b"[", b"{", b":")))
        if parts > MAX_PARTS:
            raise TooMuch(f"made of more than {MAX_PARTS} arrays, objects and members")
        steps = outside.translate(_STEPS, _NOT_BRACKETS).replace(b"\x01\xff", b"")  # leaves are no news
        depths = list(itertools.accumulate(memoryview(steps).cast("b"), initial=depth))
        if max(depths) > MAX_DEPTH:
            raise TooMuch(f"nested deeper than {MAX_DEPTH} levels")
        depth = depths[-1]
        if depth < 1:
            return  # more was closed than opened: the parser will say so


def _outside(body: bytes) -> Iterator[bytes]:
    """What is not in strings, a block at a time."""
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    inside = 0
    for start in range(0, len(plain), _BLOCK):
        pieces = plain[start : start + _BLOCK].split(b'"')
        yield b"".join(pieces[inside::2])
        inside ^= (len(pieces) - 1) & 1
