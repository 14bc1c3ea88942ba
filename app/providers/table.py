"""The README's table of providers, made of the same rows that the gateway runs on.

`python -m app.providers.table` puts it into README.md; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.core.wire import Operation
from app.providers.registry import rows
from app.providers.row import Feature, Row

BEGIN, END = "<!-- providers:begin -->\n", "<!-- providers:end -->"

_OPERATIONS = (Operation.CHAT, Operation.COMPLETIONS, Operation.EMBEDDINGS, Operation.MODERATIONS)


def markdown() -> str:
    """The table, sorted by kind, and the notes below it."""
    return "\n".join(_lines()) + "\n"


def inserted(readme: str) -> str:
    """A README with the table between its two marks."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{markdown()}{END}{after}"


def _lines() -> Iterator[str]:
    known = rows().values()
    columns = ["chat", *Feature, *_OPERATIONS[1:]]
    yield f"| Provider | `kind` | {' | '.join(columns)} |"
    yield "|---|---|" + ":-:|" * len(columns)
    for row in known:
        marks = " | ".join("✓" if has else "" for has in _has(row))
        yield f"| {_name(row)} | `{row.kind}` | {marks} |".replace("|  |", "| |").replace("|  |", "| |")
    yield ""
    for row in known:
        if row.note:
            yield f"- `{row.kind}`: {row.note}."


def _has(row: Row) -> Iterator[bool]:
    yield Operation.CHAT in row.dialect.native
    for feature in Feature:
        yield feature in row.features
    for operation in _OPERATIONS[1:]:
        yield operation in row.dialect.native


def _name(row: Row) -> str:
    return f"[{row.title}]({row.docs})" if row.docs else row.title


if __name__ == "__main__":
    path = Path("README.md")
    path.write_text(inserted(path.read_text()))
