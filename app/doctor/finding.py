"""What was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  # it works, but not as it might
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """`do`: what would mend it, where something is to be mended."""

    level: Level
    what: str
    said: str
    do: str = ""


def ok(what: str, said: str) -> Finding:
    return Finding(Level.OK, what, said)


def warn(what: str, said: str, do: str) -> Finding:
    return Finding(Level.WARN, what, said, do)


def bad(what: str, said: str, do: str) -> Finding:
    return Finding(Level.BAD, what, said, do)
