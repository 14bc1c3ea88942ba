"""Two instances over one memcached, on both worker classes; `python -m tests.cache` shows the same at its full size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cache import shown
from tests.cache.instances import House, house
from tests.gunicorn import CLASSES
from tests.soak.report import Report


@pytest.fixture(scope="module", params=CLASSES)
def killed(request: pytest.FixtureRequest) -> Iterator[tuple[House, Report]]:
    """Both, after their first call has cost a worker its life."""
    with house(request.param) as found:
        yield found, shown.winner_is_killed(found, 40)


def held(report: Report) -> None:
    assert report.complaints == [], str(report)


def test_when_the_worker_that_asks_is_killed_one_other_asks(killed: tuple[House, Report]) -> None:
    held(killed[1])


def test_of_identical_calls_over_all_workers_one_asks(killed: tuple[House, Report]) -> None:
    held(shown.identical(killed[0], 60))


def test_tenants_share_nothing(killed: tuple[House, Report]) -> None:
    held(shown.tenants(killed[0], 6))


def test_nothing_that_a_hostile_writer_made_is_given_out(killed: tuple[House, Report]) -> None:
    held(shown.hostile(killed[0], 3))


def test_no_key_and_no_prompt_is_shown_anywhere(killed: tuple[House, Report]) -> None:
    held(shown.canaries(killed[0]))
