"""Recorded exchanges with real providers: loading them, and answering as they answered."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.standin.message import Answer, Cuts, Framing, Headers, Piece

_REBUILT = {"connection", "content-encoding", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"}


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """What the client sent; `body` is the parsed JSON, None for a GET."""

    method: str
    url: str
    headers: Headers
    body: Any


@dataclass(frozen=True, slots=True)
class RecordedResponse:
    """What the provider answered, its body without transfer and content coding."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded file; `fidelity` says "exact" or "reserialised" for request and response."""

    id: str
    provider: str
    operation: str
    model: str | None
    features: tuple[str, ...]
    fidelity: dict[str, Any]
    request: RecordedRequest
    response: RecordedResponse


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the recordings' index."""

    id: str
    path: Path
    provider: str
    operation: str
    model: str | None
    status: int
    features: tuple[str, ...]


def recordings_dir() -> Path | None:
    """Where the recordings lie beside the checkout, or None; tests skip then."""
    found = Path(__file__).resolve().parents[3] / "shared" / "recordings"
    return found if (found / "index.jsonl").is_file() else None


def load_index(directory: Path) -> list[Row]:
    """All recordings, in the index's order."""
    rows = []
    for line in (directory / "index.jsonl").read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        rows.append(
            Row(
                id=one["id"],
                path=directory / one["file"],
                provider=one["provider"],
                operation=one["operation"],
                model=one["model"],
                status=one["status"],
                features=tuple(one["features"]),
            )
        )
    return rows


def load_recording(path: Path) -> Exchange:
    """Read one file."""
    one = json.loads(path.read_text(encoding="utf-8"))
    request, response = one["request"], one["response"]
    if "body_base64" in response:
        body = base64.b64decode(response["body_base64"])
    else:
        body = (response.get("body_text") or "").encode()
    return Exchange(
        id=one["id"],
        provider=one["provider"],
        operation=one["operation"],
        model=one["model"],
        features=tuple(one["features"]),
        fidelity=one["fidelity"],
        request=RecordedRequest(request["method"], request["url"], tuple(request["headers"].items()), request["body"]),
        response=RecordedResponse(response["status"], tuple(response["headers"].items()), body),
    )


def replay(
    exchange: Exchange,
    *,
    seed: int | None = None,
    framing: Framing | None = None,
    pause: Callable[[int], float] | None = None,
) -> Answer:
    """The recorded answer, cut at random places where a seed is given; framed as recorded unless said otherwise.

    `pause(i)` seconds are waited before the i-th write of the cut answer.
    """
    response = exchange.response
    recorded = {name.lower(): value for name, value in response.headers}
    if framing is None:
        framing = Framing.CHUNKED if "chunked" in recorded.get("transfer-encoding", "") else Framing.LENGTH
    return Answer(
        status=response.status,
        headers=tuple((name, value) for name, value in response.headers if name.lower() not in _REBUILT),
        body=(Piece(response.body),),
        framing=framing,
        cuts=Cuts(seed, pause) if seed is not None else None,
    )
