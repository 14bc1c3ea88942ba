"""Repeats are bounded, however much fails."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import SystemClock
from app.resilience.budget import RetryBudget
from tests.clock import ManualClock


def spent(budget: RetryBudget, tries: int, provider: str = "openai") -> int:
    return sum(budget.spend(provider) for _ in range(tries))


def test_a_quiet_gateway_may_repeat_at_once() -> None:
    assert spent(RetryBudget(ManualClock()), 100) == 10


def test_five_first_attempts_earn_one_repeat() -> None:
    budget = RetryBudget(ManualClock())
    spent(budget, 10)

    for _ in range(50):
        budget.first("openai")

    assert spent(budget, 100) == pytest.approx(10, abs=1)


def test_waiting_earns_one_repeat_in_ten_seconds_and_never_more_than_the_stock() -> None:
    clock = ManualClock()
    budget = RetryBudget(clock)
    spent(budget, 10)

    clock.now += 30.01
    assert spent(budget, 100) == 3
    clock.now += 3600
    assert spent(budget, 100) == 10


def test_providers_have_a_budget_each() -> None:
    budget = RetryBudget(ManualClock())
    spent(budget, 10)

    assert not budget.spend("openai")
    assert budget.spend("azure")


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.floats(0, 20)), max_size=50))
def test_attempts_never_exceed_six_fifths_of_the_first_ones_but_for_the_stock_and_the_floor(
    turns: list[tuple[int, int, float]],
) -> None:
    clock = ManualClock()
    budget = RetryBudget(clock)
    began, firsts, repeats = clock.now, 0, 0

    for first, tries, seconds in turns:
        for _ in range(first):
            budget.first("openai")
        firsts += first
        repeats += spent(budget, tries)
        clock.now += seconds

        assert repeats <= 0.2 * firsts + 10 + 0.1 * (clock.now - began) + 1e-6


def test_threads_share_one_budget() -> None:
    class StillClock(SystemClock):
        def monotonic(self) -> float:
            return 0.0

    budget = RetryBudget(StillClock())
    taken: list[int] = []
    threads = [threading.Thread(target=lambda: taken.append(spent(budget, 1000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(taken) == 10
