"""`${NAME}` and `${NAME:-default}` in the values of a parsed file; `$$` is a dollar sign.

Expansion happens after parsing, so that nothing in the environment can change the structure of the file, and once, so
that what a variable holds is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.config.problems import Path, Report

_DOLLAR = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?")


class Expanded(str):
    """Text that a variable had part in: where the file's author could write a number bare, he had to quote this."""

    __slots__ = ()


def expand(tree: object, environ: Mapping[str, str], report: Report, at: Path = ()) -> object:
    """A copy of the tree with every text value expanded; a variable that is not set is a problem at its path."""
    if isinstance(tree, dict):
        return {key: expand(value, environ, report, (*at, key)) for key, value in tree.items()}
    if isinstance(tree, list):
        return [expand(value, environ, report, (*at, i)) for i, value in enumerate(tree)]
    if isinstance(tree, str) and "$" in tree:
        return _expanded(tree, environ, report, at)
    return tree


def _expanded(text: str, environ: Mapping[str, str], report: Report, at: Path) -> str:
    problems: list[str] = []

    def value_of(found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        name, default = found["name"], found["default"]
        if name is None:
            problems.append("expected ${NAME}, ${NAME:-default}, or $$ for a dollar sign")
            return ""
        value = environ.get(name)
        if default is not None:  # as in a shell, the default also stands in for an empty variable
            return value or default
        if value is None:
            problems.append(f"environment variable {name} is not set, and there is no default (${{{name}:-default}})")
            return ""
        return value

    result = _DOLLAR.sub(value_of, text)
    if problems:
        report.add(at, "; ".join(dict.fromkeys(problems)))
    return Expanded(result)
