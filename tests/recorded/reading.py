"""What an answer says, in words that belong to no provider: two answers that say the same read the same."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model calls. `arguments` are parsed; of a custom tool, its text."""

    id: str | None
    name: str
    arguments: Any
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of possibly several. `finish` is in OpenAI's words."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tools: tuple[Tool, ...] = ()
    function: Tool | None = None  # the form that came before tools
    finish: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """`input` holds the cached and the written ones, `output` the reasoning ones."""

    input: int
    output: int
    cached: int = 0
    written: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    choices: tuple[Choice, ...]
    tokens: Tokens | None  # None where the provider said nothing


def differences(expected: Reading, found: Reading) -> list[str]:
    """What `found` says otherwise than `expected`, a line each."""
    told = _told("tokens", expected.tokens, found.tokens)
    if len(expected.choices) != len(found.choices):
        told.append(f"choices: expected {len(expected.choices)}, found {len(found.choices)}")
    for at, (one, other) in enumerate(zip(expected.choices, found.choices, strict=False)):
        for each in fields(Choice):
            told += _told(f"choices[{at}].{each.name}", getattr(one, each.name), getattr(other, each.name))
    return told


def _told(what: str, expected: object, found: object) -> list[str]:
    return [] if expected == found else [f"{what}: expected {short(expected)}, found {short(found)}"]


def short(value: object, most: int = 300) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"
