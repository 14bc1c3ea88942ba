"""A gateway that something is done to, and calls that must not mind."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gunicorn import Server
from tests.soak.caller import Callers, Got, many

SIMULATED: dict[str, Any] = {
    "health": {"probe": False},
    "providers": {"simulated": {"latency": 0, "tokens_per_second": 100_000, "words": 5, "models": ["*"]}},
    "models": {name: {"targets": ["simulated/x"]} for name in ("m", "n")},
}
CONFIG = json.dumps(SIMULATED)


def calls(server: Server, count: int = 20, model: str = "m", at_once: int = 4) -> list[Got]:
    """Half of them streamed."""
    with Callers(server.url) as callers:
        return many(count, at_once, lambda number: callers.call(model, stream=bool(number % 2)))


def endings(found: list[Got]) -> Counter[str]:
    return Counter(f"{got.status} {got.code}" for got in found)


def is_well(server: Server, count: int = 20, model: str = "m") -> bool:
    return endings(calls(server, count, model)) == {"200 None": count}


def all_well(server: Server, count: int = 20, model: str = "m") -> None:
    found = endings(calls(server, count, model))
    assert found == {"200 None": count}, found


@contextlib.contextmanager
def small(megabytes: int = 1) -> Iterator[Path]:
    """A file system of this size."""
    with tempfile.TemporaryDirectory(prefix="gateway-small-") as place:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", place]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("no file system may be mounted here")
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "-l", place], check=True)


def fill(place: Path) -> Path:
    """The file that takes all the room that is left."""
    path = place / "full"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path


@contextlib.contextmanager
def few_files(pid: int, more: int) -> Iterator[None]:
    """It may open so many more than it has."""
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    most = len(os.listdir(f"/proc/{pid}/fd")) + more
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
