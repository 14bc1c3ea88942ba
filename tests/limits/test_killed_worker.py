"""A worker is killed while it holds places: nobody gives them back, and yet they are free again."""

from __future__ import annotations

import os
import signal
import time

from tests.gunicorn import until
from tests.memcached import memcached
from tests.soak.pair import Keyed, pair
from tests.standin import StandIn

WITHIN = 30.0  # seconds


def test_a_killed_worker_leaves_its_places_within_half_a_minute() -> None:
    models = {"hold": {"targets": ["standin/words-9-hold-3"]}}
    with (
        memcached("-M") as store,
        StandIn() as provider,
        pair(
            store.name, {"places": {"concurrent": 3}}, workers=1, providers={"standin": provider.port}, models=models
        ) as servers,
    ):
        keyed = Keyed(servers)
        streams = [keyed.begin("places", 0, "hold") for _ in range(3)]
        assert [stream.status for stream in streams] == [200] * 3
        assert keyed.call("places", 1).status == 429
        (worker,) = servers[0].workers()
        os.kill(worker, signal.SIGKILL)

        def free() -> bool:
            time.sleep(0.3)
            said = keyed.call("places", 1)
            return said.status == 200 and said.left("concurrency") == 2

        until(free, "free places", WITHIN + 1)
        for stream in streams:
            stream.close()
        keyed.close()
