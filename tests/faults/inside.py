"""The gateway with a window in it: `inside:app` in place of `wsgi:app` also says what its worker still holds."""

from __future__ import annotations

import gc
import os
import threading

from greenlet import greenlet

from app.routing.places import Places
from app.upstream.watch import Watch
from app.worker import start

app = start()


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
