"""Slots, with processes that really live and die."""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.metrics import slots
from app.metrics.exposition import Exposition, Facts

ROOT = Path(__file__).parent.parent.parent
REQUESTS = 'llm_gateway_llm_gateway_requests_total{model="fast",provider="openai",status="success",streaming="false"}'
ACTIVE = 'llm_gateway_llm_gateway_active_requests{provider="openai"}'


class Workers:
    """Starts processes that count, one slot each, and buries them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._all: list[subprocess.Popen[str]] = []

    def start(self, calls: int, *options: str) -> "subprocess.Popen[str]":
        """Returns when everything is counted."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.metrics.counting", str(self.directory), str(calls), *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._all.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("w")
        return process

    def end(self, process: "subprocess.Popen[str]", reason: str) -> None:
        process.communicate(f"{reason}\n")

    def kill(self, process: "subprocess.Popen[str]") -> None:
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def close(self) -> None:
        for process in self._all:
            if process.poll() is None:
                self.kill(process)

    def page(self) -> dict[str, float]:
        _, page = Exposition(self.directory, lambda: Facts("1", {}, None)).page("")
        lines = [line.rsplit(" ", 1) for line in page.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    made = Workers(tmp_path)
    yield made
    made.close()


def test_workers_one_after_another_share_a_slot_and_lose_no_count(workers: Workers) -> None:
    for _ in range(5):
        process = workers.start(7)
        workers.end(process, "graceful")
        slots.reap(workers.directory, process.pid)
    assert workers.page()[REQUESTS] == 35
    assert {path.name for path in workers.directory.glob("*.db")} == {"counter_w0.db", "histogram_w0.db"}


def test_what_killed_workers_counted_stays_but_for_what_was_live(workers: Workers) -> None:
    first, second = workers.start(3), workers.start(4)
    assert workers.page()[ACTIVE] == 2
    for process in (first, second):
        workers.kill(process)
        slots.reap(workers.directory, process.pid)
    page = workers.page()
    assert page[REQUESTS] == 7
    assert ACTIVE not in page


def test_a_replacement_that_came_before_the_master_noticed_keeps_its_live_gauge(workers: Workers) -> None:
    dead = workers.start(1)
    workers.kill(dead)
    workers.start(1)
    assert workers.page()[ACTIVE] == 1, "the dead worker's attempt must not count"
    slots.reap(workers.directory, dead.pid)
    assert workers.page()[ACTIVE] == 1
    assert workers.page()[REQUESTS] == 2


def test_a_worker_takes_the_lowest_free_slot(workers: Workers) -> None:
    low, _high = workers.start(0), workers.start(0)
    workers.kill(low)
    assert set(slots.held(workers.directory)) == {1}
    workers.start(0)
    assert set(slots.held(workers.directory)) == {0, 1}


def test_exits_are_counted_by_their_reason_even_when_two_come_together(workers: Workers) -> None:
    graceful, late, killed = workers.start(0), workers.start(0), workers.start(0)
    workers.end(graceful, "graceful")
    workers.end(late, "timeout")
    workers.kill(killed)
    for process in (killed, graceful, late):
        slots.reap(workers.directory, process.pid)
    assert slots.exits(workers.directory) == {"graceful": 1, "timeout": 1, "failed": 0, "killed": 1}
    assert not list(workers.directory.glob("exit-*"))


def test_a_process_forked_from_a_worker_does_not_write_into_its_files(workers: Workers) -> None:
    workers.start(2, "fork")
    names = {path.name for path in workers.directory.glob("counter_*.db")}
    assert "counter_w0.db" in names
    assert len(names) == 2
    assert workers.page()[REQUESTS] == 3


def test_looking_at_slots_never_makes_a_free_one_seem_taken(tmp_path: Path) -> None:
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            slots.held(tmp_path)

    slot = slots.claim(tmp_path)
    os.close(slot.fd)
    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(100):
            slot = slots.claim(tmp_path)
            os.close(slot.fd)
            assert slot.number == 0
    finally:
        done.set()
        for watcher in watchers:
            watcher.join()


def test_a_file_without_room_for_another_series_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    slot = slots.claim(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (32 * 1024, hard))
    try:
        with pytest.raises(slots.Full, match="no room for metrics"):
            slot.make_room("counter")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        os.close(slot.fd)


def test_room_is_backed_before_it_is_written_to(tmp_path: Path) -> None:
    """A sparse file on a full file system is a SIGBUS at the first write."""
    slot = slots.claim(tmp_path)
    slot.make_room("counter")
    file = tmp_path / "counter_w0.db"
    new = file.stat()
    assert new.st_blocks * 512 >= new.st_size > 0
    with file.open("r+b") as opened:
        opened.write((new.st_size - 100).to_bytes(4, sys.byteorder))  # how much of it is used
    slot.make_room("counter")
    grown = file.stat()
    assert grown.st_blocks * 512 >= grown.st_size == 2 * new.st_size
    assert grown.st_ino == new.st_ino, "whoever has it open goes on in it"
    os.close(slot.fd)


def test_a_worker_whose_file_cannot_be_read_begins_a_new_one(workers: Workers, tmp_path: Path) -> None:
    workers.kill(workers.start(3))
    (file,) = tmp_path.glob("counter_w0.db")
    for broken in (b"", b"\xff" * 5000, file.read_bytes()[:-8].replace(b'["', b"[[", 1)):
        file.write_bytes(broken)
        workers.kill(workers.start(2))
        assert workers.page()[REQUESTS] == 2
        assert (tmp_path / "counter_w0.unreadable").read_bytes() == broken


def test_a_slot_says_how_far_it_is_though_there_is_no_room_left(tmp_path: Path) -> None:
    slot = slots.claim(tmp_path)
    slot.mark("draining")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))  # not a byte more than there is, and the signal is
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(OSError, match="File too large"):
            slot.mark("ready")
        assert slot.marked() == "draining"
        slots.note_exit(tmp_path, "timeout")  # says nothing, and raises nothing
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
