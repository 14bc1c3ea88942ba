"""Calls, added up by what they have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from app.ledger.lines import LABELS, Line

#: What calls can be summed by.
KEYS = (*LABELS, "day", "month")

Group = tuple[str | None, ...]  # values of the keys, in their order


@dataclass(slots=True)
class Sum:
    """Of several calls. The names are those of the columns."""

    calls: int = 0
    succeeded: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    guessed: int = 0  # calls whose tokens nobody counted to the end
    cost_usd: Decimal = Decimal(0)
    provider_cost_usd: Decimal = Decimal(0)

    def add(self, line: Line) -> None:
        self.calls += 1
        self.succeeded += line.labels["status"] == "success"
        self.input_tokens += line.input
        self.cached_input_tokens += line.cached_input
        self.output_tokens += line.output
        self.reasoning_tokens += line.reasoning
        self.guessed += line.guessed
        self.cost_usd += line.cost
        self.provider_cost_usd += line.provider_cost

    def values(self) -> tuple[int | Decimal, ...]:
        return tuple(getattr(self, name) for name in COLUMNS)


COLUMNS = tuple(column.name for column in fields(Sum))


@dataclass(frozen=True, slots=True)
class Ledger:
    by: Sequence[str]
    rows: Sequence[tuple[Group, Sum]]  # in the order of their groups; what has no value comes first
    total: Sum


def summed(
    lines: Iterable[Line], by: Sequence[str], since: datetime | None = None, until: datetime | None = None
) -> Ledger:
    """`by` are KEYS. Calls that ended from `since` on and before `until`, both UTC."""
    found: dict[Group, Sum] = {}
    total = Sum()
    for line in lines:
        if (since is not None and line.time < since) or (until is not None and line.time >= until):
            continue
        group = tuple(_value(line, key) for key in by)
        found.setdefault(group, Sum()).add(line)
        total.add(line)
    rows = sorted(found.items(), key=lambda row: [(value is not None, value or "") for value in row[0]])
    return Ledger(by, rows, total)


def _value(line: Line, key: str) -> str | None:
    if key == "day":
        return line.time.date().isoformat()
    return line.time.strftime("%Y-%m") if key == "month" else line.labels[key]
