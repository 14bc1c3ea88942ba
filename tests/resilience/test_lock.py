"""A lock that is had at once or given up soon, and that never stops a worker."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from app.core.clock import SystemClock
from app.resilience.lock import BriefLock
from tests.clock import ManualClock
from tests.resilience.process import ROOT, Process

GREENLETS = """
from gevent import monkey; monkey.patch_all()
import sys, threading
from pathlib import Path
from app.core.clock import SystemClock
from app.resilience.breaker import Breakers
from app.resilience.records import Kind, Records
from app.resilience.state import Breaking

clock = SystemClock()
records = Records(Path(sys.argv[1]), clock)
breakers = Breakers(records, Breaking(), clock)
calls = [breakers.ask("a/b", "a") for _ in range(100)]
print("ready", flush=True)
sys.stdin.readline()  # somebody has the lock now
turns = 0
stop = threading.Event()

def others():
    global turns
    while not stop.is_set():
        turns += 1
        clock.sleep(0)

watching = threading.Thread(target=others)
watching.start()
ending = [threading.Thread(target=call.succeeded) for call in calls]
for thread in ending:
    thread.start()
for thread in ending:
    thread.join()
stop.set()
watching.join()
record = records.find(Kind.TARGET, "a/b", "a")
print(turns > 10, sum(record.read().calls), flush=True)
sys.stdin.readline()  # nobody has it any more
print(records.catch_up(), sum(record.read().calls), flush=True)
"""


def test_a_greenlet_that_waits_for_it_lets_the_others_run(tmp_path: Path) -> None:
    path = tmp_path / "breakers"
    command = [sys.executable, "-c", GREENLETS, str(path)]
    with (
        Process(path) as holder,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        assert holder.do("hold") == "True"
        child.stdin.write("go\n")
        child.stdin.flush()
        assert child.stdout.readline() == "True 0\n"
        holder.kill()
        child.stdin.write("go\n")
        child.stdin.flush()
        assert child.stdout.readline() == "True 100\n"


def test_threads_of_one_process_take_turns() -> None:
    lock = BriefLock(SystemClock(), None)
    count = 0

    def job() -> None:
        nonlocal count
        seen = count
        threading.Event().wait(0)  # lets others in, if it can
        count = seen + 1

    threads = [
        threading.Thread(target=lambda: [lock.do_or_put_off(job) for _ in range(50)], daemon=True) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert lock.catch_up()
    assert count == 400


def test_a_thread_waits_for_another_s_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.resilience.lock.PATIENCE", 60.0)
    lock = BriefLock(SystemClock(), None)
    coming = threading.Event()
    answers: list[str | None] = []

    def second() -> None:
        coming.set()
        answers.append(lock.do(lambda: "done"))

    thread = threading.Thread(target=second)

    def first() -> None:
        thread.start()
        coming.wait()

    lock.do(first)
    thread.join()

    assert answers == ["done"]


def test_what_was_put_off_is_done_in_the_next_turn_before_anything_else(tmp_path: Path) -> None:
    done: list[int] = []
    with (tmp_path / "lock").open("w") as here, (tmp_path / "lock").open("w") as there:
        mine, yours = BriefLock(ManualClock(), here.fileno()), BriefLock(ManualClock(), there.fileno())

        def somebody_else_has_it() -> None:
            for number in range(250):
                mine.do_or_put_off(partial(done.append, number))
            assert mine.do(lambda: "not done") is None
            assert not mine.catch_up()

        yours.do(somebody_else_has_it)
        assert done == []

        mine.do_or_put_off(partial(done.append, 1000))
        assert done == [*range(100), 1000], "so many at once, or a turn would take too long"
        assert mine.catch_up()

        assert sorted(done) == [*range(250), 1000]


def test_a_job_that_fails_frees_the_lock() -> None:
    lock = BriefLock(SystemClock(), None)

    def job() -> None:
        raise ZeroDivisionError

    for attempt in (lock.do, lock.do_or_put_off):
        try:
            attempt(job)
        except ZeroDivisionError:
            pass
        else:
            raise AssertionError("it was not done")

    assert lock.do(lambda: "free") == "free"
