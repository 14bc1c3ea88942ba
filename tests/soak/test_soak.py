"""The long programs, for seconds."""

from __future__ import annotations

import pytest

from tests.gunicorn import CLASSES
from tests.soak import aborts, blackout, brownout, early, outage, replicas, retries, slow
from tests.soak.report import Report
from tests.tools import tool


def held(report: Report) -> None:
    assert report.complaints == [], str(report)


def test_streams_that_fail_before_their_first_word_are_rescued() -> None:
    held(early.run(140))


def test_a_provider_that_fails_at_random_is_not_noticed_and_not_asked_much_more() -> None:
    held(brownout.run(6, 40))


def test_a_dead_provider_is_left_in_peace() -> None:
    held(blackout.run(8, 30, pace=0.1))


def test_calls_are_refused_while_all_are_dead_and_served_when_they_are_back() -> None:
    held(outage.run(6, 30))


def test_an_sdk_that_retries_multiplies_nothing() -> None:
    held(retries.run(6))


def test_a_replica_that_is_killed_takes_along_what_it_was_doing_and_no_more() -> None:
    held(replicas.killed(replicas.Load(rate=30, streams=6, ahead=0.5, limit=1, after=0.5)))


def test_a_replica_that_is_stopped_is_left_alone_until_it_goes_on() -> None:
    held(replicas.stopped(replicas.Load(rate=30, streams=6, ahead=0.5, limit=2, after=0.5), WATCH_EVERY="0.2"))


def test_clients_that_are_slow_cost_the_others_no_call() -> None:
    tool("slowhttptest")
    report = slow.run(2, 200, 20, kinds=("bodies",), directly=False)
    assert [one for one in report.complaints if "failed" in one] == [], str(report)


@pytest.mark.parametrize("worker_class", CLASSES)
def test_clients_that_leave_leave_nothing_behind(worker_class: str) -> None:
    held(aborts.run(300, worker_class))
