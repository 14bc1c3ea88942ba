"""Short runs of `python -m tests.metrics.truth`."""

import pytest

from tests.gunicorn import CLASSES
from tests.metrics.truth import run


@pytest.mark.parametrize("worker_class", CLASSES)
def test_counters_are_what_clients_saw_while_workers_are_killed_restarted_and_renewed(worker_class: str) -> None:
    with run.serving(workers=4, worker_class=worker_class) as server:
        report = run.run(server, 600, [run.kill, run.hang_up, run.restart, run.reconfigure])
        assert report.differences == []
        assert report.ledger == []
        assert report.fallen == []
        assert report.restless == []
        assert report.calls["lost"] <= run.CLIENTS
        assert report.series > 80
