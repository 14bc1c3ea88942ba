"""Several real processes over one file: nothing is lost, nobody probes twice, a kill -9 stops nobody."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.core.clock import SystemClock
from app.resilience.breaker import Admission, Breakers
from app.resilience.records import Kind, Record, Records
from app.resilience.state import Breaking, State
from tests.resilience.process import FAILURE, Process

KEY = "openai/0"


@contextmanager
def processes(path: Path, count: int) -> Iterator[list[Process]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Process(path)) for _ in range(count)]


@contextmanager
def records(path: Path) -> Iterator[Records]:
    with contextlib.closing(Records(path, SystemClock())) as found:
        yield found


def record(found: Records, key: str = KEY) -> Record:
    one = found.find(Kind.TARGET, key, "openai")
    assert one is not None
    return one


def test_no_call_of_four_processes_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "breakers"
    with records(path) as found, processes(path, 4) as workers:
        for number in range(3):  # whoever cannot make a record at his first call counts for himself
            record(found, f"openai/{number}")
        for worker in workers:
            worker.start("count 10000 3")
        failed = sum(int(worker.result()) for worker in workers)

        states = [record(found, f"openai/{number}").read() for number in range(3)]
        assert sum(sum(state.calls) for state in states) == 40_000
        assert sum(sum(state.failures) for state in states) == failed


def test_killed_workers_leave_neither_a_lock_nor_wrong_counts(tmp_path: Path) -> None:
    path = tmp_path / "breakers"
    dice = random.Random()
    with records(path) as found, processes(path, 2) as survivors:
        record(found)
        for worker in survivors:
            worker.start("count 10000 1")
        for _ in range(5):
            with processes(path, 2) as victims:
                assert [victim.do("count 10 1") for victim in victims]  # they are there
                for victim in victims:
                    victim.start("count 10000 1")
                time.sleep(dice.random() * 0.05)  # any moment will do
        failed = sum(int(worker.result()) for worker in survivors)

        state = record(found).read()
        victims_at_most = 10 * 10_010
        assert 20_000 + 100 <= sum(state.calls) <= 20_000 + victims_at_most
        assert failed < sum(state.failures) < failed + victims_at_most
        assert record(found).change(lambda state: state.generation) == 0, "the lock is free"


def at_once(workers: list[Process], command: str) -> list[str]:
    when = time.monotonic() + 0.02
    for worker in workers:
        worker.start(f"{command} {when}")
    return [worker.result() for worker in workers]


def make_half_open(one: Record) -> None:
    def step(state: State) -> None:
        now = time.monotonic()
        state.opened, state.until, state.wait, state.prober = True, now, 600.0, 0

    one.note(step)


def test_one_of_eight_processes_probes(tmp_path: Path) -> None:
    path = tmp_path / "breakers"
    with records(path) as found, processes(path, 8) as workers:
        for turn in range(20):
            key = f"openai/{turn}"
            make_half_open(record(found, key))

            answers = at_once(workers, f"ask {key}")

            assert sorted(answers) == ["open"] * 7 + ["probe"]


def test_a_target_that_all_processes_ask_for_at_once_has_one_record(tmp_path: Path) -> None:
    path = tmp_path / "breakers"
    with records(path) as found, processes(path, 8) as workers:
        assert found.find(Kind.PROVIDER, "provider/openai", "openai")
        for turn in range(20):
            at_once(workers, f"fail openai/{turn}")

        names = sorted(one.name for one in found.all())
        assert names == sorted(["provider/openai", *(f"openai/{turn}" for turn in range(20))])
        assert [sum(record(found, f"openai/{turn}").read().failures) for turn in range(20)] == [8] * 20


def test_the_probe_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "breakers"
    with records(path) as found, processes(path, 2) as (first, second):
        make_half_open(record(found))
        assert first.do(f"ask {KEY}") == "probe"
        assert second.do(f"ask {KEY}") == "open"

        first.kill()

        assert second.do(f"ask {KEY}") == "probe"


def test_the_probe_that_was_given_up_in_one_process_is_free_in_another(tmp_path: Path) -> None:
    path = tmp_path / "breakers"
    with records(path) as found, processes(path, 2) as (first, second):
        make_half_open(record(found))
        assert first.do(f"ask {KEY}") == "probe"
        assert first.do("leave") == "left"

        assert second.do(f"ask {KEY}") == "probe"


def test_while_somebody_sits_on_the_lock_calls_go_on_and_their_verdicts_come_later(tmp_path: Path) -> None:
    path = tmp_path / "breakers"
    with records(path) as found, processes(path, 1) as (holder,):
        breakers = Breakers(found, Breaking(), SystemClock())
        early = breakers.ask(KEY, "openai")
        assert isinstance(early, Admission)
        assert holder.do("hold") == "True"

        for _ in range(5):
            admission = breakers.ask(KEY, "openai")
            assert isinstance(admission, Admission)
            admission.failed(FAILURE, alone=False)
        unknown = breakers.ask("openai/never seen", "openai")
        assert isinstance(unknown, Admission)
        early.succeeded()

        assert sum(record(found).read().calls) == 0
        holder.kill()
        found.catch_up()
        assert record(found).read().opened
        assert not breakers.admits(KEY, "openai")


def test_nobody_probes_while_somebody_sits_on_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "breakers"
    with records(path) as found, processes(path, 2) as (holder, worker):
        make_half_open(record(found))
        holder.do("hold")

        assert worker.do(f"ask {KEY}") == "open"
        holder.kill()
        assert worker.do(f"ask {KEY}") == "probe"


def test_a_stopped_process_that_has_the_lock_costs_the_others_one_short_wait(tmp_path: Path) -> None:
    """A worker whose cgroup is frozen, say: whoever waited for it in vain does not wait again at once."""
    path = tmp_path / "breakers"

    class Clock(SystemClock):
        slept = 0

        def sleep(self, seconds: float) -> None:
            self.slept += 1
            super().sleep(seconds)

        def monotonic(self) -> float:
            return now if self.frozen else super().monotonic()

        frozen = False

    clock = Clock()
    with contextlib.closing(Records(path, clock)) as found, processes(path, 1) as (holder,):
        one = record(found)
        holder.do("hold")
        holder.send(signal.SIGSTOP)

        one.note(lambda state: None)
        slept = clock.slept
        assert slept
        now = clock.monotonic()
        clock.frozen = True
        for _ in range(100):
            one.note(lambda state: None)

        assert clock.slept == slept
