"""What became of the exchanges, as a table of providers and operations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.recorded.corpus import PROVIDERS, Case, Way


@dataclass(slots=True)
class Cell:
    """How many exchanges there are, and what became of them; `left_out` by reason."""

    exchanges: int = 0
    passed: int = 0
    failed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        told = f"{self.passed}/{self.exchanges}"
        if skipped := self.left_out.total():
            told += f" {skipped}-"
        return told + (f" {self.failed}!" if self.failed else "")


class Table:
    """Filled case by case."""

    def __init__(self) -> None:
        self._cells: dict[Way, dict[tuple[str, str], Cell]] = {way: defaultdict(Cell) for way in Way}

    def add(self, case: Case, outcome: str) -> None:
        """`outcome`: passed, failed or skipped."""
        cell = self._cells[case.way][case.exchange.provider, case.exchange.operation]
        cell.exchanges += 1
        if outcome == "skipped":
            cell.left_out[case.skip or "?"] += 1
        elif outcome == "passed":
            cell.passed += 1
        else:
            cell.failed += 1

    def lines(self) -> Iterator[str]:
        for way, cells in self._cells.items():
            if cells:
                yield from _lines(way, cells)


def _lines(way: Way, cells: dict[tuple[str, str], Cell]) -> Iterator[str]:
    operations = sorted({operation for _, operation in cells})
    rows = [[f"asked in the {way}", *operations, "all"]]
    rows += [
        [provider, *(_told(cells, provider, operation) for operation in operations), _all(cells, provider)]
        for provider in PROVIDERS
        if any(name == provider for name, _ in cells)
    ]
    rows.append(["all", *(_all(cells, None, operation) for operation in operations), _all(cells)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
    yield "passed/exchanges; n- left out; n! failed. Left out, why:"
    reasons: Counter[str] = sum((cell.left_out for cell in cells.values()), Counter())
    yield from (f"{count:5}  {reason}" for reason, count in reasons.most_common())
    yield ""


def _told(cells: dict[tuple[str, str], Cell], provider: str, operation: str) -> str:
    return str(cells[provider, operation]) if (provider, operation) in cells else ""


def _all(cells: dict[tuple[str, str], Cell], provider: str | None = None, operation: str | None = None) -> str:
    made = Cell()
    for (of, what), cell in cells.items():
        if provider in (None, of) and operation in (None, what):
            made.exchanges += cell.exchanges
            made.passed += cell.passed
            made.failed += cell.failed
            made.left_out += cell.left_out
    return str(made)
