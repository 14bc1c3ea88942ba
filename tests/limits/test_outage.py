"""What becomes of limits when memcached is gone, comes back, is restarted or full."""

import threading
from collections.abc import Callable

from app.store.memcached import Memcached
from app.store.store import A, Question, Store, nothing
from tests.clock import ManualClock
from tests.gunicorn import until
from tests.limits.given import Process, hire
from tests.memcached import Memcached as Server
from tests.memcached import memcached


class Gone:
    """A store that can be told to be gone, or to do as it is told and lose the answer."""

    is_shared = True

    def __init__(self, store: Store) -> None:
        self.store = store
        self.is_gone = False
        self.loses_answers = False

    def for_call(self) -> "Gone":
        return self

    def behind(self, lock: threading.Lock) -> bool:
        return self.store.behind(lock)

    def gone(self) -> list[str]:
        return ["it"] if self.is_gone else []

    def tally(self, *asked: object) -> object:
        found = None if self.is_gone else self.store.tally(*asked)  # type: ignore[arg-type]
        return None if self.loses_answers else found

    def soon(self, question: Question[A], then: Callable[[A], object]) -> Callable[[], None]:
        then(question.of(self))  # type: ignore[arg-type]
        return nothing

    def flush(self) -> None:
        pass


def restart(server: Server, store: Memcached) -> None:
    server.kill()
    server.start()
    until(lambda: not store.gone(), "answer", 5)


def test_without_the_store_each_process_keeps_to_its_share(shared: Memcached, clock: ManualClock, tenant: str) -> None:
    gone = Gone(shared)
    office = hire(gone, clock, tenant, 4, requests=8, concurrent=4, tokens=100_000)  # type: ignore[arg-type]
    gone.is_gone = True
    for process in office:
        assert [process.admits() for _ in range(3)] == [True, True, False]
        assert process.hits == {"requests": 1}
    clock.sleep(61)
    calls = [process.call() for process in office]
    for process in office:
        assert not process.admits()
        assert process.hits["concurrency"] == 1
    assert calls[0].headers["limit-requests"] == "2"


def test_a_share_is_at_least_one_call(shared: Memcached, clock: ManualClock, tenant: str) -> None:
    gone = Gone(shared)
    gone.is_gone = True
    one = Process(gone, clock, tenant=tenant, processes=100, requests=3, tokens=50, concurrent=2)  # type: ignore[arg-type]
    body = {"messages": [], "max_tokens": 40}
    assert one.admits(body=body)
    assert not one.admits(body=body)


def test_what_was_used_before_an_outage_counts_in_it(shared: Memcached, clock: ManualClock, tenant: str) -> None:
    gone = Gone(shared)
    a, b = hire(gone, clock, tenant, requests=10)  # type: ignore[arg-type]
    for _ in range(4):
        assert a.admits()
    gone.is_gone = True
    assert [a.admits() for _ in range(2)] == [True, False]
    assert [b.admits() for _ in range(6)] == [True] * 5 + [False]


def test_after_an_outage_everybody_adds_what_was_let_in_meanwhile(
    shared: Memcached, clock: ManualClock, tenant: str
) -> None:
    gone = Gone(shared)
    a, b = hire(gone, clock, tenant, requests=20, tokens=10_000)  # type: ignore[arg-type]
    a.call().answers(80, 20)
    running = a.call()
    gone.is_gone = True
    for _ in range(4):
        a.call().answers(80, 20)
        b.call().answers(80, 20)
    running.answers(50, 50)
    clock.sleep(10)
    gone.is_gone = False
    a.tick()
    b.tick()
    clock.sleep(3)
    found = b.call({"messages": [], "max_tokens": 0}).headers
    assert (found["remaining-requests"], found["remaining-tokens"]) == ("9", "9000")


def test_right_after_an_outage_each_still_keeps_to_its_share(
    shared: Memcached, clock: ManualClock, tenant: str
) -> None:
    """The others may not have added theirs yet."""
    gone = Gone(shared)
    a, b = hire(gone, clock, tenant, requests=20)  # type: ignore[arg-type]
    gone.is_gone = True
    for _ in range(10):
        assert a.admits()
        assert b.admits()
    clock.sleep(5)
    gone.is_gone = False
    assert not b.admits()
    a.tick()
    b.tick()
    clock.sleep(3)
    assert not a.admits()
    clock.sleep(61)
    assert [a.admits() for _ in range(21)] == [True] * 20 + [False]


def test_a_store_that_was_emptied_twice_is_never_taken_for_the_one_that_was_there(
    own: tuple[Server, Memcached], clock: ManualClock
) -> None:
    """Whoever begins it anew may not know that it has: the answer was lost, and another one counts on it meanwhile."""
    server, shared = own
    loses = Gone(shared)
    a, b = Process(loses, clock, tenant="t", requests=10), Process(shared, clock, tenant="t", requests=10)  # type: ignore[arg-type]
    loses.loses_answers = True
    a.admits()
    loses.loses_answers = False
    assert b.admits()
    restart(server, shared)
    assert a.admits()
    place = b.books.place("t")
    before = place._generation
    b.tick()
    assert place._generation not in (None, before)


def test_a_blink_of_the_store_is_no_outage(shared: Memcached, clock: ManualClock, tenant: str) -> None:
    gone = Gone(shared)
    a, b = hire(gone, clock, tenant, requests=20)  # type: ignore[arg-type]
    gone.is_gone = True
    assert a.admits()
    gone.is_gone = False
    clock.sleep(0.1)
    a.tick()
    assert [a.admits() for _ in range(20)] == [True] * 19 + [False]
    assert not b.admits()


def test_what_may_have_been_given_back_is_not_given_back_again(
    shared: Memcached, clock: ManualClock, tenant: str
) -> None:
    """When in doubt, a tenant has used too much, and not too little."""
    gone = Gone(shared)
    a, b = hire(gone, clock, tenant, tokens=1000)  # type: ignore[arg-type]
    b.call().answers(400, 100)
    call = a.call()
    gone.loses_answers = True
    call.answers(80, 20)
    gone.loses_answers = False
    for _ in range(3):
        a.tick()
        clock.sleep(1)
    assert b.call({"messages": [], "max_tokens": 0}).headers["remaining-tokens"] == "400"


def test_what_may_not_have_been_counted_is_counted(shared: Memcached, clock: ManualClock, tenant: str) -> None:
    gone = Gone(shared)
    a, b = hire(gone, clock, tenant, tokens=1000)  # type: ignore[arg-type]
    call = a.call()
    gone.is_gone = True
    call.answers(400, 300)
    gone.is_gone = False
    for _ in range(3):
        a.tick()
        clock.sleep(1)
    assert b.call({"messages": [], "max_tokens": 0}).headers["remaining-tokens"] == "300"


def test_a_restarted_store_is_told_again_what_it_knew(own: tuple[Server, Memcached], clock: ManualClock) -> None:
    server, store = own
    a, b = hire(store, clock, "t", requests=20, tokens=10_000, concurrent=100)
    for _ in range(4):
        a.call().answers(80, 20)
        b.call().answers(80, 20)
    calls = [a.call(), b.call()]
    restart(server, store)
    clock.sleep(1)
    a.tick()
    b.tick()
    clock.sleep(3)
    found = b.call({"messages": [], "max_tokens": 0}).headers
    assert (found["remaining-requests"], found["remaining-tokens"]) == ("9", str(10_000 - 800 - 2 * 149))
    assert 100 - int(a.call().headers["remaining-concurrency"]) == 4
    assert 100 - int(b.call().headers["remaining-concurrency"]) == 5
    for call in calls:
        call.ends()
    assert 100 - int(a.call().headers["remaining-concurrency"]) == 4


def test_right_after_a_restart_nobody_takes_the_empty_store_at_its_word(
    own: tuple[Server, Memcached], clock: ManualClock
) -> None:
    server, store = own
    a, b = hire(store, clock, "t", requests=20)
    for _ in range(10):
        assert a.admits()
        assert b.admits()
    restart(server, store)
    clock.sleep(1)
    assert not a.admits()
    assert not b.admits()


def test_a_full_store_is_one_that_cannot_be_asked(clock: ManualClock) -> None:
    with memcached("-M", "-m", "2") as server:
        store = Memcached((server.name,), (), 1.0, 1.0, 4)
        a, b = hire(store, clock, "t", requests=20)
        assert a.admits()
        for size in (100_000, 1_000, 100, 50, 20, 10, 1):
            sets = [b"set k%d-%d 0 0 %d noreply\r\n%s\r\n" % (size, n, size, b"x" * size) for n in range(30_000)]
            server.send(b"".join(sets[: 3_000_000 // size]) + b"mn\r\n")
        clock.sleep(1)
        assert [a.admits() for _ in range(10)] == [True] * 9 + [False]
        assert [b.admits() for _ in range(11)] == [True] * 10 + [False]
        store.close()
