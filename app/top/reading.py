"""What the housekeeper says at one moment: state and metrics, over the private socket of the run directory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.json import Json, loads
from app.instance import private
from app.metrics.page import Page


@dataclass(frozen=True, slots=True)
class Reading:
    at: float  # monotonic
    state: Json
    page: Page


def read(socket: Path) -> Reading:
    """Raises OSError where nobody answers."""
    at = time.monotonic()
    state: Any = loads(_get(socket, "/state"))
    return Reading(at, state, Page(_get(socket, "/metrics").decode()))


def _get(socket: Path, path: str) -> bytes:
    status, _, body = private.get(socket, path)
    if status != 200:
        raise OSError(f"the housekeeper answers {status}")
    return body
