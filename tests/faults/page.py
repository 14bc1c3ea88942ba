"""docs/failures.md: the table of faults for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.faults.table import FILE, Ending, Expected, load, merged, modes, outcome

PAGE = FILE.parent.parent / "docs" / "failures.md"

INTRODUCTION = """\
# What happens when something fails

Every row is made to happen behind the real gateway by `tests/faults`, plain and streamed, with no other target and with
one. This page is made from what they are held to, `tests/faults.yaml`, by `python -m tests.faults`.

- **Asked** is how often the provider is asked by one call, repeats included. Where another target answers, that one is
  asked once.
- **Alone** is what the client gets where the model has no other target, **with another** where it has: *answered* is
  the whole answer of the provider itself, *rescued* the whole answer of the other target; *mended* and *taken over* are
  whole, too: a stream that broke went on in another one of the same provider, or of the other target, and a comment
  (`: rescued by NAME`) stands where it did. Everything else is an error: its HTTP status and its `code`. Errors come
  with their status, whether a stream was asked for or not, as long as no word was sent; later they come as an event of
  the stream, and no `[DONE]` follows: no broken stream looks complete.
- **Counted** is the `error_type` of `errors_total`: one for each attempt that failed.
- **Remembered** is what other calls feel: *failure* counts for the breaker of this target, *pause* leaves the target
  alone for so many seconds, *quarantine* the whole provider.

The tests wait for less than the gateway does by default; what was silent for too long was so for two seconds or three.
"""

HEAD = """\
| The provider ... | Asked | Alone | With another | Counted | Remembered |
|---|---|---|---|---|---|
"""

REQUESTS = """
## Requests that are wrong

They are counted under the provider `none`, where they were meant for a model at all, and as `client_error`.

| The client ... | Gets | Counted |
|---|---|---|
"""

LEAVING = """
## Clients that leave

It is noticed within a second, the call to the provider is closed, nobody else is asked, and the call counts as
`cancelled`: no error of anybody's, but for attempts that had failed before.

| The client ... | Calls to providers by then | Counted before |
|---|---|---|
"""


def page() -> str:
    """The whole of it."""
    document = load().document
    parts = [INTRODUCTION]
    for title, rows in document["faults"].items():
        parts.append(f"\n## {title}\n\n")
        parts.append(
            "| The provider ... | Asked | Alone | With another | Counted | Remembered |\n|---|---|---|---|---|---|\n"
        )
        for row in rows.values():
            parts.extend(_lines(document, row))
    parts.append(REQUESTS)
    for row in document["requests"].values():
        status, code = row["answer"].split()
        parts.append(f"| {row['what']} | {status} `{code}` | {_code(row.get('counts'))} |\n")
    parts.append(LEAVING)
    for row in document["leaving"].values():
        where = f" ({'streams' if row['only'] == 'streamed' else 'plain calls'})" if "only" in row else ""
        parts.append(f"| {row['what']}{where} | {row['asked']} | {_code(row.get('error'))} |\n")
    return "".join(parts)


def _lines(document: Mapping[str, Any], row: Mapping[str, Any]) -> Iterator[str]:
    """One line, or one each where plain calls and streams differ."""
    found = {mode: _line(document, merged(row, mode)) for mode in modes(row)}
    told = {line: [mode for mode, other in found.items() if other == line] for line in found.values()}
    for line, who in told.items():
        where = "" if len(who) == 2 else f" ({'streams' if who == ['streamed'] else 'plain calls'})"
        yield f"| {row['what']}{where} {line}\n"


def _line(document: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    cells = [
        str(row["asked"]),
        _told(outcome(document, row["alone"])),
        _told(outcome(document, row["beside"])),
        _code(row.get("error")),
        _remembered(row["breaker"]),
    ]
    return f"| {' | '.join(cells)} |"


def _told(found: Expected) -> str:
    told = found.told
    if told is None:
        return str(found.ending)
    if found.ending is Ending.ERROR:
        return f"{told.status} `{told.code}`"
    said = {None: "many words", 0: "200"}.get(found.words, f"{found.words} words")
    return f"{said}, then `{told.code}`"


def _code(word: str | None) -> str:
    return f"`{word}`" if word else ""


def _remembered(breaker: str) -> str:
    kind, _, seconds = breaker.partition(" ")
    return {"nothing": "", "counts": "failure", "cools": f"pause {seconds} s", "quarantine": f"{breaker} s"}[kind]
