"""The stand-in's journal tells what really happened on every connection."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from tests.standin import Answer, End, Framing, Piece, StandIn, text
from tests.standin.client import ask, body_of, content, dial, read_until


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


def test_the_journal_counts_requests_on_a_kept_connection(standin: StandIn) -> None:
    client = http.client.HTTPConnection("127.0.0.1", standin.port, timeout=10)
    for number in range(3):
        client.request("POST", "/v1/chat/completions", body_of(f"words-{number}"), {"X-Number": str(number)})
        client.getresponse().read()
    client.close()

    records = standin.journal.requests()
    assert [(one.connection, one.nth, one.model) for one in records] == [
        (1, 1, "words-0"),
        (1, 2, "words-1"),
        (1, 3, "words-2"),
    ]
    assert [one.header("x-number") for one in records] == ["0", "1", "2"]
    assert [one.words_sent for one in records] == [0, 1, 2]
    assert {one.outcome for one in records} == {"complete"}
    (connection,) = standin.journal.wait_for(lambda journal: journal.connections(ended_by="client"))
    assert (connection.ended_how, connection.requests) == ("fin", 3)


@pytest.mark.parametrize("model", ["fault-hang", "fault-stall-2", "words-9-gap-60000", "hold-2", "delay-60000"])
@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_client_that_leaves_is_seen_during_any_wait(standin: StandIn, model: str, how: str) -> None:
    raw = dial(standin, model, stream=True)
    standin.journal.wait(model=model)
    words = {"fault-stall-2": 2, "hold-2": 2, "words-9-gap-60000": 1}.get(model, 0)
    standin.journal.wait_for(lambda journal: journal.requests(model=model, words_sent=words))
    if how == "rst":
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()

    (record,) = standin.journal.wait(model=model, outcome="aborted")
    assert record.aborted is not None
    assert record.ended_how in {how, "rst"}  # a close with unread bytes resets too
    assert record.words_sent == words


def test_a_held_stream_goes_on_when_it_is_released(standin: StandIn) -> None:
    raw = dial(standin, "words-3-hold-1", stream=True)
    assert b"alpha0" in read_until(raw, b"alpha0")
    standin.release("words-3-hold-1")
    assert text(3).rpartition(" ")[2].encode() in read_until(raw, b"[DONE]")
    raw.close()


def test_a_release_of_one_lets_one_pass(standin: StandIn) -> None:
    calls = [dial(standin, "held") for _ in range(2)]
    standin.journal.wait(2, model="held")
    standin.release("held", times=1)
    standin.journal.wait(1, model="held", outcome="complete")
    assert len(standin.journal.requests(outcome="open")) == 1
    for raw in calls:
        raw.close()


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_fin_and_rst_are_what_the_client_feels(standin: StandIn, framing: str) -> None:
    with dial(standin, f"fault-cut-2-fin-framing-{framing}", stream=True) as raw:
        seen = b""
        while data := raw.recv(65536):
            seen += data
    assert b"1" in seen
    assert b"0\r\n\r\n" not in seen

    with dial(standin, f"fault-cut-2-rst-framing-{framing}", stream=True) as raw:
        read_until(raw, "naïve1".encode())
        with pytest.raises(ConnectionResetError):
            read_until(raw, b"never")

    ends = [(one.outcome, one.ended_how, one.words_sent) for one in standin.journal.requests()]
    assert ends == [("cut", "fin", 2), ("cut", "rst", 2)]
    connections = standin.journal.wait_for(lambda journal: journal.connections(ended_by="server"))
    assert [one.ended_how for one in connections] == ["fin", "rst"]


def test_connections_can_be_refused_before_any_request(standin: StandIn) -> None:
    standin.script_connections(End.RST)
    standin.script_connections(End.HANG)

    with pytest.raises(ConnectionError), dial(standin, "words-1") as raw:
        raw.recv(1)
    with dial(standin, "words-1") as raw:
        standin.journal.wait_for(lambda journal: [one for one in journal.connections() if one.id == 2 and one.received])
        assert ask(standin, "words-1")[0] == 200
    assert len(standin.journal.requests()) == 1


def test_a_provider_goes_down_and_comes_back_on_its_port(standin: StandIn) -> None:
    kept = dial(standin, "hold-1", stream=True)
    read_until(kept, b"alpha0")
    standin.down(resetting=True)
    with pytest.raises(ConnectionResetError):
        kept.recv(1)
    with pytest.raises(ConnectionRefusedError):
        ask(standin, "words-1")
    standin.up()

    assert ask(standin, "words-1")[0] == 200
    kept.close()


def test_closing_ends_every_wait_and_leaves_no_thread() -> None:
    before = threading.active_count()
    standin = StandIn()
    calls = [dial(standin, model, stream=True) for model in ("fault-hang", "hold-1", "delay-60000", "fault-endless")]
    standin.journal.wait(4)
    standin.close()

    assert threading.active_count() == before
    assert {one.outcome for one in standin.journal.requests()} == {"cut"}
    assert standin.journal.open_connections == 0
    for raw in calls:
        raw.close()


def test_a_client_that_does_not_read_holds_nobody_else_up(standin: StandIn) -> None:
    with dial(standin, "fault-huge-32"):
        standin.journal.wait_for(lambda journal: journal.totals.get("bytes_sent", 0) > 100_000)

        assert [ask(standin, "words-1")[0] for _ in range(5)] == [200] * 5
        assert standin.journal.request(model="fault-huge-32").outcome == "open"
    standin.journal.wait(model="fault-huge-32", outcome="aborted")


def test_what_was_sent_arrives_before_a_reset_follows(standin: StandIn) -> None:
    body = b"x" * (1 << 20)
    standin.script(Answer(body=(Piece(body),), framing=Framing.CLOSE, end=End.RST))
    with dial(standin, "any") as raw:
        seen = read_until(raw, b"\r\n\r\n").partition(b"\r\n\r\n")[2]
        while len(seen) < len(body):
            seen += raw.recv(65536)
        with pytest.raises(ConnectionResetError):
            raw.recv(1)


def test_a_long_run_keeps_its_newest_records_and_all_totals() -> None:
    with StandIn(keep=3) as standin:
        for number in range(10):
            ask(standin, f"words-{number}")
        standin.journal.wait_for(lambda journal: journal.open_connections == 0)

        assert [one.model for one in standin.journal.requests()] == ["words-7", "words-8", "words-9"]
        assert len(standin.journal.connections()) == 3
        assert standin.journal.totals["requests"] == standin.journal.totals["connections"] == 10


def test_hundreds_of_streams_run_side_by_side(standin: StandIn) -> None:
    calls = [dial(standin, "words-20-gap-10", stream=True) for _ in range(200)]
    answers = [read_until(raw, b"0\r\n\r\n") for raw in calls]
    for raw in calls:
        raw.close()

    assert {content(answer) for answer in map(unchunked, answers)} == {text(20)}
    assert standin.journal.totals["complete"] == 200


def unchunked(answer: bytes) -> bytes:
    """The body of an answer whose chunks hold a whole event each."""
    lines = answer.partition(b"\r\n\r\n")[2].split(b"\r\n")
    return b"".join(lines[1::2])
