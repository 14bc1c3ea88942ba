"""Bytes to a provider and back over real sockets, and how each failure is named."""

import gc
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from app.core.clock import SystemClock
from app.core.errors import ErrorType, GatewayError
from app.core.provider import Provider
from app.core.wire import UpstreamRequest
from app.instance import system
from app.providers import registry
from app.upstream.client import HttpAnswer, HttpTransport
from app.upstream.watch import Guard, Watch
from tests.standin import Answer, End, Framing, Piece, StandIn, closed_port, make_authority, silent_port, word


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


@pytest.fixture
def watch() -> Watch:
    """Looked through by hand: `watch.look()`."""
    return Watch(SystemClock(), system.poll())


def provider(url: str) -> Provider:
    return replace(registry.build("p", "compatible", base_url=url, key="sk-upstream"), headers={"X-Key": "k"})


class Asker:
    def __init__(self, standin: StandIn, watch: Watch) -> None:
        self.standin, self.watch, self.transport = standin, watch, HttpTransport(system.poll)
        self.provider = provider(standin.url)
        self.guard = watch.begin(None)

    def ask(self, model: str, *, stream: bool = False, connect: float = 5.0) -> HttpAnswer:
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
        request = UpstreamRequest(f"{self.provider.base_url}/v1/chat/completions", {}, body, stream)
        return self.transport.send(self.provider, request, connect, self.guard)


@pytest.fixture
def asker(standin: StandIn, watch: Watch) -> Asker:
    return Asker(standin, watch)


def everything(answer: HttpAnswer) -> bytes:
    return b"".join(iter(answer.piece, b""))


def test_a_connection_is_used_again_after_a_plain_answer_and_after_a_stream(asker: Asker) -> None:
    for stream in (False, True, True, False):
        answer = asker.ask("words-5", stream=stream)
        assert everything(answer) if stream else answer.read()
    assert asker.standin.journal.totals["connections"] == 1


def test_a_stream_that_runs_does_not_hold_what_was_asked(asker: Asker) -> None:
    answer = asker.ask("words-5", stream=True)
    assert answer.piece()
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, requests.PreparedRequest | requests.Response)]
    answer.close()


def test_what_costs_nothing_is_asked_with_the_credentials_and_on_a_new_connection(asker: Asker) -> None:
    url = f"{asker.provider.base_url}/models"
    for _ in range(2):
        answer = asker.transport.get(asker.provider, url, 5.0, asker.guard)
        assert (answer.status, answer.read()[:1]) == (200, b"{")
    sent = asker.standin.journal.last
    assert (sent.method, sent.path, sent.body, sent.header("x-key")) == ("GET", "/v1/models", b"", "k")
    assert sent.header("content-length") is None
    assert asker.standin.journal.totals["connections"] == 2


def test_a_header_is_sent_once_whatever_its_letters(asker: Asker) -> None:
    """A provider's own wins over ours, but what says how long the body is."""
    headers = {"USER-AGENT": "theirs", "content-type": "application/json; charset=utf-8", "CONTENT-length": "1"}
    body = {"model": "words-3", "messages": [{"role": "user", "content": "hi"}]}
    request = UpstreamRequest(f"{asker.provider.base_url}/v1/chat/completions", headers, body, False)
    asker.transport.send(asker.provider, request, 5.0, asker.guard).read()
    sent = asker.standin.journal.last
    names = [name.lower() for name, _ in sent.headers]
    assert len(names) == len(set(names))
    assert (sent.header("user-agent"), sent.header("content-type")) == ("theirs", "application/json; charset=utf-8")
    assert sent.header("content-length") == str(len(sent.body))


def test_a_stream_that_is_finished_early_gives_its_connection_back(asker: Asker) -> None:
    answer = asker.ask("words-3", stream=True)
    got = b""
    while b"[DONE]" not in got:
        got += answer.piece()
    answer.finish()
    asker.ask("words-3").read()
    assert asker.standin.journal.totals["connections"] == 1


def test_pieces_come_as_they_are_sent_and_not_when_a_buffer_is_full(asker: Asker) -> None:
    answer = asker.ask("words-5-hold-2", stream=True)
    assert b"data:" in answer.piece()
    asker.standin.release("words-5-hold-2")
    everything(answer)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("fault-reset", ErrorType.CONNECTION),
        ("fault-close", ErrorType.CONNECTION),
        ("fault-garbage", ErrorType.INVALID_RESPONSE),
        ("fault-headers", ErrorType.INVALID_RESPONSE),
        ("fault-bigheader", ErrorType.INVALID_RESPONSE),
        ("fault-badgzip", ErrorType.INVALID_RESPONSE),
        ("fault-bomb-20", ErrorType.INVALID_RESPONSE),
        ("fault-huge-17", ErrorType.INVALID_RESPONSE),
    ],
)
def test_a_failure_of_the_wire_is_named_by_what_happened(asker: Asker, model: str, expected: ErrorType) -> None:
    with pytest.raises(GatewayError) as caught:
        asker.ask(model).read()
    assert (caught.value.type, caught.value.provider) == (expected, "p")
    assert "127.0.0.1" not in caught.value.message


def test_a_refused_connection_is_named(asker: Asker) -> None:
    with closed_port() as port:
        asker.provider = provider(f"http://127.0.0.1:{port}")
        with pytest.raises(GatewayError, match="could not be reached") as caught:
            asker.ask("words")
    assert (caught.value.type, caught.value.silent, caught.value.lasting) == (ErrorType.CONNECTION, False, False)


def test_a_silent_handshake_is_a_timeout_of_the_connection(asker: Asker) -> None:
    """Nobody has the request yet, so that it may be sent again."""
    with silent_port() as port:
        asker.provider = provider(f"https://127.0.0.1:{port}")
        with pytest.raises(GatewayError) as caught:
            asker.ask("words", connect=0.1)
    assert (caught.value.type, caught.value.silent) == (ErrorType.TIMEOUT, False)


def test_a_certificate_that_nobody_trusts_will_be_no_better_in_a_moment(watch: Watch, tmp_path: Path) -> None:
    with StandIn(tls=make_authority(tmp_path).context()) as untrusted, pytest.raises(GatewayError) as caught:
        Asker(untrusted, watch).ask("words")
    assert (caught.value.type, caught.value.lasting) == (ErrorType.CONNECTION, True)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_what_comes_compressed_though_nobody_asked_is_read(asker: Asker, framing: str, stream: bool) -> None:
    answer = asker.ask(f"fault-gzip-framing-{framing}", stream=stream)
    body = everything(answer) if stream else answer.read()
    assert word(4) in body.decode()


def test_a_plain_body_that_is_cut_is_a_connection_error(asker: Asker) -> None:
    with pytest.raises(GatewayError) as caught:
        asker.ask("fault-cut").read()
    assert caught.value.type is ErrorType.CONNECTION


def blocked_in(asker: Asker, model: str, *, stream: bool) -> tuple[threading.Thread, list[BaseException]]:
    """A thread that asks and reads to the end, and what it ends in."""
    ended: list[BaseException] = []

    def run() -> None:
        try:
            everything(asker.ask(model, stream=stream))
        except GatewayError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, ended


@pytest.mark.parametrize("model", ["fault-hang", "fault-headonly-hang", "fault-stall-2"])
def test_a_read_that_blocks_is_ended_when_its_time_is_up(asker: Asker, model: str) -> None:
    thread, ended = blocked_in(asker, model, stream=True)
    asker.standin.journal.wait(model=model)
    asker.guard.due = 0.0
    asker.watch.look()
    thread.join(10)
    (error,) = ended
    assert isinstance(error, GatewayError)
    assert (error.type, error.silent) == (ErrorType.TIMEOUT, True)
    asker.standin.journal.wait(model=model, outcome="aborted")


@pytest.mark.parametrize("model", ["fault-hang", "fault-headonly-hang", "fault-stall-2"])
def test_a_read_that_blocks_is_ended_when_the_client_leaves(standin: StandIn, watch: Watch, model: str) -> None:
    here, client = socket.socketpair()
    asker = Asker(standin, watch)
    asker.guard = watch.begin(here.fileno())
    thread, ended = blocked_in(asker, model, stream=True)
    standin.journal.wait(model=model)
    watch.look()
    assert not asker.guard.gone
    client.close()
    watch.look()
    thread.join(10)
    (error,) = ended
    assert isinstance(error, GatewayError)
    assert error.type is ErrorType.CANCELLED
    standin.journal.wait(model=model, outcome="aborted")
    watch.end(asker.guard)
    here.close()


def test_a_body_without_an_announced_end_that_we_cut_is_not_taken_for_whole(asker: Asker) -> None:
    held = Answer(200, body=[Piece(b"data: 1\n\n"), Piece(b"", gate="go")], framing=Framing.CLOSE, end=End.HANG)
    asker.standin.script(held, model="open-ended")
    thread, ended = blocked_in(asker, "open-ended", stream=True)
    asker.standin.journal.wait(model="open-ended")
    asker.guard.due = 0.0
    asker.watch.look()
    thread.join(10)
    (error,) = ended
    assert isinstance(error, GatewayError)
    assert error.type is ErrorType.TIMEOUT


def test_a_guard_that_is_let_go_touches_no_connection_any_more(asker: Asker) -> None:
    asker.ask("words").read()
    asker.guard.due = 0.0
    asker.watch.look()
    asker.guard = asker.watch.begin(None)
    asker.ask("words").read()
    assert asker.standin.journal.totals["connections"] == 1


def test_a_wait_between_attempts_ends_when_the_client_leaves(watch: Watch) -> None:
    here, client = socket.socketpair()
    guard = watch.begin(here.fileno())
    began = threading.Event()
    ended: list[ErrorType] = []

    def run() -> None:
        began.set()
        try:
            guard.wait(60)
        except GatewayError as error:
            ended.append(error.type)

    thread = threading.Thread(target=run)
    thread.start()
    began.wait()
    client.close()
    while thread.is_alive():
        watch.look()
        thread.join(0.01)
    assert ended == [ErrorType.CANCELLED]
    watch.end(guard)
    here.close()


def test_the_end_of_a_guard_is_idempotent_and_frees_the_socket(watch: Watch) -> None:
    here, client = socket.socketpair()
    guard: Guard = watch.begin(here.fileno())
    watch.end(guard)
    watch.end(guard)
    client.close()
    watch.look()
    assert not guard.gone
    here.close()
