"""Clocks that jump: whatever lasts is measured by one that does not."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

#: Who asks what time of day it is, and why.
WALL: dict[str, str] = {
    "app/core/clock.py": "the one door for limits, whose seconds all replicas share",
    "app/instance/member.py": "since when a configuration is bad, to be shown",
    "app/housekeeper/watch.py": "the same",
    "app/housekeeper/keeper.py": "since when it runs, to be shown",
    "app/top/screen.py": "how long that is, on a screen",
    "app/cli/report.py": "the end of a report's range",
}


def asks_the_wall(path: Path) -> bool:
    tree = ast.parse(path.read_text())
    named = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
        if alias.name == "time"
    }
    return any(
        isinstance(node, ast.Call) and (ast.unparse(node.func) in {"time.time", "time.time_ns"} | named)
        for node in ast.walk(tree)
    )


def test_nobody_measures_by_the_time_of_day() -> None:
    found = {str(path.relative_to(ROOT)) for path in (ROOT / "app").rglob("*.py") if asks_the_wall(path)}
    assert found == set(WALL)
