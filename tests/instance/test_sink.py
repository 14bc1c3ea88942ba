"""Writing a log that nobody takes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from app.instance.sink import Sink

LINE = b"x" * 199 + b"\n"


def filled(sink: Sink, most: int = 100_000) -> int:
    """Write until something is lost: how many lines were not."""
    for number in range(most):
        sink.write(LINE)
        if sink.lost:
            return number
    raise AssertionError("nothing was ever lost")


def test_a_pipe_that_nobody_reads_holds_nobody_up_and_lines_stay_whole() -> None:
    reader, writer = os.pipe()
    sink = Sink(writer)
    taken = filled(sink)
    assert os.get_blocking(writer)  # as others have it
    first = os.read(reader, 1000)
    sink.write(b"later\n")  # begins with the rest of the line that was half written
    sink.close()
    os.close(writer)
    with os.fdopen(reader, "rb") as rest:
        seen = first + rest.read()
    lines = seen.splitlines(keepends=True)
    assert set(lines) <= {LINE, b"later\n"}
    assert len(lines) >= taken


def test_a_pipe_whose_reader_has_gone_only_counts() -> None:
    reader, writer = os.pipe()
    sink = Sink(writer)
    os.close(reader)
    assert sink.write(LINE) == len(LINE)
    assert sink.lost == 1
    sink.close()
    os.close(writer)


def test_a_socket_that_nobody_reads_holds_nobody_up() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sink = Sink(ours.fileno())
        assert filled(sink) > 1
        assert ours.getblocking()
        theirs.recv(1_000_000)
        sink.write(LINE)
        assert sink.lost == 1
        sink.close()


def test_a_disk_without_room_only_counts() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        sink = Sink(full.fileno())
        sink.write(LINE)
        sink.write(LINE)
        assert sink.lost == 2


def test_a_file_is_simply_written_to(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "log").open("wb") as file:
        sink = Sink(file.fileno())
        sink.write(LINE)
        sink.write(b"more\n")
    assert (tmp_path / "log").read_bytes() == LINE + b"more\n"
    assert sink.lost == 0
