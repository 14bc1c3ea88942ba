"""Too many clients at once: some are served, the rest are told so properly, and nothing is left behind."""

import pytest

from tests.gunicorn import CLASSES, gunicorn
from tests.soak.overload import CONFIG, PLACES, WORKERS, drive


@pytest.mark.parametrize("worker_class", CLASSES)
def test_ten_times_too_many_clients_get_answers_or_a_503_that_says_when(worker_class: str) -> None:
    with gunicorn(CONFIG, workers=WORKERS, worker_class=worker_class) as server:
        flood = drive(server, 10 * WORKERS * PLACES, 2)
        after = drive(server, WORKERS * PLACES // 4, 1)
    assert set(flood.statuses) <= {200, 503}
    assert flood.statuses[200]
    assert flood.without_retry_after == 0
    assert set(after.statuses) == {200}
