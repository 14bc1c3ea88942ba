"""The gateway in this process, before it the official SDKs, behind it the stand-in on real sockets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import httpx2
from flask import Flask

from app import gateway, logs
from app.config.load import parse
from app.core.clock import SystemClock
from app.factory import create_app
from app.gateway import Process
from app.instance import system
from app.metrics.meter import Meter
from app.metrics.registry import Metrics
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

    def __init__(self, cases: Iterable[Case]) -> None:
        self.provider = StandIn()
        self.entries = {entry.name: entry for entry in map(entry_of, cases)}
        clock = SystemClock()
        self._watch = Watch(clock, system.poll())
        self._watch.start()
        process = Process(Meter(Metrics()), logs.CallLog(logs.configure("error", "json")), self._watch, clock)
        settings = parse(json.dumps(self._configuration()), {}, _no_file)
        self.app: Flask = create_app(Current(gateway.build(settings, process)), Instance(_no_relay, lambda: None))

    def _configuration(self) -> dict[str, Any]:
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        return {
            "providers": {name: self._entry(entry) for name, entry in self.entries.items()},
            "models": {f"configured-{name}/*": {"targets": [f"{name}/*"]} for name in self.entries},
            "tenants": {"recorded": {"keys": [f"sha256:{digest}"], "models": ["*"]}},
        }

    def _entry(self, entry: Entry) -> dict[str, Any]:
        made: dict[str, Any] = {
            "kind": entry.kind,
            "base_url": self.provider.url + entry.base_path,
            "api_key": PROVIDER_KEY,
            "models": ["*", *entry.models],
        }
        if entry.api_version:
            made["api_version"] = entry.api_version
        return made

    def tap(self) -> Tap:
        return Tap(self.app)

    def close(self) -> None:
        self._watch.stop()
        self.provider.close()

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
        self.status = 0
        self.headers = httpx2.Headers()
        self.body = b""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._inner.handle_request(request)
        self.status, self.headers = answer.status_code, answer.headers
        self.body = answer.read()
        return httpx2.Response(answer.status_code, headers=answer.headers, content=self.body)


def _no_file(name: str) -> str:
    raise FileNotFoundError(name)


def _no_relay(path: str, headers: Any) -> Any:
    raise ConnectionError
