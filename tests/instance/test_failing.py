"""How workers that cannot boot end, one after another."""

from pathlib import Path

import pytest

from app.instance.failing import ALONE, HALT, exit_code
from app.instance.rundir import RunDir


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.instance.failing._PAUSE", 0)


def test_the_first_one_of_a_first_start_ends_the_service_and_the_others_themselves(tmp_path: Path) -> None:
    """gunicorn breaks off its way out, with a traceback, when it meets the code a second time."""
    RunDir(tmp_path).lock.touch()
    assert [exit_code(RunDir(tmp_path)) for _ in range(3)] == [HALT, ALONE, ALONE]


def test_where_the_run_directory_was_taken_away_none_ends_the_service(tmp_path: Path) -> None:
    assert exit_code(RunDir(tmp_path / "gone")) == ALONE


def test_after_a_good_start_none_ends_the_service(tmp_path: Path) -> None:
    RunDir(tmp_path).started.touch()
    assert exit_code(RunDir(tmp_path)) == ALONE
