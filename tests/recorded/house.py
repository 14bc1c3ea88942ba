"""The gateway in this process, before it the official SDKs, behind it the stand-in on real sockets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
from flask import Flask

from app import gateway, logs
from app.cache.flights import Flights
from app.config.load import parse
from app.core.clock import SystemClock
from app.factory import create_app
from app.gateway import Process
from app.instance import system
from app.limits.limits import Books
from app.metrics.meter import Meter
from app.metrics.registry import Metrics
from app.resilience.budget import RetryBudget
from app.resilience.records import Records
from app.store.memory import Memory
from app.upstream.watch import Watch
from app.web.current import Current
from app.web.ops import Instance
from tests.recorded.corpus import Case
from tests.recorded.entries import Entry, entry_of
from tests.standin import StandIn

KEY = "gw-" + "k" * 40
PROVIDER_KEY = "provider-key-0123456789"


class House:
    """One configuration with an entry for every base URL of the recordings; use it as a context manager."""

    def __init__(self, cases: Iterable[Case], directory: Path) -> None:
        """`directory`: for the file in which the gateway keeps its breakers."""
        self.provider = StandIn()
        self.entries = {entry.name: entry for entry in map(entry_of, cases)}
        self._directory = directory
        self._clock = SystemClock()
        self._watch = Watch(self._clock, system.poll())
        self._watch.start()
        self._calls = logs.CallLog(logs.configure("error", "json"))
        self._metrics = Metrics()
        self._meter = Meter(self._metrics)
        self._settings = parse(json.dumps(self._configuration()), {}, _no_file)
        self._records = self._new_records()
        self._current = Current(self._built())
        self.app: Flask = create_app(self._current, Instance(_no_relay, lambda: None))

    def counted(self, entry: str) -> tuple[float, float]:
        """Tokens of prompts and of answers that the books hold for a provider, of models under its own name."""
        label, books = f"{entry}/*", self._metrics.tokens
        return _value(books(label, entry, "input")), _value(books(label, entry, "output"))

    def forget(self) -> None:
        """As if no provider had ever failed: breakers closed, nothing in quarantine."""
        before, self._records = self._records, self._new_records()
        self._current.gateway = self._built()
        before.close()

    def _new_records(self) -> Records:
        path = self._directory / "breakers"
        path.unlink(missing_ok=True)
        return Records(path, self._clock)

    def _built(self) -> gateway.Gateway:
        budget = RetryBudget(self._clock)
        process = Process(
            meter=self._meter,
            calls=self._calls,
            watch=self._watch,
            records=self._records,
            budget=budget,
            poll=system.poll,
            store=Memory(self._clock),
            books=Books(self._clock),
            flights=Flights(self._clock),
            workers=1,
            clock=self._clock,
        )
        return gateway.build(self._settings, process)

    def _configuration(self) -> dict[str, Any]:
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        return {
            "providers": {name: self._entry(entry) for name, entry in self.entries.items()},
            "models": {f"configured-{name}/*": {"targets": [f"{name}/*"]} for name in self.entries},
            "resilience": {"retries": 0, "rate_limit_wait": 0},  # each failure is shown to the client as it came
            "tenants": {"recorded": {"keys": [f"sha256:{digest}"], "models": ["*"]}},
        }

    def _entry(self, entry: Entry) -> dict[str, Any]:
        made: dict[str, Any] = {
            "kind": entry.kind,
            "base_url": self.provider.url + entry.base_path,
            "api_key": PROVIDER_KEY,
            "models": ["*", *entry.models],
        }
        if entry.kind == "bedrock":
            made["region"] = "us-east-1"
        for name in ("api_version", "project", "location"):
            if value := getattr(entry, name):
                made[name] = value
        return made

    def tap(self) -> Tap:
        return Tap(self.app)

    def close(self) -> None:
        self._watch.stop()
        self.provider.close()
        self._records.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Tap(httpx2.BaseTransport):
    """Hands requests to the application and keeps the bytes that came back, for who wants to look behind the SDK."""

    def __init__(self, app: Flask) -> None:
        self._inner = httpx2.WSGITransport(app=app.wsgi_app, raise_app_exceptions=True)
        self.asked = httpx2.Headers()  # of the last request
        self.status = 0
        self.headers = httpx2.Headers()
        self.body = b""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked = request.headers
        answer = self._inner.handle_request(request)
        self.status, self.headers = answer.status_code, answer.headers
        self.body = answer.read()
        return httpx2.Response(answer.status_code, headers=answer.headers, content=self.body)


def _value(counter: Any) -> float:
    """Of one series of a counter."""
    (value,) = (
        sample.value for metric in counter.collect() for sample in metric.samples if sample.name.endswith("_total")
    )
    return float(value)


def _no_file(name: str) -> str:
    raise FileNotFoundError(name)


def _no_relay(path: str, headers: Any) -> Any:
    raise ConnectionError
