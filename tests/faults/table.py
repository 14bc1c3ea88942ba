"""tests/faults.yaml, read: rows, and the cells that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

MARGIN = 4.0  # seconds that a verdict may come after its time, on a machine that is busy with everything else
FILE = Path(__file__).parent.parent / "faults.yaml"


class Ending(StrEnum):
    ANSWERED = "answered"
    RESCUED = "rescued"
    ERROR = "error"
    BROKEN = "broken"  # after its first words
    MENDED = "mended"  # in another stream of the same target
    TAKEN_OVER = "taken over"  # by the other one


@dataclass(frozen=True, slots=True)
class Told:
    """How an error looks to the client."""

    status: int
    code: str
    type: str
    counts: str
    final: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What one cell must come to. `words` of a broken stream; None: as many as there was time for."""

    ending: Ending
    told: Told | None = None
    words: int | None = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """One call: a row, plain or streamed, alone or beside another target."""

    row: str
    what: str
    provider: str
    streamed: bool
    beside: bool
    asked: int
    error: str | None
    failed: int  # attempts at the provider that do
    expected: Expected
    breaker: str
    takes: float
    timeouts: Mapping[str, float]
    settings: Mapping[str, Any] = field(default_factory=dict)  # of its entry in `models`
    other: Any = "spare/words-7"  # the target beside it
    call: Mapping[str, Any] = field(default_factory=dict)  # fields of the request
    headers: Mapping[str, str] = field(default_factory=dict)  # of the request
    says: str | None = None  # the answer, where it is not the usual five words
    retry_after: int | None = None
    warm: bool = False
    pings: bool = False
    skipped: int = 0
    margin: float = MARGIN

    @property
    def name(self) -> str:
        """Of its provider, its model and its calls."""
        return f"{self.row}-{'s' if self.streamed else 'p'}{'b' if self.beside else 'a'}"

    @property
    def call_id(self) -> str:
        """Of one call; the id of its request."""
        return self.name

    @property
    def home(self) -> str:
        """The name of its provider."""
        return self.name

    @property
    def below_http(self) -> bool:
        """Whether no request ever gets there."""
        return self.provider.startswith("port: ")

    @property
    def model(self) -> str:
        """The provider's own name of it, which says what is to go wrong."""
        return f"{self.name}/{'words-5' if self.below_http else self.provider}"

    def __str__(self) -> str:
        return f"{self.row}-{'streamed' if self.streamed else 'plain'}-{'beside' if self.beside else 'alone'}"


KEYS = frozenset(
    {
        *("what", "provider", "asked", "error", "alone", "beside", "retry_after", "breaker", "takes", "margin", "only"),
        *("timeouts", "settings", "other", "call", "headers", "says", "warm", "pings", "skipped", "plain", "streamed"),
    }
)


@dataclass(frozen=True, slots=True)
class Table:
    document: Mapping[str, Any]
    cells: tuple[Cell, ...]


def load() -> Table:
    document = yaml.safe_load(FILE.read_text())
    for section in document["faults"].values():
        for name, row in section.items():
            if unknown := row.keys() - KEYS:  # a comma in a text that has no quotes makes one
                raise ValueError(f"{name}: {sorted(unknown)}")
    return Table(document, tuple(_cells(document)))


def merged(row: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """A row as it is for plain calls or streams."""
    common = {key: value for key, value in row.items() if key not in ("plain", "streamed")}
    return {**common, **row.get(mode, {})}


def modes(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (row["only"],) if "only" in row else ("plain", "streamed")


def _cells(document: Mapping[str, Any]) -> list[Cell]:
    return [
        _cell(document, name, merged(row, mode), streamed=mode == "streamed", beside=beside)
        for section in document["faults"].values()
        for name, row in section.items()
        for mode in modes(row)
        for beside in (False, True)
    ]


def _cell(document: Mapping[str, Any], name: str, row: Mapping[str, Any], *, streamed: bool, beside: bool) -> Cell:
    expected = outcome(document, row["beside" if beside else "alone"])
    asked, error = row["asked"], row.get("error")
    answered = expected.ending in (Ending.ANSWERED, Ending.MENDED)
    return Cell(
        row=name,
        what=row["what"],
        provider=row["provider"],
        streamed=streamed,
        beside=beside,
        asked=asked,
        error=error,
        failed=0 if error is None else asked - answered,
        expected=expected,
        breaker=row["breaker"],
        takes=row.get("takes", 0.0),
        timeouts={**document["timeouts"], **row.get("timeouts", {})},
        settings=row.get("settings", {}),
        other=row.get("other", "spare/words-7"),
        call=row.get("call", {}),
        headers=row.get("headers", {}),
        says=row.get("says"),
        retry_after=row.get("retry_after"),
        warm=row.get("warm", False),
        pings=row.get("pings", False),
        skipped=row.get("skipped", 0),
        margin=row.get("margin", MARGIN),
    )


def outcome(document: Mapping[str, Any], text: str) -> Expected:
    if text in (Ending.ANSWERED, Ending.RESCUED, Ending.MENDED, Ending.TAKEN_OVER):
        return Expected(Ending(text))
    error, *more = text.split()
    if more and more[0] == "after":
        words = None if more[1] == "many" else int(more[1])
        return Expected(Ending.BROKEN, told(document, error, 200), words)
    status = int(more[0]) if more else None
    return Expected(Ending.ERROR, told(document, error, status, more[1] if len(more) > 1 else None))


def told(document: Mapping[str, Any], error: str, status: int | None = None, code: str | None = None) -> Told:
    found = document["errors"][error]
    number = status or found["status"]
    return Told(
        status=number,
        code=code or found.get("code", error),
        type=document["types"].get(number, "api_error"),
        counts=found["counts"],
        final=found.get("final", False),
    )
