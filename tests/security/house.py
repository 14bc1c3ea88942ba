"""The whole gateway in this process: the real application in front, real sockets behind, and everything it says kept.

Requests are made as gunicorn's parser would hand them over, so that a test may say what no HTTP library would.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from wsgiref.validate import validator

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
from tests.journeys.plainly import SAID, Answered

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
KEY = "gk-team-" + "k" * 40
UP_KEY = "Zf9canary7Qx2upstream4c1d"
NATIVES = ("gemini", "cohere", "bedrock")  # kinds whose languages no client speaks

Headers = Iterable[tuple[str, str]]


class House:
    """One configuration, served in this process; use it as a context manager. `directory`: for its breakers."""

    def __init__(self, configuration: Mapping[str, Any], directory: Path) -> None:
        self.lines = io.BytesIO()  # the log of calls
        self.metrics = Metrics()
        self._clock = SystemClock()
        self._watch = Watch(self._clock, system.poll())
        self._watch.start()
        self._records = Records(directory / "breakers", self._clock)
        process = Process(
            meter=Meter(self.metrics),
            calls=logs.CallLog(logs.json_lines(self.lines, logging.INFO)),
            watch=self._watch,
            records=self._records,
            budget=RetryBudget(self._clock),
            poll=system.poll,
            store=Memory(self._clock),
            books=Books(self._clock),
            flights=Flights(self._clock),
            workers=1,
            clock=self._clock,
        )
        settings = parse(json.dumps(configuration), {}, _no_file)
        self.app = create_app(Current(gateway.build(settings, process)), Instance(_no_relay, lambda: None))

    def ask(
        self,
        model: str = "up/words-2",
        path: str = CHAT,
        *,
        headers: Headers = (),
        key: str | None = KEY,
        **more: Any,
    ) -> Answered:
        """A good call, but for what is said here."""
        return self.post(call(model, path, **more), path, headers=headers, key=key)

    def post(self, body: bytes, path: str = CHAT, *, headers: Headers = (), key: str | None = KEY) -> Answered:
        given = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers]
        return self.request("POST", path, given, body, key=key)

    def get(self, path: str, *, headers: Headers = (), key: str | None = KEY) -> Answered:
        return self.request("GET", path, headers, key=key)

    def request(
        self,
        method: str,
        path: str,
        headers: Headers = (),
        body: bytes = b"",
        *,
        key: str | None = KEY,
        host: str = "localhost",
    ) -> Answered:
        """`headers` as they came: repeated ones are joined, as gunicorn joins them."""
        route, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": route,
            "QUERY_STRING": query,
            "RAW_URI": path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8080",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": host,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        given = [("Authorization", f"Bearer {key}"), *headers] if key is not None else headers
        told: dict[str, list[str]] = {}
        for name, value in given:
            plain = name.upper().replace("-", "_")
            told.setdefault(plain if plain in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{plain}", []).append(value)
        environ |= {name: ",".join(values) for name, values in told.items()}
        return _served(self.app.wsgi_app, environ)

    def log(self) -> list[Any]:
        """Every line, each an object of JSON."""
        return [json.loads(line) for line in self.lines.getvalue().split(b"\n") if line]

    def close(self) -> None:
        self._watch.stop()
        self._records.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def configuration(base_url: str, **more: Any) -> dict[str, Any]:
    """One provider in OpenAI's language, `up`, one in Anthropic's, `claude`, and a team that may use all of both."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    breaker = {"consecutive": 1000, "min_calls": 1000}  # tests make providers fail on purpose
    return {
        "health": {"probe": False},
        "resilience": {"retries": 0, "rate_limit_wait": 0, "breaker": breaker},
        "providers": {
            "up": {"kind": "compatible", "base_url": f"{base_url}/v1", "api_key": UP_KEY, "models": ["*"]},
            "claude": {"kind": "anthropic", "base_url": base_url, "api_key": UP_KEY, "models": ["*"]},
        },
        "models": {"fast": {"targets": ["up/words-2"]}},
        "tenants": {"team": {"keys": [f"sha256:{digest}"]}},
        **more,
    }


def of_every_kind(base_url: str) -> dict[str, Any]:
    """The same with a provider of each dialect, named as its kind."""
    made = configuration(base_url)
    for kind in (*NATIVES, "openai", "azure"):
        url = f"{base_url}/v1" if kind == "openai" else base_url
        made["providers"][kind] = {"kind": kind, "base_url": url, "api_key": UP_KEY, "models": ["*"]}
    made["providers"]["bedrock"]["region"] = "eu-central-1"
    return made


def call(model: str, path: str = CHAT, **more: Any) -> bytes:
    """The body of a good call, to which a test may add."""
    if path == RESPONSES:
        return json.dumps({"model": model, "input": SAID, **more}).encode()
    limit = {"max_tokens": 99} if path == MESSAGES else {}
    return json.dumps({"model": model, "messages": SAID, **limit, **more}).encode()


def _served(application: Any, environ: dict[str, Any]) -> Answered:
    """By a server that checks what the application gives it: wsgiref refuses a header that would be two."""
    said: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
        said.append((status, headers))
        return lambda data: None

    result: Any = validator(application)(environ, start)
    try:
        body = b"".join(result)
    finally:
        result.close()
    status, headers = said[-1]
    for name, value in headers:
        assert not set(value) & {"\r", "\n", "\0"}, (name, value)
        value.encode("latin-1")
    return Answered(int(status.split()[0]), {name.lower(): value for name, value in headers}, body)


def _no_file(name: str) -> str:
    raise FileNotFoundError(name)


def _no_relay(path: str, headers: Any) -> Any:
    raise ConnectionError
