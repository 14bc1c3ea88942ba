"""python -m tests.cache [gevent | gthread]: two instances of four workers each over one memcached."""

from __future__ import annotations

import sys

from tests.cache import shown
from tests.cache.instances import house
from tests.gunicorn import CLASSES


def main(classes: list[str]) -> int:
    failed = 0
    for worker_class in classes or CLASSES:
        print(f"{worker_class}, 2 instances of 4 workers")
        with house(worker_class, workers=4) as found:
            for report in (
                shown.winner_is_killed(found, 200),
                shown.identical(found, 200),
                shown.tenants(found, 50),
                shown.hostile(found, 30),
                shown.canaries(found),
            ):
                print(report, flush=True)
                failed += bool(report.complaints)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
