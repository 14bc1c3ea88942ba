"""Grafana's JSON of a dashboard, as far as it says what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core import json

#: Colour from this value on; the first has none.
Steps = Sequence[tuple[str, float | None]]


@dataclass(frozen=True, slots=True)
class Target:
    expr: str
    legend: str
    instant: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """`states`: text and colour by value; `colours` and `units`: by legend; `width`: of 24 columns."""

    title: str
    says: str
    kind: str
    unit: str
    width: int
    height: int
    left: int
    targets: Sequence[Target]
    steps: Steps
    states: Mapping[float, tuple[str, str]]
    colours: Mapping[str, str]
    units: Mapping[str, str]
    nothing: str
    lined: bool
    stacked: bool


@dataclass(frozen=True, slots=True)
class Row:
    """`lines`: panels that stand beside each other, from top to bottom."""

    title: str
    lines: Sequence[Sequence[Panel]]


@dataclass(frozen=True, slots=True)
class Variable:
    """One that a label's values fill; `everything`: what stands for all of them, None where one must be chosen."""

    name: str
    match: str
    label: str
    everything: str | None


@dataclass(frozen=True, slots=True)
class Dashboard:
    title: str
    says: str
    variables: Sequence[Variable]
    rows: Sequence[Row]


class NoDashboard(Exception):
    """The file is not one; says why."""


def read(path: Path) -> Dashboard:
    try:
        found = json.loads(path.read_bytes())
        return Dashboard(
            found["title"], found.get("description", ""), list(_variables(found)), list(_rows(found["panels"]))
        )
    except (OSError, json.NotJson, KeyError, TypeError, ValueError) as error:
        raise NoDashboard(f"{path} is not a dashboard that can be read: {error!r}") from error


def _variables(found: Mapping[str, Any]) -> Iterator[Variable]:
    for one in found["templating"]["list"]:
        query = re.fullmatch(r"label_values\((.*), (\w+)\)", str(one.get("query")))
        if one["type"] == "query" and query is not None:
            everything = one.get("allValue") or ".*" if one.get("includeAll") else None
            yield Variable(one["name"], query[1], query[2], everything)


def _rows(panels: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    title, inside = "", list[Mapping[str, Any]]()
    for panel in panels:
        if panel["type"] != "row":
            inside.append(panel)
            continue
        if inside:
            yield Row(title, _lines(inside))
        title, inside = panel["title"], list(panel.get("panels") or [])
    if inside:
        yield Row(title, _lines(inside))


def _lines(panels: Sequence[Mapping[str, Any]]) -> list[list[Panel]]:
    lines: dict[int, list[Panel]] = {}
    for panel in panels:
        lines.setdefault(panel["gridPos"]["y"], []).append(_panel(panel))
    return [lines[top] for top in sorted(lines)]


def _panel(panel: Mapping[str, Any]) -> Panel:
    defaults = panel["fieldConfig"]["defaults"]
    custom = defaults.get("custom", {})
    overrides = list(_overrides(panel))
    place = panel["gridPos"]
    return Panel(
        title=panel["title"],
        says=panel.get("description", ""),
        kind=panel["type"],
        unit=defaults.get("unit", "short"),
        width=place["w"],
        height=place["h"],
        left=place["x"],
        targets=[
            Target(one["expr"], one.get("legendFormat", ""), bool(one.get("instant"))) for one in panel["targets"]
        ],
        steps=[(one["color"], one["value"]) for one in defaults.get("thresholds", {}).get("steps", [])],
        states={
            float(value): (said["text"], said.get("color", "text"))
            for mapping in defaults.get("mappings", [])
            for value, said in mapping["options"].items()
        },
        colours={legend: value["fixedColor"] for legend, what, value in overrides if what == "color"},
        units={legend: value for legend, what, value in overrides if what == "unit"},
        nothing=defaults.get("noValue", "no data"),
        lined=custom.get("thresholdsStyle", {}).get("mode") == "line",
        stacked=custom.get("stacking", {}).get("mode") == "normal",
    )


def _overrides(panel: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for one in panel["fieldConfig"].get("overrides", []):
        for what in one["properties"]:
            yield one["matcher"]["options"], what["id"], what["value"]
