"""The gateway of the table: a provider and a model for each cell, so that none feels what another breaks."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.core.clock import SystemClock
from app.resilience.records import Kind, Records
from app.resilience.state import State
from tests.faults import special
from tests.faults.table import Cell
from tests.gunicorn import Server, gunicorn, until
from tests.soak.scene import inside, total
from tests.standin import StandIn

HEALTHY = "words-1"


@dataclass(frozen=True, slots=True)
class House:
    server: Server
    standin: StandIn
    records: Records

    def inside(self) -> dict[str, int]:
        return total(inside(self.server))

    def state(self, kind: Kind, name: str) -> State:
        """What is remembered of a target, or of a provider; that of nobody where it was never asked."""
        return next((one.read() for one in self.records.all() if one.kind is kind and one.name == name), State())


@contextlib.contextmanager
def house(cells: Sequence[Cell], worker_class: str) -> Iterator[House]:
    """One worker, which alone must hold nothing in the end."""
    with contextlib.ExitStack() as stack:
        standin = stack.enter_context(StandIn())
        special.install(standin)
        text = configuration(cells, standin.url, stack.enter_context(special.ports(standin)))
        server = stack.enter_context(
            gunicorn(text, workers=1, worker_class=worker_class, app="tests.faults.inside:app")
        )
        records = Records(server.run_dir / "breakers", SystemClock())
        stack.callback(records.close)
        for cell in cells:  # a worker that cannot make one at once, for all the others that it makes, forgets a failure
            for kind, name in ((Kind.TARGET, target_key(cell)), (Kind.PROVIDER, f"provider/{cell.name}")):
                until(partial(records.find, kind, name, cell.name), f"record of {name}")
        yield House(server, standin, records)


def configuration(cells: Iterable[Cell], url: str, ports: Mapping[str, str]) -> str:
    """JSON, which is YAML too. A place a provider: one that is not given back is missed by the next call."""
    providers: dict[str, Any] = {"spare": {"kind": "compatible", "base_url": f"{url}/v1"}}
    models: dict[str, Any] = {"larger": {"targets": ["spare/words-7"]}}
    for cell in cells:
        base = ports[cell.provider.removeprefix("port: ")] if cell.below_http else url
        providers[cell.name] = {"kind": "compatible", "base_url": f"{base}/v1", "models": ["*"], "max_in_flight": 1}
        models[cell.name] = {
            "targets": [target_key(cell), *([cell.other] if cell.beside else [])],
            "timeouts": dict(cell.timeouts),
            **cell.settings,
        }
    breaker = {"window": 600, "min_calls": 1000, "failure_ratio": 1.0, "consecutive": 1000}
    health = {"probe": False}  # the journal is to hold calls alone
    return json.dumps({"resilience": {"breaker": breaker}, "health": health, "providers": providers, "models": models})


def target_key(cell: Cell) -> str:
    """By which its breaker is found."""
    return f"{cell.name}/{cell.model}"
