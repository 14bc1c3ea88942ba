"""Several processes that count over one memcached."""

import threading

from app.core.errors import GatewayError
from app.limits.parts import Inside, Limit, What
from app.limits.place import HOLD, RENEW, Place
from app.store.memcached import Memcached
from app.store.store import key, read
from tests.clock import ManualClock
from tests.limits.given import Process, hire
from tests.memcached import Memcached as Server


def inside(process: Process, server: Server) -> int:
    """What the store says of all calls inside, whoever asks."""
    call = process.call()
    found = 100 - int(call.headers["remaining-concurrency"]) - 1
    call.ends()
    return found


def test_processes_share_requests(shared: Memcached, clock: ManualClock, tenant: str) -> None:
    a, b = hire(shared, clock, tenant, requests=5)
    assert [p.admits() for p in (a, b, a, b, b, a, b)] == [True] * 5 + [False] * 2
    clock.sleep(61)
    assert [b.admits() for _ in range(6)] == [True] * 5 + [False]
    assert not a.admits()


def test_processes_share_tokens(shared: Memcached, clock: ManualClock, tenant: str) -> None:
    a, b = hire(shared, clock, tenant, tokens=1000)
    a.call().answers(300, 300)
    running = b.call({"messages": [], "max_tokens": 400})
    assert not a.admits()
    running.answers(0, 100)
    clock.sleep(1)
    assert a.admits(body={"messages": [], "max_tokens": 300}), "within a second, what was settled is known everywhere"
    assert not a.admits(body={"messages": [], "max_tokens": 301})


def test_processes_share_places(shared: Memcached, clock: ManualClock, tenant: str) -> None:
    office = hire(shared, clock, tenant, 5, concurrent=6)
    calls = [process.call() for process in office]
    calls.append(office[0].call())
    assert [process.admits() for process in office] == [False] * 5
    calls[3].ends()
    assert [process.admits() for process in office] == [True] * 5
    for call in calls[:3] + calls[4:]:
        call.ends()
    calls = [office[4].call() for _ in range(6)]
    assert [process.admits() for process in office] == [False] * 5


def test_tenants_share_nothing(shared: Memcached, clock: ManualClock, tenant: str) -> None:
    a, b = Process(shared, clock, tenant=tenant, requests=1), Process(shared, clock, tenant=tenant + "x", requests=1)
    assert a.admits()
    assert b.admits()
    assert not a.admits()


def test_clocks_a_second_apart_change_nothing(shared: Memcached, clock: ManualClock, tenant: str) -> None:
    ahead = ManualClock(clock.now + 1)
    a, b = Process(shared, clock, tenant=tenant, requests=4), Process(shared, ahead, tenant=tenant, requests=4)
    assert [p.admits() for p in (b, a, b, a)] == [True] * 4
    assert [p.admits() for p in (a, b)] == [False] * 2
    clock.sleep(60)
    ahead.sleep(60)
    assert not a.admits()


def test_nothing_gets_past_a_limit_in_a_crowd_and_nothing_is_lost(
    own: tuple[Server, Memcached], clock: ManualClock, tenant: str
) -> None:
    """Forty threads over four processes, each of which gives back what it took; and none loses patience."""
    shared = Memcached((own[0].name,), (), 30.0, 60.0, 4)
    office = hire(shared, clock, tenant, 4, requests=300, tokens=60_000, concurrent=15)
    admitted, most, now = 0, 0, 0
    lock = threading.Lock()

    def work(process: Process) -> None:
        nonlocal admitted, most, now
        for _ in range(40):
            try:
                call = process.call()
            except GatewayError:
                continue
            with lock:
                admitted += 1
                now += 1
                most = max(most, now)
            call.asks().says(40)
            with lock:
                now -= 1
            call.ends()

    threads = [threading.Thread(target=work, args=(office[n % 4],)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert admitted <= 300
    assert most <= 15
    clock.sleep(1)
    found = Process(shared, clock, tenant=tenant, requests=10_000, tokens=1_000_000, concurrent=1000).call()
    assert int(found.headers["remaining-requests"]) == 10_000 - admitted - 1
    assert int(found.headers["remaining-tokens"]) == 1_000_000 - admitted * 109 - 149
    assert int(found.headers["remaining-concurrency"]) == 999
    shared.close()


def test_a_process_that_is_gone_leaves_its_places_when_its_time_is_over(
    own: tuple[Server, Memcached], clock: ManualClock
) -> None:
    """Its counters are not renewed; here they are taken away instead of waited for."""
    server, store = own
    a, b = hire(store, clock, "t", concurrent=100)
    for _ in range(40):
        a.call()
    assert inside(b, server) == 40
    place = key("limits", "t")
    server.send(b"delete %sm0\r\n" % place.encode())
    server.send(b"delete %sc0\r\n" % key("limits", "t", "").encode())
    assert inside(b, server) == 0
    successor = Process(store, clock, tenant="t", concurrent=100)
    assert inside(successor, server) == 0
    assert server.send(b"get %sm0\r\n" % place.encode()) != b"END\r\n", "and its number is used again"


def test_a_number_is_held_for_longer_than_the_counters_that_go_with_it(
    own: tuple[Server, Memcached], clock: ManualClock
) -> None:
    """Or whoever takes it next would go on with the calls of a dead process. Both are looked at after their renewal."""
    server, store = own
    a = Process(store, clock, tenant="t", concurrent=100)
    calls = [a.call() for _ in range(7)]
    clock.sleep(11)
    a.tick()

    def lives(name: str) -> int:
        return int(server.send(b"mg %s t\r\n" % name.encode()).removeprefix(b"HD t"))

    assert lives(key("limits", "t", "") + "c0") <= HOLD
    assert lives(key("limits", "t") + "m0") > HOLD + RENEW
    assert len(calls) == 7


def test_who_is_inside_when_a_number_is_taken_is_told_of_once(
    own: tuple[Server, Memcached], clock: ManualClock
) -> None:
    _, store = own
    place = Place("t", clock)
    subject = place.subject("")
    limit = Limit(What.CONCURRENCY, "", most=10, share=10)

    def there() -> int | None:
        found = store.tally(key("limits", "t"), [read(subject.key(0))])
        return found[0] if found else None

    early, gone = Inside(place, subject, limit), Inside(place, subject, limit)
    assert gone.leave() == (), "nobody has told the store of it"
    place.join(store)
    assert (place.number, there()) == (0, 1)
    assert all(step.by is None for step in early.steps()), "it is there already"
    late = Inside(place, subject, limit)
    place.ask(store, late.steps())
    assert there() == 2
    place.ask(store, [*early.leave(), *late.leave()])
    assert (there(), subject.inside) == (0, 0)


def test_a_tenant_that_has_been_silent_for_a_minute_costs_nothing(
    own: tuple[Server, Memcached], clock: ManualClock
) -> None:
    server, store = own
    a, b = hire(store, clock, "t", requests=10, concurrent=5)
    running = a.call()
    for _ in range(70):
        clock.sleep(1)
        a.tick()
    assert [b.call().headers["remaining-concurrency"] for _ in range(4)] == ["3", "2", "1", "0"], "one runs still"
    running.ends()
    for _ in range(70):
        clock.sleep(1)
        a.tick()

    def asked() -> bytes:
        return b"".join(line for line in server.send(b"stats\r\n").splitlines() if b"cmd_meta" in line)

    before = asked()
    for _ in range(20):
        clock.sleep(1)
        a.tick()
    assert asked() == before
    assert a.admits()


def test_living_processes_keep_their_places(shared: Memcached, clock: ManualClock, tenant: str) -> None:
    """Renewing them changes no number."""
    a, b = hire(shared, clock, tenant, concurrent=100)
    calls = [a.call() for _ in range(3)]
    for _ in range(40):
        clock.sleep(1)
        a.tick()
        b.tick()
    assert 100 - int(b.call().headers["remaining-concurrency"]) == 4
    calls[0].ends()
    assert 100 - int(b.call().headers["remaining-concurrency"]) == 4


def test_a_counter_that_went_wrong_is_put_right(own: tuple[Server, Memcached], clock: ManualClock) -> None:
    server, store = own
    a = Process(store, clock, tenant="t", concurrent=100)
    calls = [a.call() for _ in range(3)]
    server.send(b"incr %sc0 40\r\n" % key("limits", "t", "").encode())
    for _ in range(25):
        clock.sleep(1)
        a.tick()
    assert inside(a, server) == 3
    calls[0].ends()
    assert inside(a, server) == 2


def test_no_name_of_a_tenant_or_model_is_in_the_store(own: tuple[Server, Memcached], clock: ManualClock) -> None:
    server, store = own
    process = Process(store, clock, tenant="acme-canary", requests=5, tokens=1000, concurrent=5)
    process.call().answers(10, 10)
    dump = server.send(b"lru_crawler metadump all\r\n")
    assert dump.count(b"key=") >= 4
    assert b"canary" not in dump
