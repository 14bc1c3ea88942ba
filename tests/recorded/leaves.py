"""Two JSON values, compared leaf by leaf, with the differences that are allowed and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.recorded.reading import short

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "nothing"})()


@dataclass(frozen=True, slots=True)
class Allowed:
    """A difference that is right. `path` is a pattern over dotted paths, list places as numbers.

    `when` is asked with the two values, one of which may be MISSING.
    """

    path: str
    why: str
    when: Callable[[Any, Any], bool] = lambda one, other: True
    providers: tuple[str, ...] = ()  # all, where empty

    def covers(self, provider: str, path: str, one: Any, other: Any) -> bool:
        fits = not self.providers or provider in self.providers
        return fits and re.fullmatch(self.path, path) is not None and self.when(one, other)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar with its path; an empty list or object counts as one."""
    inner: Iterator[tuple[str, Any]]
    if isinstance(value, dict) and value:
        inner = ((str(name), each) for name, each in value.items())
    elif isinstance(value, list) and value:
        inner = ((str(at), each) for at, each in enumerate(value))
    else:
        yield path, value
        return
    for name, each in inner:
        yield from leaves(each, f"{path}.{name}" if path else name)


def compared(recorded: Any, found: Any, allowed: Sequence[Allowed], provider: str) -> list[str]:
    """What `found` says otherwise, a line each, but for what is allowed."""
    one, other = dict(leaves(recorded)), dict(leaves(found))
    told = []
    for path in (*one, *(path for path in other if path not in one)):
        left, right = one.get(path, MISSING), other.get(path, MISSING)
        if same(left, right) or any(rule.covers(provider, path, left, right) for rule in allowed):
            continue
        told.append(f"{path}: recorded {short(left)}, found {short(right)}")
    return told


def same(one: Any, other: Any) -> bool:
    """Equal, and of one kind: true is not 1; 1 and 1.0 are one number."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
