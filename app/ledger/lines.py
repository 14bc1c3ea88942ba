"""Calls out of log files: their lines, among whatever else was written there."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO

from app.core.json import loads

STDIN = "-"

_MARKS = (b'"event":"call"', b'"event": "call"')  # the second: what a collector of logs has written anew


@dataclass(frozen=True, slots=True)
class Line:
    """One call. Tokens and `cost` are what the tenant got, `provider_cost` everything that was generated. USD."""

    time: datetime  # UTC, when it ended
    labels: dict[str, str | None]  # tenant, key, model, provider, operation, status, error_type
    input: int = 0
    cached_input: int = 0
    output: int = 0
    reasoning: int = 0
    guessed: bool = False
    cost: Decimal = Decimal(0)
    provider_cost: Decimal = Decimal(0)


@dataclass(slots=True)
class Reading:
    """How the reading went: lines in all, and those that looked like a call and were none."""

    lines: int = 0
    broken: int = 0
    troubles: list[str] = field(default_factory=list)  # files that could not be read, or not to their end

    def calls(self, names: Iterable[str]) -> Iterator[Line]:
        """Of these files, `-` for standard input; what ends in .gz is unpacked. A line at a time."""
        for name in names:
            try:
                with _opened(name) as file:
                    yield from self._of(file)
            except (OSError, EOFError, zlib.error) as error:
                self.troubles.append(f"{name}: {getattr(error, 'strerror', None) or error}")

    def _of(self, file: Iterable[bytes]) -> Iterator[Line]:
        for raw in file:
            self.lines += 1
            if not any(mark in raw for mark in _MARKS):
                continue
            try:
                yield parsed(raw)
            except (ValueError, ArithmeticError):
                self.broken += 1


def parsed(raw: bytes) -> Line:
    """What a collector of logs has put before the object is left out. Raises ValueError."""
    found = loads(raw[raw.index(b"{") :])
    if not isinstance(found, dict) or found.get("event") != "call":
        raise ValueError("not the line of a call")
    return Line(
        time=datetime.fromisoformat(_text(found, "timestamp") or "").astimezone(UTC),
        labels={name: _text(found, name) for name in LABELS},
        input=_count(found, "input_tokens"),
        cached_input=_count(found, "cached_input_tokens"),
        output=_count(found, "output_tokens"),
        reasoning=_count(found, "reasoning_tokens"),
        guessed=found.get("guessed") is True,
        cost=_usd(found, "cost_usd"),
        provider_cost=_usd(found, "provider_cost_usd"),
    )


LABELS = ("tenant", "key", "model", "provider", "operation", "status", "error_type")


def _text(found: dict[str, object], name: str) -> str | None:
    value = found.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(name)
    return value


def _count(found: dict[str, object], name: str) -> int:
    value = found.get(name) or 0
    if not isinstance(value, int):
        raise ValueError(name)  # noqa: TRY004 - as of all that is wrong with a line
    return value


def _usd(found: dict[str, object], name: str) -> Decimal:
    """The decimal number that was written, not the binary one nearest to it: sums are exact."""
    value = found.get(name) or 0
    if not isinstance(value, int | float):
        raise ValueError(name)  # noqa: TRY004 - the same
    return Decimal(repr(value))


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes] | gzip.GzipFile]:
    if name == STDIN:
        yield sys.stdin.buffer
    elif name.endswith(".gz"):
        with gzip.open(name) as file:
            yield file
    else:
        with open(name, "rb") as file:
            yield file
