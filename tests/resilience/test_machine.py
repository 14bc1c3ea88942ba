"""Whatever calls do, in whatever order, three workers agree with a reference that remembers everything."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from app.core.errors import ErrorType
from app.resilience.breaker import Admission, Reason, Refusal
from app.resilience.standing import snapshot
from app.resilience.state import Breaking
from tests.clock import ManualClock
from tests.resilience.given import KEY, PROVIDER, Worker, error

POLICY = Breaking(window=10.0, min_calls=6, failure_ratio=0.5, consecutive=3, open=4.0, open_max=10.0, successes=2)
TENTH = POLICY.window / 10


@dataclass
class Reference:
    """Every verdict since the last opening or closing, and what follows from them."""

    opened: bool = False
    era: int = 0
    verdicts: list[tuple[float, bool]] = field(default_factory=list)  # time, good
    wait: float = 0.0
    until: float = 0.0
    probes: list[tuple[int, float]] = field(default_factory=list)  # number, lease; the last one is who keeps others out
    asked: int = 0
    cooling: float = 0.0
    quarantined: float = 0.0

    def refusal(self, now: float, waited: bool) -> Reason | None:
        if now < self.quarantined:
            return Reason.QUARANTINED
        if now < self.cooling and not waited:
            return Reason.COOLING
        if self.opened and (now < self.until or any(now < lease for _, lease in self.probes)):
            return Reason.OPEN
        return None

    def admit(self, now: float) -> tuple[int, int]:
        self.asked += 1
        if self.opened:
            self.probes = [(self.asked, now + self.wait)]
        return self.era, self.asked

    def judge(self, call: tuple[int, int], now: float, good: bool, alone: bool) -> None:
        era, number = call
        if era != self.era:
            return
        self.verdicts.append((now, good))
        if not self.opened:
            if not good and (self.row() or self.share(now)):
                self.begin(now, POLICY.open)
        elif not good:
            self.begin(now, POLICY.open if alone else min(2 * self.wait, POLICY.open_max))
        elif len(self.verdicts) == POLICY.successes:
            self.begin(now, None)
        else:
            self.forget(number)

    def begin(self, now: float, wait: float | None) -> None:
        self.opened = wait is not None
        self.wait = wait or 0.0
        self.until = now + self.wait
        self.era += 1
        self.verdicts, self.probes = [], []

    def forget(self, number: int) -> None:
        self.probes = [probe for probe in self.probes if probe[0] != number]

    def row(self) -> bool:
        last = [good for _, good in self.verdicts[-POLICY.consecutive :]]
        return len(last) == POLICY.consecutive and not any(last)

    def share(self, now: float) -> bool:
        """A tenth of the window begins with the first verdict after the one before it has ended."""
        begun: list[float] = []
        seen: list[bool] = []
        for when, good in self.verdicts:
            if not begun or when - begun[-1] >= TENTH:
                begun.append(when)
                seen = seen if begun[-1] > now - POLICY.window else []
            if begun[-1] > now - POLICY.window:
                seen.append(good)
        return len(seen) >= POLICY.min_calls and seen.count(False) >= POLICY.failure_ratio * len(seen)


Begun = tuple[Admission, tuple[int, int]]


class ThreeWorkers(RuleBasedStateMachine):
    calls: Bundle[Begun] = Bundle("calls")

    @initialize()
    def hire(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.clock = ManualClock(0.0)
        self.workers = [Worker(Path(self.directory.name), self.clock, POLICY, capacity=8) for _ in range(3)]
        self.gone: list[Worker] = []
        self.reference = Reference()

    @rule(target=calls, number=st.integers(0, 2), waited=st.booleans(), times=st.integers(1, 4))
    def ask(self, number: int, waited: bool, times: int) -> MultipleResults[Begun]:
        admitted: list[Begun] = []
        for _ in range(times):
            expected = self.reference.refusal(self.clock.now, waited)
            answer = self.workers[number].ask(waited=waited)
            if isinstance(answer, Refusal):
                assert answer.reason is expected
                assert answer.left > 0
            else:
                assert expected is None
                assert answer.probe is self.reference.opened
                admitted.append((answer, self.reference.admit(self.clock.now)))
        return multiple(*admitted)

    @rule(begun=consumes(calls))
    def succeed(self, begun: Begun) -> None:
        admission, call = begun
        admission.succeeded()
        self.reference.judge(call, self.clock.now, True, False)

    @rule(begun=consumes(calls), alone=st.booleans())
    def fail(self, begun: Begun, alone: bool) -> None:
        admission, call = begun
        admission.failed(error(ErrorType.SERVER_ERROR), alone=alone)
        self.reference.judge(call, self.clock.now, False, alone)

    @rule(begun=consumes(calls))
    def leave(self, begun: Begun) -> None:
        admission, (_, number) = begun
        admission.abandoned()
        self.reference.forget(number)

    @rule(begun=consumes(calls))
    def refuse_the_request(self, begun: Begun) -> None:
        admission, call = begun
        if admission.probe:
            self.reference.judge(call, self.clock.now, True, False)
        admission.failed(error(ErrorType.INVALID_REQUEST), alone=False)

    @rule(begun=consumes(calls), seconds=st.sampled_from([0.5, 3.0, 90.0]))
    def slow_down(self, begun: Begun, seconds: float) -> None:
        admission, (_, number) = begun
        admission.failed(error(ErrorType.RATE_LIMITED, retry_after=seconds), alone=False)
        self.reference.cooling = max(self.reference.cooling, self.clock.now + min(max(seconds, 1.0), 60.0))
        self.reference.forget(number)

    @rule(begun=consumes(calls))
    def refuse_the_key(self, begun: Begun) -> None:
        admission, (_, number) = begun
        admission.failed(error(ErrorType.AUTHENTICATION), alone=False)
        self.reference.quarantined = self.clock.now + 60
        self.reference.forget(number)

    @rule(seconds=st.sampled_from([0.1, 0.9, 1.0, 2.0, 4.0, 5.0, 11.0, 61.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(number=st.integers(0, 2))
    def replace(self, number: int) -> None:
        """A new worker knows what the old one knew, which still has calls to end."""
        self.gone.append(self.workers[number])
        self.workers[number] = Worker(Path(self.directory.name), self.clock, POLICY, capacity=8)

    @invariant()
    def all_agree(self) -> None:
        now = self.clock.now
        expected = self.reference.refusal(now, False) is None
        assert [worker.breakers.admits(KEY, PROVIDER) for worker in self.workers] == [expected] * 3
        circuit = 0 if not self.reference.opened else 1 if now < self.reference.until else 2
        standing = snapshot(self.workers[0].records, now).targets[KEY]
        assert (standing.circuit, standing.open_left) == (circuit, max(0.0, self.reference.until - now))

    def teardown(self) -> None:
        for worker in [*self.workers, *self.gone]:
            worker.close()
        self.directory.cleanup()


ThreeWorkers.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestThreeWorkers = ThreeWorkers.TestCase
