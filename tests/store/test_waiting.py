"""What one call waits for a memcached that falls silent, whatever it asks for: real sockets, a real server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from app.core.clock import SystemClock
from app.store.line import Line
from app.store.memcached import Memcached
from app.store.patience import SEATS, Crowded, Patience, Queue, Seats
from app.store.store import Claim, Found, Store, add, key
from tests import memcached as real
from tests.gunicorn import until
from tests.wire import Wire

WHERE = key("a place")
GONE = Found(None, asked=False)


@pytest.fixture
def wire() -> Iterator[Wire]:
    with real.memcached() as server, Wire(server.port) as wire:
        yield wire


def stored(wire: Wire, timeout: float, pool: int = 16) -> Memcached:
    store = Memcached((f"127.0.0.1:{wire.port}",), (), timeout, timeout, pool)
    assert store.write(WHERE, b"v", 60)
    return store


def asks_nothing(call: Store) -> bool:
    return (
        call.read(WHERE) == GONE
        and not call.write(WHERE, b"w", 60)
        and call.claim(key("another"), b"w", 60) is Claim.GONE
        and not call.swap(WHERE, b"v", b"w", 60)
        and not call.release(WHERE, b"v")
        and not call.drop(WHERE)
        and call.tally(WHERE, [add(key("number"), 1, 60)]) is None
    )


def test_a_call_that_has_waited_in_vain_asks_no_more_though_others_do(wire: Wire) -> None:
    """All its time went into the first of its operations: even when the server is back there is none for another."""
    with closing(stored(wire, 0.2)) as store:
        call = store.for_call()
        wire.blackhole()
        assert call.read(WHERE) == GONE
        assert call.waits == 1
        assert store.gone()
        wire.restore()
        until(lambda: not store.gone(), "answer", 5)
        assert call.gone()
        assert asks_nothing(call)
        until(lambda: store.for_call().read(WHERE) == Found(b"v"), "another call's answer", 5)


def test_of_many_calls_five_wait_and_the_others_have_most_of_their_time_left(wire: Wire) -> None:
    with closing(stored(wire, 1.0)) as store:
        calls = [store.for_call() for _ in range(SEATS + 4)]
        threads = [threading.Thread(target=call.read, args=(WHERE,)) for call in calls]
        wire.blackhole()
        for thread in threads:
            thread.start()
        until(store.gone, "the end of their patience", 10)
        for thread in threads:
            thread.join()
        assert sum(call.waits for call in calls) == SEATS
        wire.restore()
        others = [call for call in calls if not call.waits]
        until(lambda: all(call.read(WHERE) == Found(b"v") for call in others), "answers for the others", 10)


def test_what_goes_on_beside_calls_takes_no_seat_and_finds_out_by_itself(wire: Wire) -> None:
    with closing(stored(wire, 0.2)) as store:
        wire.blackhole()
        store.look()
        assert store.gone()
        wire.restore()
        until(lambda: not store.gone(), "answer", 5)
        assert store.for_call().read(WHERE) == Found(b"v")


def test_a_full_pool_in_front_of_a_silent_server_holds_nobody_for_long(wire: Wire) -> None:
    """One connection, held by one call that waits in vain: those behind it need no seat to find out."""
    with closing(stored(wire, 1.0, pool=1)) as store:
        calls = [store.for_call() for _ in range(10)]
        threads = [threading.Thread(target=call.drop, args=(WHERE,)) for call in calls]
        wire.blackhole()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(call.waits for call in calls) == 1
        assert store.gone()


def test_a_connection_that_does_not_come_takes_a_seat_and_no_more_time_than_a_call_has() -> None:
    clock = SystemClock()
    seats = Seats(clock)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        full = [socket.socket() for _ in range(4)]  # nobody accepts: further ones are not even answered
        for one in full:
            one.setblocking(False)
            one.connect_ex(address)
        calls = [Patience(0.2, clock, seats) for _ in range(SEATS + 1)]
        for call in calls:
            wait = call.begin(Queue(seats))
            assert wait is not None
            with pytest.raises(Crowded if call is calls[-1] else TimeoutError):
                Line(address).open(wait, 5.0)
            wait.over(answered=False)
        assert [call.waits for call in calls] == [1] * SEATS + [0]
        for one in full:
            one.close()


def test_a_connection_that_comes_late_is_good() -> None:
    clock = SystemClock()
    seats = Seats(clock)
    call, queue = Patience(20.0, clock, seats), Queue(seats)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        full = [socket.socket() for _ in range(4)]
        for one in full:
            one.setblocking(False)
            one.connect_ex(address)

        def serve() -> None:
            until(lambda: not queue.moves, "somebody who waits for a connection", 20)
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection:
                while connection.recv(100):
                    connection.sendall(b"MN\r\n")

        threading.Thread(target=serve, daemon=True).start()
        wait = call.begin(queue)
        assert wait is not None
        line = Line(address)
        line.open(wait, 20.0)
        line.appoint(wait)
        line.greet()
        wait.over(answered=True)
        line.close()
        for one in full:
            one.close()
        listener.shutdown(socket.SHUT_RDWR)


def test_a_large_value_needs_no_seat_as_long_as_it_flows(wire: Wire) -> None:
    with closing(stored(wire, 5.0)) as store:
        assert store.write(WHERE, bytes(900_000), 60)
        wire.rate = 500_000.0  # bytes a second; a grace is one
        call = store.for_call()
        assert call.read(WHERE) == Found(bytes(900_000))
        assert call.waited == 0.0


def test_a_slow_server_is_waited_for_and_by_one_call_no_longer_than_for_a_silent_one(wire: Wire) -> None:
    """Each answer comes in time for an operation; together they take more than a call has."""
    with closing(stored(wire, 2.0)) as store:
        wire.latency = 0.6  # each way
        call = store.for_call()
        assert call.read(WHERE) == Found(b"v")
        assert call.waits == 0, "in vain"
        assert call.waited > 0
        assert call.read(WHERE) == GONE
        assert asks_nothing(call)


def test_a_server_with_no_connection_left_is_gone_until_there_is_one() -> None:
    with real.memcached("-c", "20") as server:
        held: list[socket.socket] = []
        with suppress(ConnectionError):
            while len(held) < 20:
                one = socket.create_connection(("127.0.0.1", server.port), 5)
                held.append(one)
                one.sendall(b"mn\r\n")
                if one.recv(100) != b"MN\r\n":
                    break
        with closing(Memcached((server.name,), (), 0.3, 0.3, 4)) as store:
            assert store.gone()
            assert asks_nothing(store.for_call())
            for one in held:
                one.close()
            until(lambda: not store.gone(), "answer", 10)
            assert store.for_call().read(WHERE) == Found(None)
