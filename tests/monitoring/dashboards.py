"""The dashboards as Grafana reads them: from their files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.source.files import DASHBOARDS, MONITORING

Json = dict[str, Any]

#: What stands in for the drop-downs and Grafana's own windows, where a query is asked without Grafana.
EVERYTHING: Mapping[str, str] = {"cluster": ".*", "job": ".+", "instance": ".+", "model": ".*", "tenant": ".*"}


@dataclass(frozen=True, slots=True)
class Target:
    """One query of one panel."""

    dashboard: str
    panel: str
    kind: str
    legend: str
    expr: str

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel}: {self.legend}"


def read(name: str) -> Json:
    found: Json = json.loads((MONITORING / name).read_text())
    return found


def panels(dashboard: Json) -> Iterator[Json]:
    """With those of collapsed rows, without the rows."""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def targets() -> list[Target]:
    return [
        Target(dashboard["title"], panel["title"], panel["type"], target["legendFormat"], target["expr"])
        for dashboard in map(read, DASHBOARDS)
        for panel in panels(dashboard)
        for target in panel["targets"]
    ]


def filled(expr: str, *, window: str, span: str, provider: str) -> str:
    """With a provider chosen where one must be, and everything else left open."""
    for name, value in {"__rate_interval": window, "__range": span}.items():
        expr = expr.replace("$" + name, value)
    expr = expr.replace('="$provider"', f'="{provider}"').replace('=~"$provider"', '=~".*"')
    for name, value in EVERYTHING.items():
        expr = expr.replace("$" + name, value)
    assert "$" not in expr, expr
    return expr


def selectors(expr: str) -> list[tuple[str, list[str]]]:
    """The metrics that an expression names, each with the labels that it is matched by."""
    return [
        (name, re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside))
        for name, inside in re.findall(r"([a-zA-Z_:]+)\{([^}]*)\}", expr)
    ]
