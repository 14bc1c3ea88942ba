"""The tables of providers in README.md and docs/providers.md, made of the same rows that the gateway runs on.

`python -m app.providers.table` puts them there; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from app.core.provider import NOWHERE
from app.core.wire import Operation
from app.providers.registry import rows
from app.providers.row import Feature, Row

BEGIN, END = "<!-- providers:begin -->\n", "<!-- providers:end -->"

_OPERATIONS = (Operation.CHAT, Operation.COMPLETIONS, Operation.EMBEDDINGS, Operation.MODERATIONS, Operation.RERANK)


def markdown() -> str:
    """The table, sorted by kind, and the notes below it."""
    return "\n".join(_lines()) + "\n"


def details() -> str:
    """Where each kind is, where its key goes, and what its dialect can be asked for."""
    lines = ["| `kind` | Provider | `base_url` | the key is in | operations |", "|---|---|---|---|---|"]
    for row in rows().values():
        place = row.base_url_at(NOWHERE) if row.base_url_at else row.base_url
        url = f"`{place}`" if place else "needed"
        key = f"`{row.key_header}: {row.key_scheme} KEY`".replace(":  ", ": ") if row.kind != "simulated" else ""
        native = ", ".join(operation for operation in Operation if operation in row.dialect.native)
        lines.append(f"| `{row.kind}` | {_name(row)} | {url} | {key} | {native} |")
    return "\n".join(lines) + "\n"


#: File -> the table that belongs into it.
TABLES: Mapping[str, Callable[[], str]] = {"README.md": markdown, "docs/providers.md": details}


def inserted(text: str, table: str) -> str:
    """The text with the table between its two marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table}{END}{after}"


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
    for name, table in TABLES.items():
        path = Path(name)
        path.write_text(inserted(path.read_text(), table()))
