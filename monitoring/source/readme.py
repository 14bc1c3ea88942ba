"""The part of README.md that is a table of all metrics."""

from __future__ import annotations

from app.metrics.reference import tables

BEGIN, END = "<!-- metrics:begin -->\n", "<!-- metrics:end -->"


def inserted(readme: str) -> str:
    """The text with the table of the code in its place."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{tables()}\n{END}{after}"
