"""Questions that travel together: one round trip, each with its own answer."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from app.core.clock import SystemClock
from app.store.memcached import Memcached
from app.store.memory import Memory
from app.store.server import TRIED
from app.store.store import Claim, ClaimOrRead, Found, Question, Read, Store, Tally, Write, add, key
from tests import memcached as real
from tests.memcached import memcached
from tests.store.liar import Liar

WHERE, OTHER = key("a place"), key("another place")
QUESTIONS: tuple[Question[Any], ...] = (
    Read(WHERE),
    ClaimOrRead(WHERE, b"v", 60),
    Write(WHERE, b"v", 60),
    Tally(OTHER, [add(OTHER, 1, 60)]),
)


@pytest.fixture(params=["memcached", "memory"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield Memory(SystemClock())
        return
    with real.memcached() as server, closing(client(server.name)) as shared:
        yield shared


def client(*servers: str, counters: tuple[str, ...] = ()) -> Memcached:
    return Memcached(servers, counters, 1.0, 1.0, 4)


def test_each_is_told_its_own_answer_in_their_order(store: Store) -> None:
    call, heard = store.for_call(), list[object]()
    call.soon(Read(WHERE), heard.append)
    call.soon(ClaimOrRead(WHERE, b"one", 60), heard.append)
    call.soon(ClaimOrRead(WHERE, b"two", 60), heard.append)
    call.soon(Tally(OTHER, [add(OTHER, 5, 60)]), heard.append)
    call.soon(Write(WHERE, b"\r\nEN\r\n", 60), heard.append)

    assert call.read(WHERE) == Found(b"\r\nEN\r\n")
    assert sorted(heard, key=lambda answer: answer != [5]) == [
        [5],
        Found(None),
        (Claim.WON, Found(b"one")),
        (Claim.TAKEN, Found(b"one")),
        True,
    ]


def test_what_nobody_asked_beside_is_asked_at_the_end(store: Store) -> None:
    call, heard = store.for_call(), list[object]()
    call.soon(Write(WHERE, b"v", 60), heard.append)
    call.flush()
    assert heard == [True]
    assert store.read(WHERE) == Found(b"v")


def test_what_is_taken_back_is_not_asked() -> None:
    with memcached() as server, closing(client(server.name)) as shared:
        call, heard = shared.for_call(), list[object]()
        take_back = call.soon(ClaimOrRead(WHERE, b"v", 60), heard.append)
        call.soon(Tally(OTHER, [add(OTHER, 5, 60)]), heard.append)
        take_back()
        call.flush()
        assert heard == [[5]]
        assert shared.read(WHERE) == Found(None)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: type(question).__name__)
def test_without_a_server_each_says_so_all_the_same(question: Question[Any]) -> None:
    with closing(client("127.0.0.1:1")) as shared:
        call, heard = shared.for_call(), list[object]()
        call.soon(question, heard.append)
        call.flush()
        assert heard == [question.gone] == [question.of(call)]


def test_they_take_one_round_trip() -> None:
    answer = b"VA 1 O2\r\n5\r\nSTORED\r\nVA 1 k%s O2\r\nv\r\n" % WHERE.encode()
    with Listening(answer) as server, closing(client(server.name)) as shared:
        call, heard = shared.for_call(), list[object]()
        call.soon(ClaimOrRead(WHERE, b"v", 60), heard.append)
        assert call.tally(OTHER, [add(OTHER, 5, 60)]) == [5]
        assert heard == [(Claim.WON, Found(b"v"))]
        (said,) = server.heard
        assert said.startswith(b"ma ")


class Listening(Liar):
    """And writes down what calls say, as it comes at a time."""

    def __init__(self, answer: bytes) -> None:
        self.heard: list[bytes] = []
        super().__init__(answer)

    def _reply(self, asked: bytes) -> bytes:
        if asked != b"mn\r\n" and TRIED.encode() not in asked:
            self.heard.append(asked)
        return super()._reply(asked)


def test_what_lives_on_another_server_is_asked_there() -> None:
    with (
        memcached() as values,
        memcached() as counters,
        closing(client(values.name, counters=(counters.name,))) as both,
    ):
        call, heard = both.for_call(), list[object]()
        call.soon(Write(WHERE, b"v", 60), heard.append)
        assert call.tally(OTHER, [add(OTHER, 5, 60)]) == [5]
        assert heard == []
        assert call.read(WHERE) == Found(b"v")
        assert heard == [True]


def test_what_is_too_large_to_be_written_takes_nothing_else_along() -> None:
    with memcached() as server, closing(client(server.name)) as shared:
        call, heard = shared.for_call(), list[object]()
        call.soon(Write(WHERE, bytes(2_000_000), 60), heard.append)
        assert call.tally(OTHER, [add(OTHER, 5, 60)]) == [5]
        assert heard == [False]
        assert not call.gone()


def test_a_server_without_room_is_looked_at_and_not_written_to_for_a_while() -> None:
    with memcached() as server, closing(client(server.name)) as shared:
        call, heard = shared.for_call(), list[object]()
        assert not call.write(WHERE, bytes(2_000_000), 60)
        for question in QUESTIONS:
            call.soon(question, heard.append)
        call.flush()
        assert heard == [[1], Found(None), (Claim.GONE, Found(None)), False]


def test_nonsense_among_the_answers_is_nobodys_answer() -> None:
    """One may have been done; nobody knows which."""
    with Liar(b"STORED\r\nVA 1 O7\r\n9\r\n") as liar, closing(client(liar.name)) as shared:
        call, heard = shared.for_call(), list[object]()
        call.soon(Write(WHERE, b"v", 60), heard.append)
        assert call.tally(WHERE, [add(WHERE, 1, 60)]) is None
        assert heard == [False]
        assert call.gone() == [liar.name]
