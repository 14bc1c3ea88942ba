"""The table of faults, cell by cell, through gunicorn and OpenAI's SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.house import house
from tests.faults.run import Result, run
from tests.faults.table import Cell, load
from tests.gunicorn import CLASSES

CELLS = load().cells


@pytest.fixture(scope="module", params=CLASSES)
def result(request: pytest.FixtureRequest) -> Iterator[Result]:
    with house(CELLS, request.param) as found:
        yield run(found, CELLS)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_fault_ends_as_the_table_says(result: Result, cell: Cell) -> None:
    assert result.complaints[str(cell)] == []


def test_nothing_is_left_in_the_worker(result: Result) -> None:
    assert result.left == {}
