"""memcached in trouble, for seconds: what must never happen. How slow calls get is for the program to say."""

from __future__ import annotations

import pytest

from tests.memcached import needed
from tests.soak import memcached


@pytest.mark.parametrize(("trouble", "worker_class"), [("stopped", "gevent"), ("killed", "gthread")])
def test_no_call_fails_by_memcached_and_all_count_together_before_and_after(trouble: str, worker_class: str) -> None:
    needed()
    report = memcached.run(2, 60, (trouble,), 2, worker_class)
    assert [one for one in report.complaints if "slowest" not in one] == [], str(report)
