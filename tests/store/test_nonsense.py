"""Whatever memcached answers, or something in its place: a call goes on, and no other one pays for it."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from app.store import line
from app.store.line import Line
from app.store.memcached import Memcached
from app.store.patience import Patience, Queue, Seats, Wait
from app.store.store import ClaimOrRead, Found, Read, Tally, add, key
from tests.clock import ManualClock
from tests.store import nonsense
from tests.store.liar import Liar

WHERE = key("a place")
FLOOD = 1024 * 1024  # bytes that are sent at a time


def test_a_reply_is_what_it_says_or_the_end_of_its_connection() -> None:
    found = nonsense.run(4_000, seed=int(os.environ.get("NONSENSE_SEED", "1")))
    assert found["taken"] > 1_000
    assert found["never asked for, noticed"] > 10


@contextmanager
def flood(first: bytes, endless: bytes) -> Iterator[tuple[tuple[str, int], Callable[[], int]]]:
    """A server that answers anything with that and does not stop for long; its address, and how much it could send."""
    sent = 0
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            nonlocal sent
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(first)
                while sent < 64 * FLOOD:
                    connection.sendall(endless)
                    sent += len(endless)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()

        def total() -> int:
            thread.join(10)
            return sent

        yield listener.getsockname(), total


@pytest.mark.parametrize(
    ("first", "endless"),
    [
        (b"", b"x" * FLOOD),
        (b"", b"\r" * FLOOD),
        (b"VALUE %s 0 99999999999\r\n" % WHERE.encode(), b"x" * FLOOD),
        (b"VA 4000000 k%s O1\r\n" % WHERE.encode(), b"x" * FLOOD),
        (b"VA 99999999999 O1\r\n", b"1" * FLOOD),
        (b"", b"VA 1 O1\r\n1\r\n" * 65_536),
    ],
    ids=["a line", "ends of lines", "an old value", "a value", "a number", "numbers"],
)
@pytest.mark.parametrize("operation", ["read", "exchange", "claim", "tally", "greet"])
def test_an_answer_without_an_end_is_read_no_further_than_any_value_goes(
    first: bytes, endless: bytes, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock that stands still: it is not time that ends it."""
    monkeypatch.setattr(line, "LARGEST", 4 * FLOOD)
    asks: dict[str, Callable[[Line], object]] = {
        "read": lambda line: line.ask([Read(WHERE)]),
        "exchange": lambda line: line.exchange(WHERE, b"v", b"w", 9),
        "claim": lambda line: line.ask([ClaimOrRead(WHERE, b"v", 9)]),
        "tally": lambda line: line.ask([Tally(WHERE, [add(WHERE, 1, 9)])]),
        "greet": Line.greet,
    }
    clock = ManualClock(100.0)
    seats = Seats(clock)
    with flood(first, endless) as (address, total):
        asked = Line(address)
        wait = Wait(Patience(30.0, clock, seats), Queue(seats))
        asked.open(wait, 10.0)
        asked.appoint(wait)
        with pytest.raises(Exception) as refused:  # noqa: PT011 - whatever it is, the server is gone then
            asks[operation](asked)
        assert not isinstance(refused.value, TimeoutError)
        asked.close()
        assert total() < 16 * FLOOD, "what the sockets hold comes on top"


def test_a_value_of_another_key_is_never_given_out_and_its_connection_not_used_again() -> None:
    other = key("somebody else's")
    with (
        Liar(b"VA 3 k%s O2\r\nabc\r\n" % other.encode()) as liar,
        closing(Memcached((liar.name,), (), 1.0, 1.0, 4)) as store,
    ):
        call, idle = store.for_call(), store._servers.all[0]._idle
        (used,) = idle
        assert call.read(WHERE) == Found(None, asked=False)
        assert used not in idle
