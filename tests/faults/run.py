"""Makes every cell happen, many at a time."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from app.resilience.records import Kind, kept
from app.resilience.state import State
from tests.faults import judge
from tests.faults.client import Client
from tests.faults.house import HEALTHY, House, target_key
from tests.faults.judge import Run
from tests.faults.table import Cell
from tests.gunicorn import until
from tests.metrics.page import Page, page_of

AT_ONCE = 12


@dataclass(frozen=True, slots=True)
class Result:
    runs: Sequence[Run]
    complaints: dict[str, list[str]]  # by cell
    left: dict[str, tuple[int, int]]  # what the worker held before and after, where it grew


def run(house: House, cells: Sequence[Cell]) -> Result:
    before = house.inside()
    longest_first = sorted(cells, key=lambda cell: -cell.takes)
    with Client(house.server.url) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(lambda cell: _run(house, client, cell), longest_first))
    complaints = {str(one.cell): [*judge.of_client(one), *judge.of_next(one)] for one in runs}
    models = defaultdict(list)
    for request in house.standin.journal.requests():
        models[request.json["messages"][0]["content"]].append(request.model)
    page = settled(house, len(cells))
    lines = calls_in(house.server.log())
    for one in runs:
        found = [*judge.of_providers(one.cell, models[one.cell.name]), *judge.of_books(one.cell, page)]
        found += judge.of_log(one.cell, lines[one.cell.name])
        complaints[str(one.cell)] += [*found, *judge.of_breaker(one, *_remembered(house, one.cell))]
    return Result(runs, complaints, _left(house, before))


def settled(house: House, calls: int) -> Page:
    """The page once every call is on it."""

    def found() -> Page | None:
        page = page_of(house.server)
        total = sum(value for labels, value in page.series("requests_total") if "/" not in labels["model"])
        return page if total >= calls else None

    page = until(found, f"{calls} calls on the page")
    assert page is not None
    return page


def calls_in(log: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The lines of calls, by their ids; gunicorn's own lines are no JSON."""
    found = defaultdict(list)
    for line in log.splitlines():
        if line.startswith("{") and (parsed := json.loads(line))["event"] == "call":
            found[parsed["request_id"]].append(parsed)
    return found


def _run(house: House, client: Client, cell: Cell) -> Run:
    healthy = f"{cell.name}/{HEALTHY}"
    if cell.warm:
        client.call(f"{cell.name}-before", healthy, stream=False)
    seen = client.call(cell.name, cell.name, stream=cell.streamed, headers=cell.headers, **cell.call)
    ended = time.monotonic()
    after = None
    if not cell.below_http and not cell.breaker.startswith("quarantine"):
        after = client.call(f"{cell.name}-next", healthy, stream=False)
    return Run(cell, seen, ended, after)


def _remembered(house: House, cell: Cell) -> tuple[State, State]:
    """Of its target and of its provider."""
    target = house.state(Kind.TARGET, kept(target_key(cell)))
    return target, house.state(Kind.PROVIDER, f"provider/{cell.name}")


def _left(house: House, before: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Waits for what is on its way to end."""
    differs: dict[str, tuple[int, int]] = {}

    def quiet() -> bool:
        after = house.inside()
        differs.clear()
        differs.update({name: (before[name], after[name]) for name in before if before[name] < after[name]})
        return not differs

    try:
        until(quiet, "quiet")
    except AssertionError:
        return differs
    return {}
