"""From dashboards in files to the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.report import dashboard
from app.report.asked import Span, ask, choices
from app.report.page import Section, page
from app.report.prometheus import Prometheus


def write(files: Sequence[Path], prometheus: Prometheus, span: Span, given: Mapping[str, str], source: str) -> str:
    """`given`: values of the dashboards' variables; `source`: what to call this Prometheus."""
    sections: list[Section] = []
    for board in [dashboard.read(file) for file in files]:
        chosen = choices(board, prometheus, span, given)
        for variables in chosen:
            rows = [
                (row.title, [[ask(panel, prometheus, span, variables) for panel in line] for line in row.lines])
                for row in board.rows
            ]
            alone = [variables[one.name] for one in board.variables if one.everything is None]
            sections.append((": ".join([board.title, *alone]), board.says, rows))
    return page(sections, span, source)
