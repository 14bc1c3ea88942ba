"""The file itself: found again, whole or known to be torn, never a reason to die."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.resilience.lock import BriefLock
from app.resilience.records import _FIRST, _SLOT, _STATES, Kind, Record, Records, _owner, kept
from app.resilience.state import SIZE, State, Torn, decoded, encoded
from tests.clock import ManualClock
from tests.resilience.process import ROOT

LONG = "bedrock/arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/" + "x" * 200


@contextlib.contextmanager
def opened(path: Path, capacity: int = 8) -> Iterator[Records]:
    with contextlib.closing(Records(path, ManualClock(), capacity)) as records:
        yield records


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "breakers"


def target(records: Records, name: str) -> Record:
    record = records.find(Kind.TARGET, name, "openai")
    assert record is not None
    return record


def mark(record: Record, failures: int) -> None:
    def step(state: State) -> None:
        state.in_a_row = failures

    record.note(step)


def test_every_name_is_found_again_by_everybody_in_a_full_file(path: Path) -> None:
    names = ["a/1", "a/2", "b/mistral/large", LONG + "1", LONG + "2", "ü/ß", "*", "a/*"]
    with opened(path) as mine, opened(path) as yours:
        for number, name in enumerate(names):
            mark(target(mine, name), number)

        assert [target(yours, name).read().in_a_row for name in names] == list(range(8))
        assert {record.name for record in yours.all()} == {kept(name) for name in names}


def test_what_a_file_has_no_room_for_each_process_keeps_for_itself(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(path, 2) as mine, opened(path, 2) as yours, caplog.at_level(logging.WARNING):
        for name in "abcd":
            mark(target(mine, name), 7)

        assert [target(yours, name).read().in_a_row for name in "abcd"] == [7, 7, 0, 0]
        apart = target(mine, "c")
        mark(apart, 3)
        assert apart.read().in_a_row == 3
        assert len([record for record in caplog.records if "more than 2 targets" in record.message]) == 2


def test_a_full_disk_is_an_error_at_the_start_and_no_signal_later(path: Path) -> None:
    program = f"""
import resource
from pathlib import Path
from app.core.clock import SystemClock
from app.resilience.records import Records
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
try:
    Records(Path({str(path)!r}), SystemClock())
except OSError as error:
    print("refused:", error.strerror)
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (0, "refused: File too large\n")


def test_all_of_the_file_is_backed_by_the_disk(path: Path) -> None:
    with opened(path, 1024):
        found = path.stat()

        assert found.st_size == _FIRST + 1024 * _SLOT
        assert found.st_blocks * 512 >= found.st_size
        assert found.st_mode & 0o777 == 0o600


def test_a_file_of_another_make_is_refused(path: Path) -> None:
    with opened(path, 8):
        pass

    with pytest.raises(OSError, match="not this version's"):
        Records(path, ManualClock(), 16)


def test_a_symbolic_link_is_not_followed(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))

    with pytest.raises(OSError, match="symbolic links"):
        Records(path, ManualClock())


def test_who_comes_second_to_make_a_record_finds_the_first_one_s(path: Path) -> None:
    """Neither had seen it before his turn."""
    digest = b"d" * 16
    owner = _owner(digest, Kind.TARGET, "a", "openai")
    with opened(path) as mine, opened(path) as yours:
        assert mine._make(digest, owner) == yours._make(digest, owner) >= _FIRST


class Killed(BaseException):
    pass


class Dying(bytearray):
    """Memory whose writer dies with the first half of a state written."""

    dies = False

    def __setitem__(self, place: Any, value: Any) -> None:
        if self.dies and isinstance(place, slice):
            half = slice(place.start, place.start + SIZE // 2)
            super().__setitem__(half, value[: SIZE // 2])
            raise Killed
        super().__setitem__(place, value)


def test_a_worker_killed_while_it_writes_leaves_the_last_whole_state() -> None:
    memory, lock = Dying(_SLOT), BriefLock(ManualClock(), None)
    for failures in range(1, 6):
        mark(Record(Kind.TARGET, "a", "openai", memory, at=0, lock=lock), failures)
        memory.dies = True
        with pytest.raises(Killed):
            mark(Record(Kind.TARGET, "a", "openai", memory, at=0, lock=lock), 99)
        memory.dies = False

        assert Record(Kind.TARGET, "a", "openai", memory, at=0, lock=lock).read().in_a_row == failures


def test_a_damaged_record_is_closed_again(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(path) as records:
        record = target(records, "a")
        mark(record, 3)
        at = record._places[0].start
        record._slots[at : at + 2 * SIZE] = b"\xee" * 2 * SIZE

        assert record.read().in_a_row == 3, "the last copy"
        assert target(records, "a").read() == State(), "nobody's copy"
        mark(record, 1)

        assert record.read() == State(in_a_row=1)
        assert "was damaged" in caplog.text


def test_a_slot_whose_maker_was_killed_is_used_again_and_hides_none_behind_it(path: Path) -> None:
    with opened(path, 4) as records:
        for name in "abcd":
            mark(target(records, name), 1)
        at = next(_FIRST + n * _SLOT for n in range(4) if b"a" in records._slots[_FIRST + n * _SLOT :][4:_STATES])
        records._slots[at : at + 20] = b"\xee" * 20

        assert len(list(records.all())) == 3
        assert [target(records, name).read().in_a_row for name in "bcda"].count(1) == 3
        assert len(list(records.all())) == 4


@given(
    state=st.builds(
        State,
        opened=st.booleans(),
        generation=st.integers(0, 2**32 - 1),
        in_a_row=st.integers(0, 2**32 - 1),
        prober=st.integers(0, 2**22),
        until=st.floats(0, 1e9),
        calls=st.lists(st.integers(0, 2**32 - 1), min_size=10, max_size=10),
    ),
    place=st.integers(0, SIZE - 1),
    bit=st.integers(0, 7),
)
def test_a_state_comes_back_as_it_was_or_not_at_all(state: State, place: int, bit: int) -> None:
    raw = encoded(state)
    assert decoded(raw) == state

    damaged = bytearray(raw)
    damaged[place] ^= 1 << bit
    with pytest.raises(Torn):
        decoded(bytes(damaged))
