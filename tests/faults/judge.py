"""What a cell came to, held against what the table says: a list of complaints, none where all is well."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.usage import CHARS_A_TOKEN
from app.resilience.state import State
from tests.faults.client import Seen
from tests.faults.table import Cell, Ending
from tests.metrics.page import Page
from tests.standin import text

SPARE_WORDS, WORDS = 7, 5
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen of one cell, on all sides."""

    cell: Cell
    seen: Seen
    ended: float  # monotonic
    next: Seen | None  # a healthy call to the same provider right after


def of_client(run: Run) -> Iterator[str]:
    cell, seen = run.cell, run.seen
    if seen.broken:
        yield f"the connection broke: {seen.broken}"
    if seen.headers.get("x-request-id") != cell.call_id:
        yield f"x-request-id is {seen.headers.get('x-request-id')!r}"
    if not cell.takes - 0.05 <= seen.took <= cell.takes + cell.margin:
        yield f"it took {seen.took:.2f} s, not {cell.takes} to {cell.takes + cell.margin}"
    kind = "text/event-stream" if seen.status == 200 and cell.streamed else "application/json"
    if not seen.headers.get("content-type", "").startswith(kind):
        yield f"content-type is {seen.headers.get('content-type')!r}"
    if (b": ping\n\n" in seen.raw) != cell.pings:
        yield "pings came" if not cell.pings else "no ping came"
    if b"<html" in seen.raw.lower():
        yield "there is HTML in it"
    match cell.expected.ending:
        case Ending.ANSWERED | Ending.RESCUED | Ending.MENDED | Ending.TAKEN_OVER:
            yield from _whole(cell, seen)
        case Ending.ERROR:
            yield from _refused(cell, seen)
        case Ending.BROKEN:
            yield from _broken(cell, seen)


def _whole(cell: Cell, seen: Seen) -> Iterator[str]:
    ending = cell.expected.ending
    rescued, joined = ending is Ending.RESCUED, ending in (Ending.MENDED, Ending.TAKEN_OVER)
    spared = ending in (Ending.RESCUED, Ending.TAKEN_OVER)
    expected = text(SPARE_WORDS) if spared else text(WORDS) if cell.says is None else cell.says
    if seen.raised or (seen.status, seen.text, seen.finish) != (200, expected, "stop"):
        yield f"{seen.raised or ''} {seen.status} {seen.text!r} {seen.finish!r} {seen.error} instead of {expected!r}"
    wanted = {
        "x-gateway-provider": "spare" if rescued else cell.home,
        "x-gateway-attempts": "1" if joined else str(cell.asked + rescued),
        "x-gateway-model": "words-7" if rescued else seen.headers.get("x-gateway-model", "none"),
    }
    for name, value in wanted.items():
        if cell.pings and name in seen.headers:
            yield f"{name} was known before it was"
        if not cell.pings and seen.headers.get(name) != value:
            yield f"{name} is {seen.headers.get(name)!r}, not {value!r}"
    if (b": rescued by " in seen.raw) != joined:
        yield "it says that it was rescued" if not joined else "it does not say that it was rescued"
    if cell.streamed and seen.raw.count(b"[DONE]") != 1:
        yield f"[DONE] comes {seen.raw.count(b'[DONE]')} times"
    if cell.streamed and not seen.raw.endswith(DONE):
        yield f"its last bytes are {seen.raw[-80:]!r}"


def _refused(cell: Cell, seen: Seen) -> Iterator[str]:
    told = cell.expected.told
    assert told
    found = seen.error or {}
    if (seen.status, found.get("code"), found.get("type")) != (told.status, told.code, told.type):
        yield f"{seen.status} {found or seen.raw[:200]!r} {seen.text!r} instead of {told}"
    if set(found) != {"message", "type", "param", "code"}:
        yield f"the error has {sorted(found)}"
    if told.status in (429, 503) and not seen.headers.get("retry-after", "").isdecimal():
        yield f"retry-after is {seen.headers.get('retry-after')!r}"
    if cell.retry_after is not None and seen.headers.get("retry-after") != str(cell.retry_after):
        yield f"retry-after is {seen.headers.get('retry-after')!r}, not {cell.retry_after}"
    if seen.headers.get("x-should-retry") != ("false" if told.final else None):
        yield f"x-should-retry is {seen.headers.get('x-should-retry')!r}"
    wanted = {"provider": cell.home, "model": cell.model, "attempts": str(cell.asked), "cache": "bypass"}
    for name, value in wanted.items():
        if (header := seen.headers.get(f"x-gateway-{name}")) != value:
            yield f"x-gateway-{name} is {header!r}, not {value!r}"


def _broken(cell: Cell, seen: Seen) -> Iterator[str]:
    told, words = cell.expected.told, cell.expected.words
    assert told
    found = seen.error or {}
    if (seen.status, seen.raised, found.get("code"), found.get("type")) != (200, "APIError", told.code, told.type):
        yield f"{seen.status} {seen.raised} {found or seen.raw[:200]!r} instead of {told}"
    whole = seen.text == text(words) if words is not None else text(100_000).startswith(seen.text) and bool(seen.text)
    if not whole:
        yield f"{seen.text[:200]!r} instead of {words} words"
    if b"[DONE]" in seen.raw or seen.finish is not None:
        yield f"it looks complete: finish {seen.finish!r}"
    if not seen.raw.split(b"\n\n")[-2].startswith(b'data: {"error":'):
        yield f"its last bytes are {seen.raw[-200:]!r}"


def of_breaker(run: Run, state: State, provider: State) -> Iterator[str]:
    """`state` of the target; `provider`: of the whole one. What could not be written down at once is there by now."""
    cell = run.cell
    kind, _, amount = cell.breaker.partition(" ")
    calls, failures = sum(state.calls), sum(state.failures)
    wanted = int(amount or cell.failed) if kind == "counts" else 0
    if failures != wanted:
        yield f"{failures} failures are in its record, not {wanted}"
    good = cell.asked - cell.failed
    if calls - failures != good:
        yield f"{calls - failures} good calls are in its record"
    for name, ends in (("cools", state.cooling), ("quarantine", provider.quarantined)):
        left = max(0.0, ends - run.ended)
        if not (float(amount) - cell.margin < left <= float(amount) if kind == name else left == 0):
            yield f"{name} for {left:.1f} s"


def of_log(cell: Cell, lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """`lines`: those of the log that are about this call."""
    skipped = [line["malformed"] for line in lines]
    if skipped != [cell.skipped]:
        yield f"{skipped} events were left out, says the log, not {cell.skipped}"


def of_next(run: Run) -> Iterator[str]:
    """Its place was given back, and its connection is clean."""
    if run.next is not None and (run.next.raised or run.next.text != text(1)):
        yield f"the next call: {run.next.raised} {run.next.status} {run.next.text!r} {run.next.error}"


def of_providers(cell: Cell, models: Sequence[str]) -> Iterator[str]:
    """`models`: those that were asked for, in the stand-in."""
    theirs = sum("/" in model for model in models)
    if len(models) - theirs != (cell.expected.ending in (Ending.RESCUED, Ending.TAKEN_OVER) or refuses(cell)):
        yield f"the other target was asked {len(models) - theirs} times"
    if not cell.below_http and theirs != cell.asked:
        yield f"it was asked {theirs} times, not {cell.asked}"


def refuses(cell: Cell) -> bool:
    """Whether the other target is asked in vain, to go on where the provider broke off."""
    return cell.beside and "refuses" in str(cell.other)


def of_books(cell: Cell, page: Page) -> Iterator[str]:
    ending, told = cell.expected.ending, cell.expected.told
    spared = ending in (Ending.RESCUED, Ending.TAKEN_OVER) or (ending is Ending.BROKEN and refuses(cell))
    provider = "spare" if spared else cell.name  # whoever was asked last
    status = told.counts if told else "success"
    streaming = "true" if cell.streamed else "false"
    counted = [one for one in page.series("requests_total") if one[0]["model"] == cell.name and one[1]]
    wanted = {"model": cell.name, "provider": provider, "status": status, "streaming": streaming}
    if counted != [(wanted, 1.0)]:
        yield f"requests_total has {counted}"
    errors = {
        labels["error_type"]: value
        for labels, value in page.series("errors_total")
        if labels["provider"] == cell.name and value
    }
    if errors != ({cell.error: cell.failed} if cell.failed else {}):
        yield f"errors_total has {errors}"
    if active := page.sum("active_requests", provider=cell.name):
        yield f"active_requests is {active}"
    if told is None and cell.says is None and isinstance(cell.other, str):
        tokens = page.sum("tokens_total", model=cell.name, type="output")
        said = WORDS if provider == cell.name else SPARE_WORDS
        broken = cell.failed if ending in (Ending.MENDED, Ending.TAKEN_OVER) else 0  # each after three words
        if tokens != said + broken * math.ceil(len(text(3)) / CHARS_A_TOKEN):
            yield f"{tokens} tokens of output are counted"
