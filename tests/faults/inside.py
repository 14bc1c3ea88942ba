"""The gateway with a window in it: `inside:app` in place of `wsgi:app` also says what its worker still holds."""

from __future__ import annotations

import gc
import os
import threading

import gevent
from gevent import monkey
from greenlet import greenlet

from app.routing.places import Places
from app.upstream.watch import Watch
from app.worker import start

app = start()


def _fill_the_pool() -> None:
    """gevent resolves names in threads that it makes when it needs them, and keeps: make them all now."""
    pool = gevent.get_hub().threadpool
    for each in [pool.spawn(monkey.get_original("time", "sleep"), 0.05) for _ in range(pool.maxsize)]:
        each.get()


if monkey.is_module_patched("threading"):
    _fill_the_pool()


@app.get("/inside")
def inside() -> dict[str, int]:
    """Counts of what must be back where it was once no call runs, and whose they are."""
    gc.collect()
    found = gc.get_objects()
    watches = [one for one in found if isinstance(one, Watch)]
    return {
        "pid": os.getpid(),
        "guards": sum(len(one._guards) for one in watches),
        "clients watched": sum(len(one._clients) for one in watches),
        "places": sum(sum(one._providers.values()) for one in found if isinstance(one, Places)),
        "threads": len(os.listdir("/proc/self/task"))
        - sum("PoolExecutor" in one.name for one in threading.enumerate()),
        "greenlets": sum(isinstance(one, greenlet) and bool(one) for one in found),
    }
