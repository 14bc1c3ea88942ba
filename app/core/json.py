"""JSON in and out. The only door to orjson.

`strict` is for what a stranger sent: UTF-8 only, at most MAX_DEPTH deep, no NaN, no lone surrogate, nothing after
the end. `loads` is for what a provider sent, `dumps` for everything that leaves.
"""

from __future__ import annotations

import itertools
import re
from functools import partial
from typing import Any

import orjson

Json = dict[str, Any]

MAX_DEPTH = 200
NotJson = orjson.JSONDecodeError

loads = orjson.loads
dumps = orjson.dumps
canonical = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)  # the same bytes whatever the order of the keys

_STRING = re.compile(rb'"[^"]*"')
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = bytes.maketrans(b"[]{}", b"\x01\xff\x01\xff")  # down and up, as signed bytes
_BLOCK = 4096


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
    """Follow the brackets outside of strings. Linear, and over as soon as the limit is passed."""
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    steps = _STRING.sub(b"", unescaped).translate(_STEPS, _NOT_BRACKETS).replace(b"\x01\xff", b"")  # leaves are no news
    depth = 1
    for start in range(0, len(steps), _BLOCK):
        depths = list(itertools.accumulate(memoryview(steps)[start : start + _BLOCK].cast("b"), initial=depth))
        if max(depths) > limit:
            return True
        depth = depths[-1]
    return False
