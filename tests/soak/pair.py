"""Two gateways over one memcached, callers with keys, and what both wrote down about each call."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.gunicorn import Server
from tests.soak.scene import gateway

SIMULATED = {"kind": "simulated", "latency": 0, "tokens_per_second": 1_000_000, "words": 20}


def key_of(tenant: str) -> str:
    return f"key-of-{tenant}"


@contextlib.contextmanager
def pair(
    store: str,
    tenants: Mapping[str, Mapping[str, Any]],
    *,
    providers: Mapping[str, int] | None = None,
    models: Mapping[str, Any] | None = None,
    workers: int = 4,
    worker_class: str = "gevent",
    patience: float = 1.0,
    **more: Any,
) -> Iterator[list[Server]]:
    """`store`: a server of memcached, waited for `patience`; `tenants`: their limits. Model `m` is simulated."""
    sections = {
        "logging": {"level": "info"},
        "memcached": {"servers": [store], "connect_timeout": patience, "timeout": patience},
        "limits": {"replicas": 2},
        "tenants": {
            name: {"keys": [f"sha256:{hashlib.sha256(key_of(name).encode()).hexdigest()}"], "limits": limits}
            for name, limits in tenants.items()
        },
        **more,
    }
    known = {"m": {"targets": ["simulated/m"]}, **(models or {})}
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                gateway(
                    providers or {},
                    known,
                    workers=workers,
                    worker_class=worker_class,
                    simulated=SIMULATED,
                    **sections,
                )
            )
            for _ in range(2)
        ]


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    body: bytes
    headers: Mapping[str, str]
    began: float
    took: float

    def left(self, what: str) -> int:
        return int(self.headers[f"x-ratelimit-remaining-{what}"])


class Keyed:
    """Calls with the keys of tenants, on connections that each thread keeps; to the first server or the second."""

    def __init__(self, servers: list[Server]) -> None:
        self._servers = servers
        self._mine = threading.local()
        self._all: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        for connection in self._all:
            connection.close()

    def call(self, tenant: str, number: int = 0, model: str = "m", content: str = "hi", **fields: Any) -> Said:
        """Which of the servers: by `number`. Raises nothing: a broken call has status 0."""
        began = time.monotonic()
        connection = self._connection(number % len(self._servers))
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": content}], **fields})
        headers = {"content-type": "application/json", "authorization": f"Bearer {key_of(tenant)}"}
        try:
            connection.request("POST", "/v1/chat/completions", body, headers)
            answer = connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return Said(0, repr(error).encode(), {}, began, time.monotonic() - began)
        given = {name.lower(): value for name, value in answer.getheaders()}
        return Said(answer.status, raw, given, began, time.monotonic() - began)

    def begin(self, tenant: str, number: int, model: str, content: str = "hi") -> http.client.HTTPResponse:
        """A stream whose head has come, on a connection of its own. Closing it is leaving."""
        address = self._servers[number % len(self._servers)].url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=60)
        body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": content}]})
        headers = {"content-type": "application/json", "authorization": f"Bearer {key_of(tenant)}"}
        connection.request("POST", "/v1/chat/completions", body, headers | {"connection": "close"})
        return connection.getresponse()

    def _connection(self, number: int) -> http.client.HTTPConnection:
        mine: dict[int, http.client.HTTPConnection] = self._mine.__dict__.setdefault("connections", {})
        if number not in mine:
            address = self._servers[number].url.removeprefix("http://")
            mine[number] = http.client.HTTPConnection(address, timeout=60)
            self._all.append(mine[number])
        return mine[number]


@dataclass(frozen=True, slots=True)
class Line:
    """What the gateway wrote of a call; `came` and `ended` in Unix seconds."""

    call: str  # its x-request-id
    tenant: str
    status: str
    came: float
    ended: float
    input: int
    output: int
    attempts: int
    seconds: float
    worker: int
    waited: float  # for memcached, beyond what is usual
    waits: int


def lines(servers: list[Server]) -> Iterator[Line]:
    for server in servers:
        with server.log_file.open("rb") as log:
            for raw in log:
                if b'"event":"call"' in raw:
                    found = json.loads(raw)
                    at = datetime.fromisoformat(found["timestamp"]).timestamp()
                    yield Line(
                        found["request_id"],
                        found["tenant"],
                        found["status"],
                        at - found["seconds"],
                        at,
                        found["input_tokens"] or 0,
                        found["output_tokens"] or 0,
                        len(found["attempts"]),
                        found["seconds"],
                        found["worker"],
                        found["memcached_seconds"],
                        found["memcached_waits"],
                    )


def most_in(span: float, events: list[tuple[float, int]]) -> int:
    """The largest sum of numbers in any so many seconds."""
    events, first, now, most = sorted(events), 0, 0, 0
    for at, number in events:
        now += number
        while events[first][0] <= at - span:
            now -= events[first][1]
            first += 1
        most = max(most, now)
    return most
