"""What a machine makes calls late by, told from what they take themselves."""

from __future__ import annotations

import os
import time

import pytest

from tests.soak.processors import Lateness, watched

LINE = [(10.0, 1.0), (10.1, 1.0), (10.2, 1.08), (10.3, 1.08), (10.4, 1.2)]


@pytest.mark.parametrize(
    ("began", "ended", "late"),
    [
        (10.05, 10.25, 0.08),
        (10.0, 10.1, 0.0),
        (10.05, 10.35, 0.2),
        (10.16, 10.18, 0.02),  # never more than it took
        (9.9, 10.2, 0.0),  # before anybody looked
        (10.35, 10.5, 0.0),  # after that
    ],
)
def test_a_call_is_late_by_what_its_worker_stood_in_line_meanwhile(began: float, ended: float, late: float) -> None:
    lateness = Lateness({7: LINE})
    assert lateness.of(7, began, ended) == pytest.approx(late)
    assert lateness.of(8, began, ended) == 0.0


def test_a_call_is_late_by_the_time_in_which_nobody_could_take_its_answer() -> None:
    lateness = Lateness({7: LINE}, stalls=[(10.1, 0.05), (10.3, 0.08), (10.6, 0.2)])
    assert lateness.of(8, 10.0, 10.3) == pytest.approx(0.13)
    assert lateness.of(8, 10.25, 10.3) == pytest.approx(0.05), "the part of it that is within"
    assert lateness.of(7, 10.0, 10.3) == pytest.approx(0.21)


def test_the_kernel_tells_of_living_processes() -> None:
    with watched([os.getpid(), 2**22 + 1]) as found:
        time.sleep(0.3)
    assert found.lines[os.getpid()]
    assert found.lines[2**22 + 1] == []
