"""Cases that hypothesis thinks of: by target, as many as are wanted, each shrunk to the least that goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.case import Case
from tests.fuzz.draw import Draw
from tests.fuzz.targets import Targets

#: Of a hundred cases.
SHARES = {"ask": 40, "answer": 40, "config": 8, "sse": 5, "frames": 4, "log": 3}


class Failed(AssertionError):
    def __init__(self, case: Case, why: BaseException) -> None:
        super().__init__(f"{type(why).__name__}: {why}\n\n{bytes(case).decode('utf-8', 'backslashreplace')}")
        self.case = case


def play(targets: Targets, target: str, cases: int, begin: int, told: Callable[[Case], None]) -> None:
    """Raises Failed with the least case that goes wrong. `told` hears of each one before it is tried."""
    draw = Draw(targets)

    @seed(begin)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(st.randoms(use_true_random=False))
    def once(chance: Random) -> None:
        case = draw.by_target[target](chance)
        told(case)
        try:
            targets.play(case)
        except Exception as error:
            raise Failed(case, error) from error

    once()
