"""The table of faults, cell by cell, through gunicorn and OpenAI's SDK."""

from __future__ import annotations

import pytest

from tests.faults.house import house
from tests.faults.run import Result, run
from tests.faults.table import Cell, load
from tests.gunicorn import CLASSES

CELLS = load().cells
HOUSES = [(kind, mode) for kind in CLASSES for mode in ("plain", "streamed")]


def cells_of(mode: str) -> list[Cell]:
    return [cell for cell in CELLS if cell.streamed == (mode == "streamed")]


class Results:
    """What all cells came to, by worker class and mode; each house is opened once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Result | Exception] = {}

    def of(self, kind: str, mode: str) -> Result:
        if (kind, mode) not in self._found:
            try:
                with house(cells_of(mode), kind) as found:
                    self._found[kind, mode] = run(found, cells_of(mode))
            except Exception as error:  # is as good for all cells
                self._found[kind, mode] = error
        result = self._found[kind, mode]
        if isinstance(result, Exception):
            raise result
        return result


@pytest.fixture(scope="module")
def results() -> Results:
    return Results()


@pytest.mark.parametrize(
    ("kind", "mode", "cell"),
    [pytest.param(kind, mode, cell, id=f"{kind}-{cell}") for kind, mode in HOUSES for cell in cells_of(mode)],
)
def test_a_fault_ends_as_the_table_says(results: Results, kind: str, mode: str, cell: Cell) -> None:
    assert results.of(kind, mode).complaints[str(cell)] == []


@pytest.mark.parametrize(("kind", "mode"), HOUSES)
def test_nothing_is_left_in_the_worker(results: Results, kind: str, mode: str) -> None:
    assert results.of(kind, mode).left == {}
