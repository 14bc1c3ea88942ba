"""Two real gateways over one real memcached, on both worker classes."""

from __future__ import annotations

import contextlib
import http.client
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.gunicorn import CLASSES, Server, until
from tests.memcached import Memcached, memcached
from tests.soak.pair import Keyed, Said, pair
from tests.standin import StandIn

TENANTS = {
    "calls": {"requests_per_minute": 40},
    "tokens": {"tokens_per_minute": 2_000},
    "places": {"concurrent": 5},
    "once": {"requests_per_minute": 100, "tokens_per_minute": 100_000},
    "free": {},
}


@pytest.fixture(scope="module", params=CLASSES)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(memcached("-M"))
        provider = stack.enter_context(StandIn())
        servers = stack.enter_context(
            pair(
                store.name,
                TENANTS,
                providers={"standin": provider.port},
                models={"hold": {"targets": ["standin/words-9-hold-3"]}, **RESCUED},
                workers=2,
                worker_class=request.param,
                metrics={"open": True},
            )
        )
        keyed = Keyed(servers)
        yield House(servers, store, provider, keyed)
        keyed.close()


RESCUED = {
    "rescued": {
        "targets": ["standin/fault-cut-5-rst-words-20", {"target": "standin/words-20", "prefill": False}],
        "stream_rescue": "replay",
    },
    "failing": {"targets": ["standin/fault-500"]},
    "fallen": {"targets": ["standin/fault-500", "standin/words-20"]},
}


class House:
    def __init__(self, servers: list[Server], store: Memcached, provider: StandIn, keyed: Keyed) -> None:
        self.servers = servers
        self.store = store
        self.provider = provider
        self.keyed = keyed

    def many(self, tenant: str, count: int, **fields: object) -> list[Said]:
        """At once, over all workers of both."""
        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(lambda n: self.keyed.call(tenant, n, **fields), range(count)))  # type: ignore[arg-type]

    def hits(self, tenant: str) -> Counter[str]:
        """By limit, over both gateways."""
        found: Counter[str] = Counter()
        for server in self.servers:
            text = requests.get(server.metrics_url + "/metrics", timeout=10).text
            for limit, value in re.findall(
                rf'rate_limit_hits_total{{limit_type="(\w+)",tenant="{tenant}"}} (\S+)', text
            ):
                found[limit] += int(float(value))
        return found


def test_as_many_calls_as_the_limit_says_over_both(house: House) -> None:
    said = house.many("calls", 120)
    assert Counter(one.status for one in said) == {200: 40, 429: 80}
    refused = next(one for one in said if one.status == 429)
    assert b'"code":"rate_limit_exceeded"' in refused.body
    assert 0 < int(refused.headers["retry-after"]) <= 61
    assert refused.left("requests") == 0
    until(lambda: house.hits("calls") == {"requests": 80, "tokens": 0, "concurrency": 0}, "80 hits")


def test_as_many_tokens_as_the_limit_says_over_both(house: House) -> None:
    """A crowd at the limit may refuse one another while they look; whoever comes after it has what is left."""
    fields: dict[str, Any] = {"content": "x" * 40, "max_tokens": 20}  # more is reserved than is used
    said = house.many("tokens", 150, **fields)
    while said[-1].status == 200 or len(said) < 160:
        said.append(house.keyed.call("tokens", len(said), "m", **fields))
    a_call = 24  # tokens: 20 words, and the question as the simulated provider counts it
    let_in = sum(one.status == 200 for one in said)
    assert 2_000 - 2 * a_call <= let_in * a_call <= 2_000
    assert {one.status for one in said} == {200, 429}


def test_as_many_calls_at_a_time_as_the_limit_says_over_both(house: House) -> None:
    streams = [house.keyed.begin("places", n, "hold") for n in range(8)]
    try:
        assert Counter(stream.status for stream in streams) == {200: 5, 429: 3}
        assert [house.keyed.call("places", n).status for n in range(4)] == [429] * 4
        next(stream for stream in streams if stream.status == 200).close()
        until(lambda: house.keyed.call("places", 1).status == 200, "free place", 20)
    finally:
        house.provider.release("words-9-hold-3", 1000)
        for stream in streams:
            with contextlib.suppress(http.client.HTTPException):
                stream.read()
            stream.close()
    until(lambda: house.keyed.call("places", 0).left("concurrency") == 4, "all places free", 20)


def test_a_tenant_without_limits_is_told_of_none(house: House) -> None:
    said = house.keyed.call("free")
    assert said.status == 200
    assert not [name for name in said.headers if "ratelimit" in name]


def test_every_answer_says_what_is_left_errors_and_streams_too(house: House) -> None:
    failed = house.keyed.call("once", 0, "failing")
    stream = house.keyed.begin("once", 1, "m")
    stream.read()
    refused = house.keyed.call("once", 0, content="x" * 500_000)
    assert (failed.status, stream.status, refused.status) == (502, 200, 400)
    assert failed.left("requests") - int(stream.headers["x-ratelimit-remaining-requests"]) == 1
    assert b'"param":"messages"' in refused.body
    stream.close()


@pytest.mark.parametrize("model", ["rescued", "fallen"])
def test_a_call_that_went_on_elsewhere_is_charged_once(house: House, model: str) -> None:
    before = house.keyed.call("once", 0, content="", max_tokens=0)
    stream = house.keyed.begin("once", 0, model)
    assert b"data: [DONE]" in stream.read()
    stream.close()
    after = house.keyed.call("once", 1, content="", max_tokens=0)
    own = 1  # token of the call that asks
    assert before.left("requests") - after.left("requests") == 2
    assert 20 <= before.left("tokens") - after.left("tokens") - own < 40
