"""The whole gateway in this process, the stand-in on real sockets behind it, and what each call adds to the metrics."""

from __future__ import annotations

import io
import json
import logging
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from werkzeug.test import Client, TestResponse

from app import gateway, logs
from app.cache.flights import Flights
from app.config.load import parse
from app.core.clock import SystemClock
from app.factory import create_app
from app.gateway import Process
from app.instance import system
from app.limits.limits import Books
from app.metrics.catalogue import PREFIX, everything
from app.metrics.meter import Meter
from app.metrics.registry import Metrics
from app.resilience.budget import RetryBudget
from app.resilience.records import Records
from app.store.memory import Memory
from app.upstream.watch import Watch
from app.web.current import Current
from app.web.doors import Doors
from app.web.ops import Instance
from tests.standin import StandIn

CHAT = "/v1/chat/completions"
PROMPT = "tell me five short words"

_LABELS = {metric.name: metric.labels for metric in everything()}
_TIMES = ("_bucket", "_created", "_sum", "seconds_total")


class House:
    """Providers alpha and beta (OpenAI's language) and claude, all of them the stand-in; retries 1, no wait for limits.

    `models`: name to its settings; in target names the grammar of the stand-in. `log` has the lines of calls.
    """

    def __init__(self, directory: Path, models: Mapping[str, Any], **more: Any) -> None:
        self.provider = StandIn()
        self.log = io.BytesIO()
        self._clock = SystemClock()
        self._watch = Watch(self._clock, system.poll())
        self._watch.start()
        self._records = Records(directory / "breakers", self._clock)
        self._metrics = Metrics()
        settings = parse(json.dumps(self._configuration(models, more)), {}, _no_file)
        process = Process(
            Meter(self._metrics),
            logs.CallLog(logs.json_lines(self.log, logging.INFO)),
            self._watch,
            self._records,
            RetryBudget(self._clock),
            system.poll,
            Memory(self._clock),
            Books(self._clock),
            Flights(self._clock),
            1,
            self._clock,
        )
        self.doors = Doors()
        app = create_app(Current(gateway.build(settings, process)), Instance(_no_relay, lambda: None), self.doors)
        self._client = Client(app)
        self._before = self._read()

    def call(self, model: str, path: str = CHAT, *, stream: bool = False, **more: Any) -> TestResponse:
        """Read to its end."""
        answer = self.begin(model, path, stream=stream, **more)
        answer.get_data()
        answer.close()
        return answer

    def begin(self, model: str, path: str = CHAT, *, stream: bool = False, **more: Any) -> TestResponse:
        """For a client that reads as far as it likes, and then closes."""
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 99}
        return self.post(path, json.dumps({**body, **more}))

    def post(self, path: str, body: str | bytes) -> TestResponse:
        return self._client.post(path, data=body, content_type="application/json", buffered=False)

    def get(self, path: str) -> TestResponse:
        return self._client.get(path)

    def added(self) -> dict[str, float]:
        """What the calls so far have changed, `name{values of the labels}` to how much; times are left out."""
        now = self._read()
        found = {name: value - self._before[name] for name, value in now.items()}
        return {name: round(value, 9) for name, value in found.items() if value}

    def lines(self) -> list[dict[str, Any]]:
        """Of the log."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def close(self) -> None:
        self._watch.stop()
        self.provider.close()
        self._records.close()

    def _read(self) -> dict[str, float]:
        found: defaultdict[str, float] = defaultdict(float)
        for family in self._metrics.registry.collect():
            for sample in family.samples:
                if not sample.name.endswith(_TIMES):
                    labels = _LABELS[sample.name.removesuffix("_count")]
                    name = sample.name.removeprefix(PREFIX)
                    found[f"{name}{{{','.join(sample.labels[label] for label in labels)}}}"] += sample.value
        return found

    def _configuration(self, models: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "providers": {
                "alpha": {"kind": "compatible", "base_url": f"{self.provider.url}/v1", "api_key": "a", "models": ["*"]},
                "beta": {"kind": "compatible", "base_url": f"{self.provider.url}/v1", "api_key": "b"},
                "claude": {"kind": "anthropic", "base_url": self.provider.url, "api_key": "c"},
            },
            "models": models,
            "resilience": {"rate_limit_wait": 0},
            **more,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _no_file(name: str) -> str:
    raise FileNotFoundError(name)


def _no_relay(path: str, headers: Any) -> Any:
    raise ConnectionError
