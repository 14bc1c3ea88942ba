"""A log that cannot be written: calls go on, and what was lost is counted."""

from __future__ import annotations

import os

import pytest

from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.host.house import CONFIG, all_well, calls, endings
from tests.metrics.page import page_of


def losses(server: Server, at_least: int) -> None:
    """Each worker tells its own, once a second."""
    until(lambda: page_of(server).sum("log_lines_lost_total") >= at_least, f"{at_least} lost lines in the metrics")


@pytest.mark.parametrize("worker_class", CLASSES)
def test_nobody_reads_the_pipe(worker_class: str) -> None:
    reader, writer = os.pipe()
    try:
        with gunicorn(CONFIG, worker_class=worker_class, stderr=writer) as server:
            count = 400  # lines of more than 400 bytes, where there is room for 64 KiB
            assert endings(calls(server, count)) == {"200 None": count}
            losses(server, 1)
            assert page_of(server).sum("requests_total", status="success") == count
            assert server.stop() == 0
    finally:
        os.close(reader)
        os.close(writer)


def test_the_reader_of_the_pipe_is_gone() -> None:
    reader, writer = os.pipe()
    with gunicorn(CONFIG, stderr=writer) as server:
        os.close(reader)
        os.close(writer)
        all_well(server)
        losses(server, 20)
        assert server.stop() == 0


def test_the_disk_of_the_log_is_full() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with gunicorn(CONFIG, stderr=full) as server:
            all_well(server)
            losses(server, 20)
    finally:
        os.close(full)
