"""The gateway in this process, with one provider of every kind, each of which answers what it is told to.

Nothing is on a network: what is tried is everything between the server's environ and the bytes that leave, and what is
made of any answer. Time stands still and moves on between calls, so that no breaker or cooldown of one call is seen by
the next.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app import gateway, logs
from app.cache.flights import Flights
from app.config.load import parse
from app.core.provider import Provider
from app.core.wire import UpstreamRequest
from app.factory import create_app
from app.gateway import Process
from app.instance import system
from app.limits.limits import Books
from app.metrics.meter import Meter
from app.metrics.registry import Metrics
from app.providers import registry
from app.resilience.budget import RetryBudget
from app.resilience.records import Records
from app.store.memory import Memory
from app.upstream.simulated import SimulatedAnswer
from app.upstream.watch import Guard, Watch
from app.web.current import Current
from app.web.ops import Instance
from tests.clock import ManualClock

KEY = "gw-" + "k" * 40
KINDS = registry.kinds()
BETWEEN = 1000.0  # seconds from one call to the next: longer than any breaker, quarantine or kept answer


@dataclass(frozen=True)
class Said:
    """What a provider answers. Header names in lower case."""

    pieces: tuple[bytes, ...]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Say = Callable[[Provider, UpstreamRequest], Said]


class Told:
    """A transport that asks nobody."""

    def __init__(self) -> None:
        self.say: Say = lambda provider, request: Said(())

    def send(self, provider: Provider, request: UpstreamRequest, connect: float, guard: Guard) -> SimulatedAnswer:
        json.dumps(request.body, allow_nan=False).encode()  # it can be sent
        said = self.say(provider, request)
        return SimulatedAnswer(iter(said.pieces), said.status, said.headers)


@dataclass(frozen=True)
class Shown:
    """What a client gets; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Complaints(logging.Handler):
    """Whatever is logged as an error is one: bugs are caught and logged where no call may suffer from them."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "app.cache.visit":  # an answer of a strange shape is not kept, and the log says so
            self.found.append(logging.Formatter().format(record))


class House:
    def __init__(self, directory: Path) -> None:
        """`directory`: for the file in which the gateway keeps its breakers."""
        self.told, self.complaints = Told(), Complaints()
        self._clock = ManualClock(1_800_000_000.0)
        self._records = Records(directory / "breakers", self._clock)
        settings = parse(json.dumps(_configuration()), {}, _no_file)
        process = Process(
            meter=Meter(Metrics()),
            calls=logs.CallLog(logs.json_lines(io.BytesIO(), logging.CRITICAL)),
            watch=Watch(self._clock, system.poll()),
            records=self._records,
            budget=RetryBudget(self._clock),
            poll=system.poll,
            store=Memory(self._clock),
            books=Books(self._clock),
            flights=Flights(self._clock),
            workers=1,
            clock=self._clock,
        )
        built = gateway.build(settings, process)
        asker = built.attempts.asker
        transports = {**dict.fromkeys(KINDS, self.told), "simulated": asker.transports["simulated"]}
        attempts = replace(built.attempts, asker=replace(asker, transports=transports))
        self._app = create_app(Current(replace(built, attempts=attempts)), Instance(_no_relay, lambda: None))
        logging.getLogger().addHandler(self.complaints)

    def ask(self, path: str, body: bytes, headers: Iterable[tuple[str, str]] = (), method: str = "POST") -> Shown:
        """One call, read to its end. Raises whatever leaves the application."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path.partition("?")[0],
            "QUERY_STRING": path.partition("?")[2],
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8080",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8080",
            "HTTP_AUTHORIZATION": f"Bearer {KEY}",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
        }
        for name, value in headers:
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, sent: list[tuple[str, str]], trouble: Any = None) -> Any:
            begun.append((status, sent))

        answer = self._app.wsgi_app(environ, start)
        try:
            read = b"".join(answer)
        finally:
            if close := getattr(answer, "close", None):
                close()
        status, sent = begun[-1]
        return Shown(int(status[:3]), {name.lower(): value for name, value in sent}, read)

    def between(self) -> None:
        """The next call comes much later."""
        self._clock.now += BETWEEN

    def close(self) -> None:
        logging.getLogger().removeHandler(self.complaints)
        self._records.close()


def _configuration() -> dict[str, Any]:
    """A model of every kind, named after it; it may keep answers, and a stream that breaks is rescued."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    return {
        "providers": {kind: _entry(kind) for kind in KINDS},
        "models": {
            kind: {
                "targets": [{"target": f"{kind}/{_MODELS.get(kind, 'm')}", "prefill": True}],
                "cache": {"ttl": 60},
                "price": {"input": 1, "output": 1},
            }
            for kind in KINDS
        },
        "resilience": {"retries": 0, "rate_limit_wait": 0},
        "tenants": {
            "fuzz": {"keys": [f"sha256:{digest}"], "limits": {"tokens_per_minute": 10**9, "concurrent": 10}},
        },
    }


_MODELS = {"bedrock": "anthropic.claude-sonnet-4", "gemini": "gemini-2.5-flash", "anthropic": "claude-sonnet-4-5"}


def _entry(kind: str) -> dict[str, Any]:
    if kind == "simulated":
        return {"latency": 0, "tokens_per_second": 1e6, "words": 5, "models": ["*"]}
    made: dict[str, Any] = {"kind": kind, "base_url": "http://127.0.0.1:9/v1", "api_key": "k", "models": ["*"]}
    return made | ({"region": "us-east-1"} if kind == "bedrock" else {})


def _no_file(name: str) -> str:
    raise FileNotFoundError(name)


def _no_relay(path: str, headers: Any) -> Any:
    raise ConnectionError
