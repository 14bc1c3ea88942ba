"""Figures as people read them."""

from __future__ import annotations

from collections.abc import Iterator

from app.bench.figures import BUSY, Figures, Spread


def lines(found: Figures) -> Iterator[str]:
    bad = found.calls - found.succeeded
    yield f"{found.calls} calls in {_time(found.seconds)}: {found.succeeded} went well, {bad} did not"
    if found.left:
        yield f"  {found.left} were under way when it was ended, and are in no figure"
    for wrong, count in found.failed.items():
        yield f"  {count} x {wrong}"
    for name, count in found.answered_by.items():
        yield f"  answered by {name}: {count}"
    if found.cached:
        yield f"  from the cache: {found.cached}"
    if found.attempts is not None:
        yield f"  attempts a call: {found.attempts:.2f}"
    yield ""
    yield f"calls/s      {_number(found.calls_per_second)}"
    tokens = f"{found.input_tokens} read, {found.output_tokens} written"
    yield f"tokens/s     {_number(found.tokens_per_second)} written ({tokens})"
    yield ""
    yield from _table(found)
    if found.client_busy > BUSY:
        yield ""
        yield f"this command took {found.client_busy:.0%} of a core for itself: what it says is slow may be itself"


def _table(found: Figures) -> Iterator[str]:
    rows: list[tuple[str, list[str]]] = [
        (name, [f"{_time(value)}" for value in (seen.p50, seen.p90, seen.p99, seen.most)])
        for name, seen in (
            ("latency", found.latency),
            ("first token", found.first_token),
            ("gap", found.gap),
            ("gateway's own part", found.overhead),
        )
        if seen is not None
    ]
    if (speed := found.tokens_per_second_a_stream) is not None:
        rows.append(("tokens/s a stream", [_number(value) for value in _all(speed)]))
    if not rows:
        return
    width = max(len(name) for name, _ in rows)
    yield " " * width + "".join(f"{head:>10}" for head in ("p50", "p90", "p99", "worst"))
    for name, cells in rows:
        yield f"{name:{width}}" + "".join(f"{cell:>10}" for cell in cells)


def _all(seen: Spread) -> tuple[float, ...]:
    return seen.p50, seen.p90, seen.p99, seen.most


def _time(seconds: float) -> str:
    if abs(seconds) < 0.01:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e3:.0f} ms" if abs(seconds) < 1 else f"{seconds:.2f} s"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
