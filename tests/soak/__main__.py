"""python -m tests.soak [NAME ...]: without a name all that PROGRAMS has; what LONGER has takes options of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

from tests.soak import (
    aborts,
    blackout,
    brownout,
    early,
    faults,
    front,
    host,
    limits,
    memcached,
    outage,
    replicas,
    retries,
    rolling,
    slow,
)
from tests.soak.hour.__main__ import main as hour
from tests.soak.report import Report

PROGRAMS: Mapping[str, Callable[[], Report]] = {
    "early": early.run,
    "brownout": brownout.run,
    "blackout": blackout.run,
    "outage": outage.run,
    "retries": retries.run,
    "aborts": aborts.run,
    "faults": faults.run,
    "restarts": rolling.restarts,
    "reloads": rolling.reloads,
    "killed": replicas.killed,
    "stopped": replicas.stopped,
    "partitioned": replicas.partitioned,
    "nginx": front.reloads,
    "kept": front.kept,
    "slow": slow.run,
    "slow-gthread": lambda: slow.run(worker_class="gthread"),
    "host": host.run,
    "limits": limits.run,
    "memcached": memcached.run,
}
LONGER: Mapping[str, Callable[[list[str]], int]] = {"hour": hour}


def main(names: list[str]) -> int:
    if names and names[0] in LONGER:
        return LONGER[names[0]](names[1:])
    failed = 0
    for name in names or list(PROGRAMS):
        began = time.monotonic()
        report = PROGRAMS[name]()
        print(report)
        print(f"  {time.monotonic() - began:.0f} s\n")
        failed += bool(report.complaints)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
