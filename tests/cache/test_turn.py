"""Calls that ask for the same at the same time, in one worker and in several."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.call import Keeping
from app.core.clock import SystemClock
from app.core.errors import ErrorType, GatewayError
from app.store.memcached import Memcached
from app.store.memory import Memory
from app.store.store import Found, Store
from tests import memcached
from tests.cache.given import ANSWER, FAILURE, Asked, Worker, asks, plain
from tests.cache.many import Provider, started, waiting, well
from tests.gunicorn import until


@pytest.fixture(params=["one worker", "one worker over memcached", "two workers"])
def workers(request: pytest.FixtureRequest) -> Iterator[list[Worker]]:
    alone = request.param == "one worker"
    store: Store = Memory(SystemClock()) if alone else request.getfixturevalue("shared")
    made = [Worker(store, SystemClock()) for _ in range(2 if request.param == "two workers" else 1)]
    for worker in made:
        worker.watch.start()
    yield made
    for worker in made:
        worker.watch.stop()


def test_of_many_calls_one_asks_and_the_others_are_hits(pool: ThreadPoolExecutor, workers: list[Worker]) -> None:
    provider = Provider()
    calls = started(pool, workers, provider, 40, well)
    until(waiting(workers, 40 - len(workers)), "the others waiting")
    provider.open()

    said = sorted(call.result(20) for call in calls)

    assert provider.asked == 1
    assert said == ["hit"] * 39 + ["miss"]
    assert sum(worker.counted["get", "hit"] for worker in workers) == 39


def test_after_a_failure_the_next_one_tries_and_no_two_at_once(pool: ThreadPoolExecutor, workers: list[Worker]) -> None:
    def third_time_lucky(asked: Asked, nth: int) -> None:
        if nth < 3:
            asked.failed(FAILURE)
        else:
            well(asked, nth)

    provider = Provider()
    calls = started(pool, workers, provider, 20, third_time_lucky)
    until(waiting(workers, 20 - len(workers)), "the others waiting")
    provider.open()

    said = [call.result(20) for call in calls]

    assert provider.asked == 3
    assert provider.most_at_once == 1
    assert said.count("hit") == 17


def test_an_answer_that_is_not_kept_lets_everybody_ask(pool: ThreadPoolExecutor, workers: list[Worker]) -> None:
    def filtered(asked: Asked, nth: int) -> None:
        asked.answered(plain(finish="content_filter"))

    provider = Provider()
    calls = started(pool, workers, provider, 12, filtered)
    until(waiting(workers, 12 - len(workers)), "the others waiting")
    provider.open()

    assert [call.result(20) for call in calls] == ["miss"] * 12
    assert provider.asked == 12


def test_a_stream_waits_for_nobody(pool: ThreadPoolExecutor, workers: list[Worker]) -> None:
    provider = Provider()
    (first,) = started(pool, workers, provider, 1, well)
    until(lambda: provider.asked, "the first call")

    assert workers[-1].call(stream=True).fetch() is None

    provider.open()
    first.result(20)


def test_who_wants_a_fresh_answer_waits_for_nobody(pool: ThreadPoolExecutor, workers: list[Worker]) -> None:
    provider = Provider()
    (first,) = started(pool, workers, provider, 1, well)
    until(lambda: provider.asked, "the first call")

    assert workers[-1].call(keeping=Keeping(read=False)).fetch() is None

    provider.open()
    first.result(20)


def test_a_client_that_leaves_while_it_waits_is_let_go(pool: ThreadPoolExecutor, workers: list[Worker]) -> None:
    provider = Provider()
    (first,) = started(pool, workers, provider, 1, well)
    until(lambda: provider.asked, "the first call")
    ours, theirs = socket.socketpair()
    with ours:
        second = pool.submit(workers[-1].call(client=ours.fileno()).fetch)
        theirs.close()
        with pytest.raises(GatewayError) as caught:
            second.result(20)

    assert caught.value.type is ErrorType.CANCELLED
    provider.open()
    assert first.result(20) == "miss"
    assert workers[0].call().fetch() is not None


def test_nobody_waits_beyond_its_own_time(pool: ThreadPoolExecutor, workers: list[Worker]) -> None:
    provider = Provider()
    (first,) = started(pool, workers, provider, 1, well)
    until(lambda: provider.asked, "the first call")

    with pytest.raises(GatewayError) as caught:
        workers[-1].call(patience=0.2).fetch()

    assert (caught.value.type, caught.value.provider) == (ErrorType.TIMEOUT, "alpha")
    provider.open()
    first.result(20)


def test_a_leader_that_leaves_while_it_waits_for_another_worker_takes_nobody_along(
    pool: ThreadPoolExecutor, shared: Store
) -> None:
    one, two = Worker(shared, SystemClock()), Worker(shared, SystemClock())
    provider = Provider()
    (first,) = started(pool, [one], provider, 1, well)
    until(lambda: provider.asked, "the first call")
    two.watch.start()
    ours, theirs = socket.socketpair()
    with ours:
        leader = pool.submit(two.call(client=ours.fileno()).fetch)
        until(lambda: two.flights._flights, "a leader of the second worker")
        follower = pool.submit(provider.call, two.call(), well)
        until(waiting([two], 1), "a follower")
        theirs.close()
        with pytest.raises(GatewayError):
            leader.result(20)
    provider.open()

    assert first.result(20) == "miss"
    assert follower.result(20) == "hit"
    assert provider.asked == 1
    two.watch.stop()


def test_what_has_just_been_kept_is_found_by_who_looked_a_moment_too_early(shared: Store) -> None:
    """It saw that another call asks; when it comes to wait for that, the answer is there."""
    one, two = Worker(shared, SystemClock()), Worker(shared, SystemClock())
    first, second = one.call(), two.call()
    assert first.fetch() is None
    second.store.flush()
    first.answered(plain())

    assert second.fetch() == ANSWER


def test_who_has_the_claim_asks_though_another_call_of_its_worker_has_come_first(
    pool: ThreadPoolExecutor, shared: Store
) -> None:
    """Two look at the same time, and the one who hears first that it is claimed leads those who wait."""
    worker = Worker(shared, SystemClock())
    worker.watch.start()
    provider = Provider()
    first, second = worker.call(), worker.call()
    first.store.flush()
    leader = pool.submit(second.fetch)
    until(lambda: worker.flights._flights, "a leader without the claim")
    follower = pool.submit(worker.call().fetch)
    until(waiting([worker], 2), "a follower")
    asker = pool.submit(provider.call, first, well)
    provider.open()

    assert asker.result(20) == "miss"
    assert [leader.result(20), follower.result(20)] == [ANSWER, ANSWER]
    assert provider.asked == 1
    assert not worker.flights._flights
    worker.watch.stop()


@pytest.mark.parametrize("looked", [True, False], ids=["after its look", "before its look"])
def test_a_call_that_ends_before_its_turn_has_claimed_nothing(shared: Store, looked: bool) -> None:
    """Limits may refuse it, which they know by themselves or from the same round trip."""
    worker = Worker(shared, SystemClock())
    refused = worker.call()
    if looked:
        refused.store.flush()
        assert worker.flights.claims._held
    refused.failed(FAILURE)

    assert not worker.flights.claims._held
    assert shared.read(refused.visit._terms.key) == Found(None)  # type: ignore[attr-defined]
    assert asks(worker)


def test_without_memcached_each_worker_asks_once(pool: ThreadPoolExecutor) -> None:
    with memcached.memcached() as server:
        stores = [Memcached((server.name,), (), 0.05, 0.05, 16) for _ in range(2)]
        workers = [Worker(store, SystemClock()) for store in stores]
        server.kill()
        for worker in workers:
            worker.store.read("x")
        assert all(store.gone() for store in stores)
        provider = Provider()
        calls = started(pool, workers, provider, 20, well)
        until(waiting(workers, 18), "the others waiting")
        provider.open()

        said = [call.result(20) for call in calls]

        assert provider.asked == 2
        assert said.count("hit") == 18
        assert said.count("bypass") == 2
        assert sum(worker.counted["get", "error"] for worker in workers) == 2
        for store in stores:
            store.close()
