"""The run directory: whose it may be, and what is in it when a master starts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.instance import rundir
from app.instance.rundir import Refused, RunDir, claim, try_lock
from app.metrics import slots


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def elsewhere(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has claimed the directory."""
    code = (
        f"from app.instance.rundir import claim; from pathlib import Path; claim(Path({str(path)!r})); print(); input()"
    )
    root = Path(rundir.__file__).parent.parent.parent
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_it_is_made_for_its_owner_alone(path: Path) -> None:
    claimed = claim(path)
    assert path.stat().st_mode & 0o777 == 0o700
    assert claimed.dir.lock.read_text().strip() == str(os.getpid())
    os.close(claimed.fd)


def test_it_is_emptied_at_a_start(path: Path) -> None:
    os.close(claim(path).fd)
    for name in ("metrics/counter_w0.db", "config/current", "private.sock", "breakers"):
        (path / name).write_text("old")
    claimed = claim(path)
    assert sorted(p.name for p in path.rglob("*") if not p.name.endswith("lock")) == ["config", "metrics"]
    os.close(claimed.fd)


def test_a_second_master_is_refused_and_told_who_the_first_is(path: Path, elsewhere: "subprocess.Popen[str]") -> None:
    with pytest.raises(Refused, match=rf"another gateway \(process {elsewhere.pid}\) runs in {path}"):
        claim(path)


def test_the_lock_of_a_master_that_died_is_free(path: Path, elsewhere: "subprocess.Popen[str]") -> None:
    elsewhere.kill()
    elsewhere.wait()
    os.close(claim(path).fd)


def test_what_is_left_of_a_killed_instance_is_waited_for_and_then_named(path: Path) -> None:
    os.close(claim(path).fd)
    fd = slots.claim(RunDir(path).metrics).fd
    with pytest.raises(Refused, match=rf"left of a killed gateway still runs .*process {os.getpid()}"):
        claim(path, patience=0.1)
    os.close(fd)
    housekeeper = try_lock(RunDir(path).housekeeper)
    assert housekeeper is not None
    with pytest.raises(Refused, match="its housekeeper"):
        claim(path, patience=0.1)
    os.close(housekeeper)
    os.close(claim(path).fd)


def test_a_directory_with_somebody_elses_files_is_not_emptied(path: Path) -> None:
    path.mkdir(mode=0o700)
    (path / "thesis.txt").write_text("precious")
    with pytest.raises(Refused, match="not a gateway's"):
        claim(path)
    assert (path / "thesis.txt").read_text() == "precious"


def test_a_directory_that_others_can_enter_is_refused(path: Path) -> None:
    path.mkdir(mode=0o755)
    with pytest.raises(Refused, match=r"open to others .*755"):
        claim(path)


def test_a_symbolic_link_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    path.symlink_to(tmp_path / "real")
    with pytest.raises(Refused, match="not a directory"):
        claim(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory of somebody else")
def test_a_directory_of_somebody_else_is_refused(path: Path) -> None:
    path.mkdir(mode=0o700)
    os.chown(path, 12345, 12345)
    with pytest.raises(Refused, match="belongs to uid 12345"):
        claim(path)


def test_a_path_that_no_socket_fits_into_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="too long"):
        claim(tmp_path / ("x" * 100))


def test_a_parent_that_is_not_there_is_said(path: Path) -> None:
    with pytest.raises(Refused, match="cannot be made: No such file or directory"):
        claim(path / "below")
