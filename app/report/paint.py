"""Colours: Grafana's names as values, and a row of them for what has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.report.dashboard import Panel, Steps

NAMED: Mapping[str, str] = {
    "green": "#2b8a3e",
    "yellow": "#d9a400",
    "orange": "#e8590c",
    "red": "#c92a2a",
    "dark-red": "#7d1a1a",
    "blue": "#1c7ed6",
    "text": "#868e96",
}
ROW: Sequence[str] = (
    *("#1c7ed6", "#e8590c", "#2b8a3e", "#9c36b5", "#d9a400", "#0c8599", "#c2255c", "#5c940d"),
    *("#4263eb", "#a61e4d", "#087f5b", "#862e9c", "#f08c00", "#495057", "#1098ad", "#d6336c"),
)


def colour(name: str) -> str:
    return NAMED.get(name, name if name.startswith("#") else NAMED["text"])


def of_step(steps: Steps, value: float) -> str:
    """The colour of the highest step that the value has reached."""
    reached = [name for name, step in steps if step is None or value >= step]
    return colour(reached[-1]) if reached else NAMED["text"]


def of_names(panel: Panel, names: Sequence[str]) -> list[str]:
    """One each: its own where the panel gives it one."""
    return [
        colour(panel.colours[name]) if name in panel.colours else ROW[number % len(ROW)]
        for number, name in enumerate(names)
    ]
