"""What a Prometheus knows, by its HTTP interface."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core import json

_PATIENCE = 30.0  # seconds that an answer may take


class Unanswered(Exception):
    """Prometheus is not there, or does not like the question; says which."""


@dataclass(frozen=True, slots=True)
class Series:
    """`points`: Unix seconds and values, in the order of time; a value may be NaN."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


class Prometheus:
    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def range(self, expr: str, start: float, end: float, step: float) -> list[Series]:
        found = self._ask("query_range", query=expr, start=start, end=end, step=step)["result"]
        return [Series(one["metric"], [(float(at), float(value)) for at, value in one["values"]]) for one in found]

    def instant(self, expr: str, at: float) -> list[Series]:
        """Each with one point."""
        found = self._ask("query", query=expr, time=at)["result"]
        return [Series(one["metric"], [(float(one["value"][0]), float(one["value"][1]))]) for one in found]

    def values(self, label: str, match: str, start: float, end: float) -> list[str]:
        """What the label has been, in series that match."""
        found: list[str] = self._ask(f"label/{label}/values", start=start, end=end, **{"match[]": match})
        return found

    def _ask(self, path: str, **query: str | float) -> Any:
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        if not url.startswith(("http://", "https://")):
            raise Unanswered(f"{self._url!r} is no URL of a Prometheus: expected http:// or https://")
        try:
            with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310 - looked at above
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            raise Unanswered(_reason(error)) from error
        except (OSError, json.NotJson, KeyError, TypeError) as error:
            raise Unanswered(f"{self._url} gives no answer of a Prometheus: {error}") from error


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (json.NotJson, KeyError, TypeError):
        return f"HTTP {error.code}"
