"""A real Prometheus and a real Alertmanager, on free ports of this machine, and gone at the end."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.gunicorn import free_port, until
from tests.tools import tool

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """Values by time, of one series; Prometheus writes them as texts, and NaN is one."""

    labels: Mapping[str, str]
    values: Sequence[tuple[float, float]]


class Prometheus:
    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **query: str | float) -> Any:
        """The data of an answer; an AssertionError with Prometheus's own words where it refuses."""
        answer = requests.get(f"{self.url}/api/v1/{path}", query, timeout=20)
        assert answer.ok, f"{path} {query}: {answer.text}"
        return answer.json()["data"]

    def range(self, expr: str, start: float, end: float, step: float) -> list[Series]:
        found = self.ask("query_range", query=expr, start=start, end=end, step=step)["result"]
        return [Series(one["metric"], [(at, float(value)) for at, value in one["values"]]) for one in found]

    def series(self, match: str) -> list[Mapping[str, str]]:
        found: list[Mapping[str, str]] = self.ask("series", **{"match[]": match})
        return found

    def firing(self) -> set[tuple[str, str, str]]:
        """Name, cluster and provider of what fires now."""
        return {
            (one["labels"]["alertname"], one["labels"].get("cluster", ""), one["labels"].get("provider", ""))
            for one in self.ask("alerts")["alerts"]
            if one["state"] == "firing"
        }

    def rules(self) -> list[Json]:
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]


class Alertmanager:
    def __init__(self, url: str) -> None:
        self.url = url

    def inhibited(self) -> set[tuple[str, str, str]]:
        """Name, cluster and provider of what is held back, since something worse is told."""
        alerts = requests.get(f"{self.url}/api/v2/alerts", timeout=20).json()
        return {
            (one["labels"]["alertname"], one["labels"].get("cluster", ""), one["labels"].get("provider", ""))
            for one in alerts
            if one["status"]["inhibitedBy"]
        }


@contextlib.contextmanager
def prometheus(directory: Path, configuration: str) -> Iterator[Prometheus]:
    port = free_port()
    file = directory / "prometheus.yml"
    file.write_text(configuration.replace("PROMETHEUS_PORT", str(port)))
    command = [
        tool("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with _running(command, directory / "prometheus.log", f"http://127.0.0.1:{port}") as url:
        yield Prometheus(url)


@contextlib.contextmanager
def alertmanager(directory: Path, configuration: Path, port: int) -> Iterator[Alertmanager]:
    command = [
        tool("prometheus-alertmanager"),
        f"--config.file={configuration}",
        f"--storage.path={directory / 'alerts'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    with _running(command, directory / "alertmanager.log", f"http://127.0.0.1:{port}") as url:
        yield Alertmanager(url)


@contextlib.contextmanager
def _running(command: list[str], log: Path, url: str) -> Iterator[str]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        until(lambda: process.poll() is None and _ready(url), f"{command[0]}: {log}")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(url: str) -> bool:
    return requests.get(f"{url}/-/ready", timeout=5).ok
