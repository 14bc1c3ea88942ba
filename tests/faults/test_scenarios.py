"""The scenarios in a tenth of their time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.faults.scenarios import Line, play

PACE = 0.1
SLACK = 15.0  # seconds: what is not found in its time is found after the usual ones, 30 and 120


@pytest.fixture(scope="module")
def lines() -> Sequence[Line]:
    return play(PACE, SLACK)


@pytest.mark.parametrize("number", range(16))
def test_a_scenario_ends_as_it_should(lines: Sequence[Line], number: int) -> None:
    assert list(lines[number].complaints) == [], str(lines[number])
