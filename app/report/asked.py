"""A panel with what Prometheus answers to its queries, or with the reason why there is nothing to show."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.report.dashboard import Dashboard, Panel, Target, Variable
from app.report.prometheus import Prometheus, Series, Unanswered

_POINTS = 240  # across a panel


@dataclass(frozen=True, slots=True)
class Span:
    """Unix seconds; `scrape`: how often Prometheus scrapes, in seconds."""

    start: float
    end: float
    scrape: float

    @property
    def step(self) -> float:
        return max(self.scrape, (self.end - self.start) / _POINTS)

    @property
    def window(self) -> float:
        """$__rate_interval: four scrapes, or what lies between two points and one scrape more."""
        return max(4 * self.scrape, self.step + self.scrape)


@dataclass(frozen=True, slots=True)
class Curve:
    """A series under the name that its legend gives it; `query`: which of the panel's targets it answers."""

    name: str
    query: int
    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]

    @property
    def known(self) -> list[float]:
        return [value for _, value in self.points if not math.isnan(value)]

    @property
    def last(self) -> float:
        return self.known[-1]


@dataclass(frozen=True, slots=True)
class Answered:
    """`curves` without those that have no value; `why` they are none."""

    panel: Panel
    curves: Sequence[Curve]
    why: str = ""


def ask(panel: Panel, prometheus: Prometheus, span: Span, variables: Mapping[str, str]) -> Answered:
    curves: list[Curve] = []
    seen = False
    try:
        for number, target in enumerate(panel.targets):
            found = _asked(target, prometheus, span, variables)
            seen = seen or bool(found)
            named = [Curve(_legend(target, one), number, one.labels, one.points) for one in found]
            curves += [curve for curve in named if curve.known]
        why = "" if curves else _why(panel, prometheus, span, seen=seen)
    except Unanswered as error:
        return Answered(panel, (), str(error))
    return Answered(panel, sorted(curves, key=lambda curve: (curve.query, _natural(curve.name))), why)


def choices(
    dashboard: Dashboard, prometheus: Prometheus, span: Span, given: Mapping[str, str]
) -> list[Mapping[str, str]]:
    """The values of the variables: once, or once for each value of the one that must have exactly one."""
    chosen: dict[str, str] = {}
    alone: Variable | None = None
    for variable in dashboard.variables:
        if variable.name in given:
            chosen[variable.name] = given[variable.name]
        elif variable.everything is not None:
            chosen[variable.name] = variable.everything
        else:
            alone = variable
    if alone is None:
        return [chosen]
    match = _filled(alone.match, chosen)
    return [{**chosen, alone.name: value} for value in prometheus.values(alone.label, match, span.start, span.end)]


def _asked(target: Target, prometheus: Prometheus, span: Span, variables: Mapping[str, str]) -> list[Series]:
    windows = {"__rate_interval": f"{span.window:.0f}s", "__range": f"{span.end - span.start:.0f}s"}
    expr = _filled(target.expr, {**windows, **variables})
    if target.instant:
        return prometheus.instant(expr, span.end)
    return prometheus.range(expr, span.start, span.end, span.step)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """A variable that nobody chose stands for everything."""
    return re.sub(r"\$(\w+)|\$\{(\w+)\}", lambda found: values.get(found[1] or found[2], ".*"), text)


def _legend(target: Target, series: Series) -> str:
    named = re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: series.labels.get(found[1], ""), target.legend)
    return named.strip() or ", ".join(f"{name}={value}" for name, value in series.labels.items()) or "value"


def _why(panel: Panel, prometheus: Prometheus, span: Span, *, seen: bool) -> str:
    """No value: the metric is not there, nothing fits the choice, or there was nothing to divide by."""
    if seen:
        return f"{panel.nothing}: nothing was counted that could be divided or averaged"
    names = re.findall(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{", " ".join(target.expr for target in panel.targets))
    absent = [name for name in dict.fromkeys(names) if not prometheus.instant(f"count({name})", span.end)]
    if absent:
        return f"{panel.nothing}: this Prometheus has no {', '.join(absent)}"
    return f"{panel.nothing}: no series fits, or none is above 0"


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
