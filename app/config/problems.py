"""What is wrong with a configuration: where, and what was expected. Never a value, since any value may be a secret."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: Keys and list positions from the top of the file.
Path = tuple[str | int, ...]

_LONGEST_NAME = 80  # of a key in a message; a longer one is cut


@dataclass(frozen=True, slots=True)
class Problem:
    at: Path
    message: str
    line: int | None = None  # counted from 1; None where the problem has no place in the text

    @property
    def path(self) -> str:
        return dotted(self.at)

    def __str__(self) -> str:
        place = f" (line {self.line})" if self.line else ""
        return f"{self.path}{place}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` has all that is wrong with it, in the order of the file."""

    def __init__(self, problems: Iterable[Problem], origin: str | None = None) -> None:
        self.problems = tuple(problems)
        self.origin = origin
        super().__init__(self.problems, origin)

    def __str__(self) -> str:
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        return "\n  ".join([f"{count} in {self.origin or 'the configuration'}:", *map(str, self.problems)])


class Report:
    """Collects problems while the stages go on as far as they can."""

    def __init__(self) -> None:
        self._found: dict[Path, Problem] = {}

    def add(self, at: Path, message: str, line: int | None = None) -> None:
        """Keep the first problem of a path: what later stages say about the same place follows from it."""
        self._found.setdefault(at, Problem(at, message, line))

    def __bool__(self) -> bool:
        return bool(self._found)

    def error(self, lines: Mapping[Path, int], origin: str | None = None) -> ConfigError:
        """All of it, in the order of the file."""
        placed = [Problem(p.at, p.message, p.line or _line(p.at, lines)) for p in self._found.values()]
        return ConfigError(sorted(placed, key=lambda p: (p.line or 0, p.path)), origin)


def dotted(at: Path) -> str:
    """`models.fast.targets[0]`; a key that would be misread in it stands in quotes."""
    text = ""
    for part in at:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{_key(part)}" if text else _key(part)
    return text or "the file"


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'base_url'?`, or what there is, or nothing."""
    names = sorted(set(known))
    if close := difflib.get_close_matches(name[:_LONGEST_NAME], names, n=1):
        return f"; did you mean {close[0]!r}?"
    if not names:
        return ""
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"; known here: {shown}"


def _key(name: str) -> str:
    short = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "..."
    plain = name.isprintable() and name and not any(c in " .[]\"':" for c in name)
    return short if plain else '"' + short.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'


def _line(at: Path, lines: Mapping[Path, int]) -> int | None:
    """The line of the path, or of the nearest thing around it."""
    for length in range(len(at), 0, -1):
        if at[:length] in lines:
            return lines[at[:length]]
    return None
