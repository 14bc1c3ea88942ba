"""`llm-gateway usage`: what was used and what it cost, from log files."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from app.ledger.lines import STDIN, Reading
from app.ledger.sums import KEYS, summed
from app.ledger.tables import as_csv, as_json, table

HELP = "sum calls, tokens and cost from log files"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", default=[STDIN], help="log files, .gz as well; none or -: standard input")
    parser.add_argument(
        "--by",
        type=_keys,
        default="tenant,model,day",
        metavar="KEYS",
        help=f"a row for each of these, joined by commas: {', '.join(KEYS)}; none: all in one; default: %(default)s",
    )
    parser.add_argument("--since", type=_time, metavar="TIME", help="calls that ended then or later: 2027-01-31 (UTC)")
    parser.add_argument("--until", type=_time, metavar="TIME", help="calls that ended before")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="for spreadsheets")
    form.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """1 where a file could not be read, or not to its end: the sums are of what could."""
    if arguments.files == [STDIN] and sys.stdin.isatty():
        print("name log files, or pipe them in", file=sys.stderr)
        return 2
    reading = Reading()
    ledger = summed(reading.calls(arguments.files), arguments.by, arguments.since, arguments.until)
    if arguments.csv:
        print(as_csv(ledger))
    elif arguments.json:
        print(as_json(ledger, {"read": reading.lines, "broken": reading.broken}))
    else:
        print(table(ledger))
    if reading.broken:
        print(f"{reading.broken} lines look like calls and cannot be read", file=sys.stderr)
    for trouble in reading.troubles:
        print(trouble, file=sys.stderr)
    return 1 if reading.troubles else 0


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",")) if text not in ("", "none") else ()
    for key in keys:
        if key not in KEYS:
            raise argparse.ArgumentTypeError(f"{key!r} is none of {', '.join(KEYS)}")
    return keys


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day or time such as 2027-01-31T12:00:00Z") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
