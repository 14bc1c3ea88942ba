"""Claims to be the one who asks, in a store that others may write to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.cache import turn
from app.cache.flights import RENEW
from app.core.clock import SystemClock
from app.store.store import Store
from tests.cache.given import FAILURE, Clock, Worker, asks, streamed
from tests.cache.many import Provider, started, well


def test_a_claim_is_renewed_while_its_holder_lives_and_only_then(shared: Store) -> None:
    clock = Clock()
    one = Worker(shared, clock)
    first = one.call()
    assert first.fetch() is None
    lock = first.visit._terms.key  # type: ignore[attr-defined]
    before = shared.read(lock).value

    one.flights.claims.renew(shared)
    assert shared.read(lock).value == before, "not yet"
    clock.now += RENEW
    one.flights.claims.renew(shared)
    renewed = shared.read(lock).value
    assert renewed not in (None, before)

    first.failed(FAILURE)
    assert shared.read(lock).value is None
    clock.now += RENEW
    one.flights.claims.renew(shared)
    assert shared.read(lock).value is None


def test_a_claim_of_a_killed_worker_runs_out(pool: ThreadPoolExecutor, shared: Store) -> None:
    killed, other = Worker(shared, SystemClock()), Worker(shared, SystemClock())
    assert killed.call().fetch() is None  # and nothing is ever heard of it again
    provider = Provider()
    provider.open()

    calls = started(pool, [other], provider, 10, well)

    assert sorted(call.result(20) for call in calls) == ["hit"] * 9 + ["miss"]
    assert provider.asked == 1


def test_a_claim_that_nobody_could_have_made_stops_nobody_for_long(
    shared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can write to memcached can put one there for ever."""
    worker = Worker(shared, SystemClock())
    call = worker.call(patience=10)
    shared.write(call.visit._terms.key, b"?" + bytes(12), 0)  # type: ignore[attr-defined]
    monkeypatch.setattr(turn, "TTL", 0)

    assert call.fetch() is None, "and no GatewayError, after all its time"


def test_a_claim_is_not_renewed_over_an_answer_that_a_stream_has_left(shared: Store) -> None:
    clock = Clock()
    worker = Worker(shared, clock)
    first, stream = worker.call(), worker.call(stream=True)
    assert first.fetch() is None
    assert stream.fetch() is None
    stream.answered(*streamed("Hi"))

    clock.now += RENEW
    worker.flights.claims.renew(shared)
    first.failed(FAILURE)

    assert not asks(worker)
