"""The stand-in as a process of its own: what a program elsewhere asks of it over HTTP, under /__control/.

GET  /__control/health | grammar | totals | requests | connections     the last two filtered by ?field=value
GET  /__control/wait?count=1&timeout=10&field=value                    answers when so many requests fit (else 408)
POST /__control/script  {"behaviour": "fault-500", "times": 1, "model": "x"}     times null: always
POST /__control/release {"gate": "x", "times": 1}                      without times: for good
POST /__control/clear   {}                                             journal and scripts
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Protocol
from urllib.parse import parse_qsl

from tests.standin.grammar import table
from tests.standin.journal import ConnectionRecord, Journal, RequestRecord
from tests.standin.message import Answer, Piece, Request
from tests.standin.scripts import Behaviour, Match, Scripts

_NUMBERS = ("id", "connection", "nth", "status", "words_sent")


class Controlled(Protocol):
    """What can be controlled."""

    journal: Journal
    scripts: Scripts

    def script(self, behaviour: Behaviour, *, times: int | None = 1, **match: Match) -> None: ...
    def release(self, gate: str, times: float = math.inf) -> None: ...


def controlled(standin: Controlled, request: Request) -> Answer:
    """Do what a control request asks, and answer it."""
    order = request.path.removeprefix("/__control/")
    query = dict(parse_qsl(request.target.partition("?")[2]))
    given = dict(request.fields)
    if order == "wait":
        return _wait(standin.journal, query)
    if order == "grammar":
        return Answer(200, (("content-type", "text/plain; charset=utf-8"),), (Piece(table().encode()),))
    result: object = {"ok": True}
    match order:
        case "health":
            pass
        case "totals":
            result = standin.journal.totals
        case "requests":
            result = [shown(one) for one in standin.journal.requests(**_typed(query))]
        case "connections":
            result = [shown(one) for one in standin.journal.connections(**_typed(query))]
        case "script":
            standin.script(given.pop("behaviour"), times=given.pop("times", 1), **given)
        case "release":
            standin.release(given["gate"], given.get("times") or math.inf)
        case "clear":
            standin.journal.clear()
            standin.scripts.clear()
        case _:
            return _json({"error": f"no such order: {order}"}, 404)
    return _json(result)


def shown(record: RequestRecord | ConnectionRecord) -> dict[str, Any]:
    """A record as JSON can say it."""
    fields = asdict(record)
    if "body" in fields:
        fields["body"] = fields["body"].decode("utf-8", "replace")
    return fields


def _wait(journal: Journal, query: dict[str, str]) -> Answer:
    count = int(query.pop("count", "1"))
    timeout = float(query.pop("timeout", "10"))
    equal = _typed(query)

    def found() -> list[RequestRecord]:
        return journal.requests(**equal)

    def body() -> Iterator[Piece]:  # read when the wait is over
        yield Piece(json.dumps([shown(one) for one in found()]).encode())

    return Answer(
        headers=(("content-type", "application/json"),),
        body=body(),
        delay=timeout,
        until=lambda: len(found()) >= count,
    )


def _typed(query: dict[str, str]) -> dict[str, object]:
    return {name: int(value) if name in _NUMBERS else value for name, value in query.items()}


def _json(data: object, status: int = 200) -> Answer:
    return Answer(status, (("content-type", "application/json"),), (Piece(json.dumps(data).encode()),))
