"""What a panel of a dashboard is, whatever draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitoring.source.query import Query


class Kind(StrEnum):
    STAT = "stat"
    SERIES = "timeseries"
    HEATMAP = "heatmap"
    PIE = "piechart"
    BARS = "bargauge"
    STATES = "state-timeline"
    TABLE = "table"


class Unit(StrEnum):
    """Grafana's names."""

    NUMBER = "short"
    CALLS = "reqps"
    EVENTS = "ops"
    SECONDS = "s"
    SHARE = "percentunit"
    MONEY = "currencyUSD"
    STATE = "none"


#: Colour from this value on; the first has none.
Steps = tuple[tuple[str, float | None], ...]

GREEN: Steps = (("green", None),)
ERROR_SHARE: Steps = (("green", None), ("yellow", 0.01), ("red", 0.05))
LATENCY: Steps = (("green", None), ("yellow", 5), ("red", 10))
FIRST_TOKEN: Steps = (("green", None), ("yellow", 2.5), ("red", 5))
ACTIVE: Steps = (("green", None), ("yellow", 400), ("red", 500))
USED: Steps = (("green", None), ("yellow", 0.7), ("red", 0.9))
HIT_RATE: Steps = (("red", None), ("yellow", 0.1), ("green", 0.3))
SPEED: Steps = (("red", None), ("green", 10))

#: Text and colour by value.
States = Mapping[int, tuple[str, str]]
HEALTH: States = {0: ("Unhealthy", "red"), 1: ("Healthy", "green")}
BREAKER: States = {0: ("Closed", "green"), 1: ("Open", "red"), 2: ("Half-Open", "yellow")}

STATUS_COLOURS: Mapping[str, str] = {
    "success": "green",
    "error": "red",
    "client_error": "orange",
    "rate_limited": "yellow",
    "cancelled": "text",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """`says` is what a reader learns when the title is not enough: what is counted, and what to do about it."""

    title: str
    kind: Kind
    unit: Unit
    says: str
    queries: tuple[Query, ...]
    width: int = 12  # of 24 columns
    height: int = 8
    steps: Steps = GREEN
    lined: bool = False  # the steps are drawn as lines
    stacked: bool = False
    states: States = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)  # by legend
    nothing: str = "no data"  # what stands there where the query has no value
    to_provider: bool = False  # each series leads to its provider's details
    units: Mapping[str, Unit] = field(default_factory=dict)  # of a table's columns, by legend


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """One that Prometheus fills."""

    name: str
    label: str
    query: str
    everything: str | None = ".*"  # what "All" stands for; None: exactly one value


@dataclass(frozen=True, slots=True)
class Dashboard:
    uid: str
    title: str
    says: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        return tuple(panel for row in self.rows for panel in row.panels)
