"""A ledger for people, for spreadsheets and for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.core.json import dumps
from app.ledger.sums import COLUMNS, Ledger, Sum

Value = str | int | Decimal | None


def table(ledger: Ledger) -> str:
    """Columns under each other, and a last row for all of it. Columns that are 0 throughout are left out."""
    shown = [at for at, value in enumerate(ledger.total.values()) if value or COLUMNS[at] in ("calls", "cost_usd")]
    head = [*ledger.by, *(COLUMNS[at].removesuffix("_tokens").replace("_", " ") for at in shown)]
    rows = [_row(group, total, shown) for group, total in ledger.rows]
    last = _row(("total", *[""] * (len(ledger.by) - 1)) if ledger.by else (), ledger.total, shown)
    widths = [max(len(row[at]) for row in (head, *rows, last)) for at in range(len(head))]
    words = len(ledger.by)

    def line(cells: Sequence[str]) -> str:
        fitted = (
            cell.ljust(width) if at < words else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(fitted).rstrip()

    rule = "  ".join("-" * width for width in widths)
    body = [*map(line, rows), rule] if ledger.by else []
    return "\n".join([line(head), rule, *body, line(last)])


def as_csv(ledger: Ledger) -> str:
    """With a head, without a total."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*ledger.by, *COLUMNS])
    for group, total in ledger.rows:
        writer.writerow([*(_safe(value) for value in group), *map(_plain, total.values())])
    return out.getvalue().rstrip("\n")


def as_json(ledger: Ledger, lines: Mapping[str, int]) -> str:
    """`lines`: how many were read, and what became of them."""
    rows = [dict(zip(ledger.by, group, strict=True)) | _numbers(total) for group, total in ledger.rows]
    return dumps({"by": list(ledger.by), "rows": rows, "total": _numbers(ledger.total), "lines": dict(lines)}).decode()


def _numbers(total: Sum) -> dict[str, int | float]:
    found = zip(COLUMNS, total.values(), strict=True)
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in found}


def _row(group: Sequence[str | None], total: Sum, shown: Sequence[int]) -> list[str]:
    values = total.values()
    return [*("-" if value is None else value for value in group), *(_plain(values[at]) for at in shown)]


def _plain(value: Value) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _safe(value: str | None) -> str:
    """A spreadsheet takes what begins so for a formula."""
    text = value or ""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
