"""JSON in and out. The only door to orjson.

`strict` is for what a stranger sent: UTF-8 only, at most MAX_DEPTH deep, no NaN, no lone surrogate, nothing after
the end. `loads` is for what a provider sent, `dumps` for everything that leaves.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

Json = dict[str, Any]

MAX_DEPTH = 200
NotJson = orjson.JSONDecodeError

loads = orjson.loads
dumps = orjson.dumps

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SQUARE = bytes.maketrans(b"{}", b"[]")


class TooDeep(ValueError):
    """Nested deeper than MAX_DEPTH."""


def strict(body: bytes) -> Any:
    """Parse a request body.

    Raises:
        TooDeep: brackets nest deeper than MAX_DEPTH.
        NotJson: anything else; its text says what and where.
    """
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _deeper_than(body, MAX_DEPTH):
        raise TooDeep(f"nested deeper than {MAX_DEPTH} levels")
    return orjson.loads(body)


def _deeper_than(body: bytes, limit: int) -> bool:
    """Peel the innermost brackets off, level by level: a body of `limit` levels is gone after `limit` rounds."""
    rest = _STRING.sub(b"", body).translate(_SQUARE, _NOT_BRACKETS)
    for _ in range(limit):
        if not rest:
            return False
        rest = rest.replace(b"[]", b"")
    return bool(rest)
