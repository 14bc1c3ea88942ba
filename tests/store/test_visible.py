"""What operators see of the store: at the start, in /health/ready and in a metric."""

from __future__ import annotations

import re

import requests

from tests.gunicorn import Server, gunicorn, until
from tests.memcached import memcached

CONFIG = """
providers: {simulated: {}}
models: {m: {targets: [simulated/m]}}
limits: {default: {requests_per_minute: 1000}}
metrics: {open: true}
"""
LOST = "no memcached.servers"


def ready(server: Server) -> tuple[int, str, int]:
    """Status, what it says, and how many things are not as they should be: on a connection of its own each time."""
    answer = requests.get(server.url + "/health/ready", headers={"connection": "close"}, timeout=10)
    said = answer.json()
    return answer.status_code, said["status"], sum("memcached" in one for one in said["degraded"])


def is_up(server: Server) -> str | None:
    """As the housekeeper tells it, who may not be there yet."""
    _, _, page = server.private("/metrics")
    found = re.search(rb"^llm_gateway_llm_gateway_memcached_up (\S+)$", page, re.MULTILINE)
    return found[1].decode() if found else None


def test_a_server_that_is_gone_is_told_and_so_is_its_return() -> None:
    """Though nobody calls."""
    with memcached() as store, gunicorn(f"{CONFIG}memcached: {{servers: ['{store.name}']}}", workers=1) as server:
        until(lambda: ready(server) == (200, "ok", 0), "word that it is up")  # which a busy machine hears later
        until(lambda: is_up(server) == "1.0", "word that it is up in a metric")
        assert LOST not in server.log()
        store.kill()
        until(lambda: ready(server) == (200, "degraded", 1), "word that it is gone")
        until(lambda: is_up(server) == "0.0", "word that it is gone in a metric")
        assert store.name not in requests.get(server.url + "/health/ready", timeout=10).text
        store.start()
        until(lambda: ready(server) == (200, "ok", 0), "word that it is back")
        until(lambda: is_up(server) == "1.0", "word that it is back in a metric")


def test_without_one_the_start_says_what_is_lost_and_nothing_is_amiss() -> None:
    with gunicorn(CONFIG, workers=1) as server:
        assert ready(server) == (200, "ok", 0)
        assert LOST in server.log()
        assert is_up(server) is None


def test_where_there_is_nothing_to_share_nothing_is_lost() -> None:
    with gunicorn("providers: {simulated: {}}\nmodels: {m: {targets: [simulated/m]}}", workers=1) as server:
        assert LOST not in server.log()
