"""The wire between a client and a stand-in, in every state that it can be in."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.gunicorn import until
from tests.standin import StandIn
from tests.standin.client import body_of, read_until
from tests.wire import Cut, Wire


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


@pytest.fixture
def wire(standin: StandIn) -> Iterator[Wire]:
    with Wire(standin.port) as wire:
        yield wire


def dial(wire: Wire, model: str = "words-5", **fields: object) -> socket.socket:
    body = body_of(model, **fields)
    raw = socket.create_connection(("127.0.0.1", wire.port), timeout=10)
    raw.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    return raw


def to_the_end(raw: socket.socket) -> bytes:
    return b"".join(iter(lambda: raw.recv(65536), b""))


def test_it_carries_what_it_is_given(wire: Wire) -> None:
    with dial(wire) as raw:
        assert b"delta4" in read_until(raw, b"}}")
    until(lambda: wire.open == 0, "end of the connection")


def test_a_client_that_is_done_sending_still_gets_its_answer(wire: Wire, standin: StandIn) -> None:
    with dial(wire, "words-5-once-delay-50") as raw:
        assert b"delta4" in to_the_end(raw)
    assert standin.journal.last.outcome == "complete"


def test_latency_holds_every_piece_back_in_both_directions(wire: Wire) -> None:
    wire.latency = 0.1
    began = time.monotonic()
    with dial(wire) as raw:
        read_until(raw, b"}}")
    assert time.monotonic() - began >= 0.2


def test_a_slow_wire_takes_its_time_and_loses_nothing(wire: Wire) -> None:
    wire.rate = 20_000
    began = time.monotonic()
    with dial(wire, "words-500-once") as raw:
        received = to_the_end(raw)
    assert b"499" in received
    assert time.monotonic() - began >= len(received) / wire.rate * 0.8


@pytest.mark.parametrize("how", Cut)
def test_a_connection_is_cut_after_so_many_bytes(wire: Wire, how: Cut) -> None:
    wire.cut(after=150, how=how)
    with dial(wire, "words-50", stream=True) as raw:
        received = b""
        try:
            received = to_the_end(raw)
        except ConnectionResetError:
            assert how is Cut.RST
        else:
            assert how is Cut.FIN
            assert len(received) == 150


def test_a_reset_reaches_both_sides(wire: Wire, standin: StandIn) -> None:
    with dial(wire, "fault-hang") as raw:
        standin.journal.wait(model="fault-hang")
        wire.reset()
        with pytest.raises(ConnectionResetError):
            raw.recv(1)
    (left,) = standin.journal.wait(outcome="aborted")
    assert left.ended_how == "rst"


def test_nothing_moves_in_a_black_hole_and_nothing_is_lost(wire: Wire, standin: StandIn) -> None:
    with dial(wire, "words-5-hold-2", stream=True) as raw:
        read_until(raw, b"1")
        wire.blackhole()
        standin.release("words-5-hold-2")
        standin.journal.wait(outcome="complete")
        raw.settimeout(0.1)
        with pytest.raises(TimeoutError):
            to_the_end(raw)
        raw.settimeout(10)
        wire.restore()
        read_until(raw, b"[DONE]")


def test_a_black_hole_takes_connections_and_does_nothing_with_them(wire: Wire, standin: StandIn) -> None:
    wire.blackhole()
    with dial(wire) as raw:
        raw.settimeout(0.1)
        with pytest.raises(TimeoutError):
            raw.recv(1)
        assert standin.journal.totals == {}
        wire.restore()
        raw.settimeout(10)
        read_until(raw, b"}}")


def test_it_refuses_while_it_is_down(wire: Wire) -> None:
    with dial(wire) as raw:
        read_until(raw, b"}}")
        wire.down()
        with pytest.raises(ConnectionResetError):
            raw.recv(1)
    with pytest.raises(ConnectionRefusedError):
        dial(wire)
    wire.up()
    with dial(wire) as raw:
        read_until(raw, b"}}")
