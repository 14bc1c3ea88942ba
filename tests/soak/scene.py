"""What the programs share: providers, entries of `models`, a gateway in front of them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from tests.gunicorn import Server, gunicorn, until

NEVER: Mapping[str, Any] = {"min_calls": 1_000_000, "consecutive": 1_000_000}  # a breaker that does not open


@contextlib.contextmanager
def gateway(
    providers: Mapping[str, int],
    models: Mapping[str, Any],
    *,
    workers: int = 2,
    worker_class: str = "gevent",
    breaker: Mapping[str, Any] | None = None,
    simulated: Mapping[str, Any] | None = None,
    **more: Any,
) -> Iterator[Server]:
    """`providers`: ports by name; `simulated`: settings of one more; `more`: further sections.

    It has a window (tests/faults/inside.py).
    """
    config = {
        "health": {"probe": False},
        "logging": {"level": "warning"},
        "providers": {
            **{
                name: {"kind": "compatible", "base_url": f"http://127.0.0.1:{port}/v1"}
                for name, port in providers.items()
            },
            **({"simulated": dict(simulated)} if simulated else {}),
        },
        "models": dict(models),
        "resilience": {"breaker": dict(breaker or {})},
        **more,
    }
    text = json.dumps(config)
    with gunicorn(text, workers=workers, worker_class=worker_class, app="tests.faults.inside:app") as server:
        yield server


def inside(server: Server) -> dict[int, dict[str, int]]:
    """What each worker holds, by its process id: asked on fresh connections until all have answered."""
    found: dict[int, dict[str, int]] = {}

    def all_of_them() -> bool:
        one = requests.get(server.url + "/inside", headers={"connection": "close"}, timeout=10).json()
        found[one.pop("pid")] = one
        return set(server.workers()) <= set(found)

    until(all_of_them, "look into every worker")
    return found


def total(held: Mapping[int, Mapping[str, int]]) -> dict[str, int]:
    names = next(iter(held.values()))
    return {name: sum(one[name] for one in held.values()) for name in names}
