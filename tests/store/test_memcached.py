"""memcached in every kind of trouble: what is answered then, who waits, and that it comes back by itself."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from app.limits.place import AGREE, OUTAGE
from app.store import patience
from app.store.memcached import Memcached
from app.store.server import RESTS, TRIES
from app.store.store import Claim, Found, add, key, read, take
from tests import memcached as real
from tests.gunicorn import until
from tests.store.liar import Liar
from tests.wire.proxy import Wire

WHERE = key("a place")
GONE = Found(None, asked=False)


@pytest.fixture
def server() -> Iterator[real.Memcached]:
    with real.memcached() as one:
        yield one


def client(*servers: str, counters: tuple[str, ...] = (), timeout: float = 1.0, pool: int = 4) -> Memcached:
    return Memcached(servers, counters, timeout, timeout, pool)


def answers_gone(store: Memcached) -> bool:
    return (
        store.read(WHERE) == GONE
        and not store.write(WHERE, b"v", 60)
        and store.claim(WHERE, b"v", 60) is Claim.GONE
        and not store.release(WHERE, b"v")
        and not store.drop(WHERE)
        and store.tally(WHERE, [read(WHERE)]) is None
    )


def test_every_method_says_what_it_says_without_a_server() -> None:
    store = client("127.0.0.1:1")
    assert store.gone() == ["127.0.0.1:1"]
    assert answers_gone(store)
    store.close()


def test_a_name_that_nobody_knows_is_a_server_that_is_gone() -> None:
    store = client("memcached.invalid:11211")
    assert store.gone() == ["memcached.invalid:11211"]
    assert answers_gone(store)
    store.close()


def test_a_killed_server_is_found_again_when_it_is_back(server: real.Memcached) -> None:
    store = client(server.name)
    assert store.write(WHERE, b"v", 60)
    server.kill()
    assert store.read(WHERE) == GONE
    assert store.gone() == [server.name]
    assert answers_gone(store)
    server.start()
    until(lambda: not store.gone(), "answer", 5)
    assert store.read(WHERE) == Found(None)
    store.close()


def test_a_restart_between_two_calls_is_not_even_noticed(server: real.Memcached) -> None:
    """Every connection that is kept is dead then; a fresh one is good."""
    store = client(server.name)
    threads = [threading.Thread(target=store.read, args=(WHERE,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.kill()
    server.start()
    assert store.tally(WHERE, [add(WHERE, 1, 60)]) == [1]
    assert not store.gone()
    store.close()


def test_a_silent_server_delays_those_who_were_waiting_and_nobody_after_them(server: real.Memcached) -> None:
    store = client(server.name, timeout=0.2)
    assert store.write(WHERE, b"v", 60)
    server.stop()
    assert store.read(WHERE) == GONE
    assert store.gone() == [server.name]
    assert answers_gone(store)
    server.go_on()
    until(lambda: not store.gone(), "answer", 5)
    assert store.read(WHERE) == Found(b"v")
    store.close()


def test_no_more_than_a_few_wait_for_a_silent_server(server: real.Memcached) -> None:
    """Whoever finds that others wait for it already goes on without."""
    store = client(server.name, timeout=30.0, pool=40)
    server.stop()
    threads = [threading.Thread(target=store.for_call().read, args=(WHERE,)) for _ in range(40)]
    for thread in threads:
        thread.start()
    until(lambda: sum(thread.is_alive() for thread in threads) == patience.SEATS, "end of the others", 10)
    assert store.for_call().read(WHERE) == GONE
    assert not store.gone(), "nobody knows yet that it is gone"
    server.go_on()
    for thread in threads:
        thread.join()
    assert store.read(WHERE) == Found(None)
    store.close()


def test_a_full_pool_is_waited_for(server: real.Memcached) -> None:
    """And an answer that takes its time is waited for as well."""
    with Wire(server.port) as wire:
        store = client(f"127.0.0.1:{wire.port}", timeout=30.0, pool=2)
        wire.latency = 0.05
        made = len(wire.arrivals)
        found = list[Found]()
        threads = [threading.Thread(target=lambda: found.append(store.read(WHERE))) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [Found(None)] * 5
        assert len(wire.arrivals) - made <= 2
        store.close()


def test_a_blackhole_is_left_alone_until_it_ends(server: real.Memcached) -> None:
    with Wire(server.port) as wire:
        store = client(f"127.0.0.1:{wire.port}", timeout=0.2)
        assert store.write(WHERE, b"v", 60)
        wire.blackhole()
        assert store.read(WHERE) == GONE
        made = len(wire.arrivals)
        assert all(answers_gone(store) for _ in range(100))
        assert len(wire.arrivals) == made
        wire.restore()
        until(lambda: not store.gone(), "answer", 5)
        assert store.read(WHERE) == Found(b"v")
        store.close()


def test_an_answer_in_pieces_is_put_together(server: real.Memcached) -> None:
    with Wire(server.port) as wire:
        store = client(f"127.0.0.1:{wire.port}", timeout=30.0)
        wire.rate = 20_000.0  # bytes a second
        assert store.tally(WHERE, [add(f"{WHERE}{n}", n, 60) for n in range(200)]) == list(range(200))
        store.close()


def test_an_answer_that_dribbles_does_not_hold_a_call_for_longer_than_its_time(server: real.Memcached) -> None:
    with Wire(server.port) as wire:
        store = client(f"127.0.0.1:{wire.port}", timeout=1.0)
        assert store.write(WHERE, bytes(100_000), 60)
        wire.rate = 1_000.0
        began = time.monotonic()
        assert store.read(WHERE) == GONE
        assert time.monotonic() - began < 10, "a hundred seconds, if each piece had its own time"
        store.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"\x00\xff\xfe garbage",
        b"garbage\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"ERROR\r\n",
        b"VALUE another 0 3\r\nabc\r\nEND\r\n",
        b"VA 99999999\r\n1\r\n",
        b"VA 3\r\n1\r\n",
        b"EN\r\nEN\r\nEN\r\n",
        b"VA x\r\n1\r\n",
        b"VA 1\r\n1\r\n",
        b"VA 1 O3\r\n1\r\n",  # to the next question
        b"EN O3\r\n",
        b"\r\n",
    ],
)
def test_nonsense_is_a_server_that_is_gone(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """It is looked at again at once, and greets as it should, so that it may be back before anybody has asked."""
    with Liar(answer) as liar, closing(client(liar.name, timeout=0.3)) as tallies:
        assert tallies.tally(WHERE, [read(WHERE)]) is None
        assert "does not answer" in caplog.text
        caplog.clear()
        with closing(client(liar.name, timeout=0.3)) as values:
            assert values.read(WHERE) == GONE
            assert "does not answer" in caplog.text


@pytest.mark.parametrize("value", [b"words", b"-5", b"99999999999999999999", b"1.5", b""])
def test_a_number_that_is_none_is_no_number(value: bytes) -> None:
    with Liar(b"VA %d O2\r\n%s\r\n" % (len(value), value)) as liar:
        store = client(liar.name)
        assert store.tally(WHERE, [read(WHERE)]) == [None]
        assert not store.gone()
        store.close()


def test_a_memcached_without_meta_commands_is_no_memcached() -> None:
    with Liar(b"END\r\n", greeting=b"ERROR\r\n") as old:
        store = client(old.name, timeout=0.3)
        assert store.gone() == [old.name]
        store.close()


@pytest.mark.parametrize("answer", [b"garbage\r\n", b"ERROR\r\n", b"EN\r\nEN\r\n"])
def test_what_greets_as_memcached_does_and_talks_nonsense_is_asked_by_no_call(answer: bytes) -> None:
    """Whoever tried it with a greeting alone would let calls find out, again and again."""
    with Liar(answer, lies_at_once=True) as liar, closing(client(liar.name, timeout=0.3)) as store:
        assert store.gone() == [liar.name]
        assert answers_gone(store)


def test_a_moment_of_trouble_twice_is_no_outage_and_everybody_counts_together_in_time() -> None:
    """Sums of what is waited for: nothing here is measured. A try takes three timeouts of 50 ms at most."""
    a_try, a_tick = 0.15, 1.0
    for failures in (1, 2):
        assert RESTS[failures - 1] + a_try + TRIES[0] + a_try < OUTAGE
    longest = max(RESTS[-1], TRIES[-1] + a_try) + a_try + a_tick
    assert longest < AGREE + 0.25, "all have added what they let in when they agree"
    assert longest + AGREE < 4.5, "5 are promised"


def test_a_full_server_takes_no_counter_and_is_not_gone() -> None:
    with real.memcached("-M", "-m", "2") as full:
        store = client(full.name)
        for n in range(200):
            full.send(b"set k%d 0 0 100000\r\n%s\r\n" % (n, bytes(100_000)))
        numbers = store.tally(WHERE, [add(f"{WHERE}{n}", 1, 60) for n in range(20_000)])
        assert numbers is not None
        assert None in numbers
        assert not store.write(WHERE, bytes(100_000), 60)
        assert store.read(WHERE).asked
        assert not store.gone()
        store.close()
        other = client(full.name)
        assert not other.gone(), "one that has no room even for what it is tried with"
        other.close()


def test_what_is_too_large_is_not_written_and_does_no_harm(server: real.Memcached) -> None:
    store = client(server.name)
    assert not store.write(WHERE, bytes(2_000_000), 60)
    assert not store.gone()
    assert store.read(WHERE) == Found(None)
    store.close()


def test_a_new_server_takes_over_its_share_and_nothing_else_moves() -> None:
    with real.memcached() as one, real.memcached() as two, real.memcached() as three:
        before, after = client(one.name, two.name), client(one.name, two.name, three.name)
        keys = [key("moves", str(n)) for n in range(300)]
        for where in keys:
            assert before.write(where, b"v", 60)
        moved = sum(after.read(where).value is None for where in keys)
        assert 60 < moved < 140
        before.close()
        after.close()


def test_one_server_of_several_is_gone_alone() -> None:
    with real.memcached() as one, real.memcached() as two:
        store = client(one.name, two.name)
        two.kill()
        asked = [store.read(key("alone", str(n))).asked for n in range(50)]
        assert store.gone() == [two.name]
        assert 10 < sum(asked) < 40
        store.close()


def test_counters_live_on_servers_of_their_own() -> None:
    with real.memcached() as values, real.memcached() as counters:
        store = client(values.name, counters=(counters.name,))
        store.tally(WHERE, [add(WHERE, 7, 60)])
        assert b"VA 1\r\n7" in counters.send(b"mg %s v\r\n" % WHERE.encode())
        values.kill()
        assert store.tally(WHERE, [take(WHERE, 3)]) == [4]
        store.close()
