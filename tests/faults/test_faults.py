"""The table of faults, cell by cell, through gunicorn and OpenAI's SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.house import house
from tests.faults.run import Result, run
from tests.faults.table import Cell, load
from tests.gunicorn import CLASSES

CELLS = load().cells
HOUSES = [(kind, mode) for kind in CLASSES for mode in ("plain", "streamed")]


def cells_of(mode: str) -> list[Cell]:
    return [cell for cell in CELLS if cell.streamed == (mode == "streamed")]


@pytest.fixture(scope="module")
def result(request: pytest.FixtureRequest) -> Iterator[Result]:
    kind, mode = request.param
    with house(cells_of(mode), kind) as found:
        yield run(found, cells_of(mode))


@pytest.mark.parametrize(
    ("result", "cell"),
    [pytest.param(one, cell, id=f"{one[0]}-{cell}") for one in HOUSES for cell in cells_of(one[1])],
    indirect=["result"],
)
def test_a_fault_ends_as_the_table_says(result: Result, cell: Cell) -> None:
    assert result.complaints[str(cell)] == []


@pytest.mark.parametrize("result", HOUSES, ids="-".join, indirect=True)
def test_nothing_is_left_in_the_worker(result: Result) -> None:
    assert result.left == {}
