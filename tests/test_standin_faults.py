"""Every fault of the stand-in breaks what its name says."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import ssl
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standin import StandIn, text, word
from tests.standin.certificates import make_authority
from tests.standin.client import ask, body_of, content, dial, read_until
from tests.standin.faults import FAULTS
from tests.standin.grammar import WORDS, read, table
from tests.standin.ports import closed_port, full_port, silent_port
from tests.standin.remote import standin_process


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


def answer_to(standin: StandIn, model: str) -> http.client.HTTPResponse:
    """The head alone."""
    client = http.client.HTTPConnection("127.0.0.1", standin.port, timeout=10)
    client.request("POST", "/v1/chat/completions", body_of(model))
    answer = client.getresponse()
    client.close()
    return answer


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 422, 424, 429, 498, 500, 502, 503, 504, 524, 529])
def test_a_status_comes_with_its_dialects_error_body(standin: StandIn, status: int) -> None:
    for stream in (False, True):
        code, body = ask(standin, f"fault-{status}", stream=stream)
        assert (code, set(json.loads(body)["error"])) == (status, {"message", "type", "param", "code"})
    code, body = ask(standin, f"fault-{status}", "/v1/messages")
    assert (code, json.loads(body)["type"], set(json.loads(body)["error"])) == (status, "error", {"type", "message"})


@pytest.mark.parametrize(
    ("model", "status", "code", "kind"),
    [
        ("fault-quota", 429, "insufficient_quota", "billing_error"),
        ("fault-context", 400, "context_length_exceeded", "invalid_request_error"),
        ("fault-filter", 400, "content_filter", "invalid_request_error"),
        ("fault-key", 401, "invalid_api_key", "authentication_error"),
        ("fault-529", 529, None, "overloaded_error"),
    ],
)
def test_refusals_carry_the_providers_own_codes(
    standin: StandIn, model: str, status: int, code: str | None, kind: str
) -> None:
    answered, openai = ask(standin, model)
    _, anthropic = ask(standin, model, "/v1/messages")

    assert (answered, json.loads(openai)["error"]["code"]) == (status, code)
    assert json.loads(anthropic)["error"]["type"] == kind


@pytest.mark.parametrize(
    ("words", "header", "value"),
    [
        ("after-7", "retry-after", "7"),
        ("afterms-250", "retry-after-ms", "250"),
        ("afterdate-9", "retry-after", "GMT"),
        ("afterreset", "x-ratelimit-reset-requests", "6m0s"),
        ("aftergarbage", "retry-after", "soon"),
        ("aftergarbage-negative", "retry-after", "-5"),
    ],
)
def test_retry_after_comes_in_every_form(standin: StandIn, words: str, header: str, value: str) -> None:
    assert value in (answer_to(standin, f"fault-429-{words}").getheader(header) or "")


def test_an_error_can_be_text_html_or_nothing(standin: StandIn) -> None:
    kinds = [answer_to(standin, f"fault-502-{form}").getheader("content-type") for form in ("text", "html", "empty")]

    assert kinds == ["text/plain", "text/html", None]


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("fault-reset", ConnectionResetError),
        ("fault-close", http.client.RemoteDisconnected),
        ("fault-garbage", http.client.BadStatusLine),
        ("fault-cut", http.client.IncompleteRead),
        ("fault-midevent", http.client.IncompleteRead),
        ("fault-cut-1-rst", ConnectionResetError),
        ("fault-headonly-fin", http.client.IncompleteRead),
        ("fault-headers-200", http.client.HTTPException),
        ("fault-bigheader-100", http.client.LineTooLong),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_broken_exchange_breaks_the_client(
    standin: StandIn, model: str, error: type[Exception], *, stream: bool
) -> None:
    with pytest.raises(error):
        ask(standin, model, stream=stream)


def test_a_stale_connection_breaks_at_its_second_request(standin: StandIn) -> None:
    client = http.client.HTTPConnection("127.0.0.1", standin.port, timeout=10)
    client.request("POST", "/v1/chat/completions", body_of("fault-stale"))
    client.getresponse().read()
    client.request("POST", "/v1/chat/completions", body_of("fault-stale"))
    with pytest.raises(http.client.RemoteDisconnected):
        client.getresponse()
    client.close()


def test_a_hangup_follows_a_complete_answer(standin: StandIn) -> None:
    with dial(standin, "hangup-words-1") as raw:
        assert b"connection: close" not in read_until(raw, b"alpha0")
        while raw.recv(65536):
            pass
    assert standin.journal.last.outcome == "complete"


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ("fault-errorfirst", [b'"error"']),
        ("fault-errormid-2", [b"alpha0", b'"error"']),
        ("fault-malformed-2-3", [b"alpha0", b'"broken"', b"[DONE]"]),
        ("fault-malformedlast", [b"alpha0", b'"broken"']),
        ("fault-afterdone", [b"[DONE]", word(7).encode()]),
        ("fault-duplicates-words-1", [b"alpha0", b"alpha0"]),
        ("fault-reorder-words-2", [word(1).encode(), b"alpha0", b"[DONE]"]),
        ("fault-comments", [b": keep-alive", b"[DONE]"]),
        ("fault-crlf", [b"\r\n\r\n", b"[DONE]"]),
        ("fault-hugeline-1", [b"x" * (1 << 20), b"[DONE]"]),
    ],
)
def test_a_stream_contains_its_fault_in_order(standin: StandIn, model: str, wanted: list[bytes]) -> None:
    status, stream = ask(standin, model, stream=True)

    assert status == 200
    for mark in wanted:
        assert mark in stream
        stream = stream.partition(mark)[2]


@pytest.mark.parametrize(
    ("model", "missing"),
    [
        ("fault-nodone", b"[DONE]"),
        ("fault-nofinish", b'"stop"'),
        ("fault-noevents", b"data"),
        ("fault-errormid", b"[DONE]"),
        ("fault-malformedlast", b"[DONE]"),
    ],
)
def test_a_stream_lacks_what_its_fault_takes_away(standin: StandIn, model: str, missing: bytes) -> None:
    assert missing not in ask(standin, model, stream=True)[1]


def test_an_anthropic_stream_fails_with_an_event_of_its_own(standin: StandIn) -> None:
    _, stream = ask(standin, "fault-errormid-1-529", "/v1/messages", stream=True)

    assert stream.rstrip().splitlines()[-2] == b"event: error"
    assert b"overloaded_error" in stream
    assert b"message_stop" not in stream


def test_bodies_are_not_what_they_promise(standin: StandIn) -> None:
    for model in ("fault-badjson", "fault-truncated", "fault-emptybody"):
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            json.loads(ask(standin, model)[1])
    assert json.loads(ask(standin, "fault-nochoices")[1])["choices"] == []
    assert ask(standin, "fault-swap")[1].startswith(b"data: ")
    assert json.loads(ask(standin, "fault-swap", stream=True)[1])["object"] == "chat.completion"
    assert answer_to(standin, "fault-mislabel-html").getheader("content-type") == "text/html"
    assert answer_to(standin, "fault-redirect-307").getheader("location")
    assert len(json.loads(ask(standin, "fault-huge-2")[1])["filler"]) == 2 << 20


def test_gzip_is_good_corrupt_and_a_bomb(standin: StandIn) -> None:
    assert content(gzip.decompress(ask(standin, "fault-gzip-words-3", stream=True)[1])) == text(3)
    assert json.loads(gzip.decompress(ask(standin, "fault-gzip")[1]))["choices"]
    with pytest.raises((zlib.error, OSError, EOFError)):
        gzip.decompress(ask(standin, "fault-badgzip")[1])
    bomb = ask(standin, "fault-bomb-8")[1]
    assert len(bomb) < 100_000
    assert len(gzip.decompress(bomb)) > 8 << 20
    assert answer_to(standin, "fault-coding").getheader("content-encoding") == "x-rot13"


def test_an_endless_stream_ends_with_the_client(standin: StandIn) -> None:
    with dial(standin, "fault-endless", stream=True) as raw:
        read_until(raw, b"alpha800")
    (record,) = standin.journal.wait(outcome="aborted")
    assert record.words_sent > 800


def test_a_drip_gives_the_whole_answer_byte_by_byte(standin: StandIn) -> None:
    assert content(ask(standin, "drip-0-words-2", stream=True)[1]) == text(2)


def test_every_entry_of_both_tables_can_be_said_and_answered(standin: StandIn) -> None:
    silent = {"hang", "stall", "headonly", "endless"}
    loud = {"huge", "bomb", "hugeline"}
    for name in FAULTS.keys() - silent:
        for stream in (False, True):
            for path in ("/v1/chat/completions", "/v1/messages"):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    ask(standin, f"fault-{name}{'-1' if name in loud else ''}", path, stream=stream)
    for name in WORDS.keys() - {"hold", "held"}:
        assert ask(standin, f"{name}-fault-500" if name.startswith("after") else name)[0] in {200, 500}
        assert read(name)
    assert all(name in table() for name in (*WORDS, *FAULTS))
    assert standin.failures == []


def test_ports_refuse_hang_and_overflow() -> None:
    with closed_port() as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with silent_port() as port, socket.create_connection(("127.0.0.1", port), timeout=0.1) as raw:
        raw.sendall(b"anyone?")
        with pytest.raises(TimeoutError):
            raw.recv(1)
    with full_port() as port, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", port), timeout=0.2)


def test_tls_is_served_and_cut(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    with StandIn(tls=authority.context()) as standin:
        context = ssl.create_default_context(cafile=authority.ca_file)
        client = http.client.HTTPSConnection("127.0.0.1", standin.port, timeout=10, context=context)
        client.request("POST", "/v1/chat/completions", body_of("words-2-framing-close-cuts-3", stream=True))
        assert content(client.getresponse().read()) == text(2)
        client.close()
        for how in ("rst", "fin"):
            client.request("POST", "/v1/chat/completions", body_of(f"fault-cut-1-{how}", stream=True))
            # OpenSSL tells a reset as an end, too
            with client.getresponse() as answer, pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
                answer.read()
            client.close()
            assert standin.journal.connections(ended_by="server", ended_how=how)


@pytest.mark.parametrize(("name", "is_trusted"), [("IP:127.0.0.1", False), ("DNS:elsewhere.test", True)])
def test_a_certificate_is_refused_for_its_authority_or_its_name(tmp_path: Path, name: str, *, is_trusted: bool) -> None:
    authority = make_authority(tmp_path)
    with StandIn(tls=authority.context(name)) as standin:
        context = ssl.create_default_context(cafile=authority.ca_file if is_trusted else None)
        client = http.client.HTTPSConnection("127.0.0.1", standin.port, timeout=10, context=context)
        with pytest.raises(ssl.SSLCertVerificationError):
            client.request("GET", "/v1/models")
        client.close()
        standin.journal.wait_for(lambda journal: [one for one in journal.connections() if one.tls_error])


def test_a_process_of_its_own_is_driven_over_its_control_paths() -> None:
    with standin_process("--keep", "100") as remote:
        remote.script("fault-503", model="words-1", times=1)
        statuses = [_status(remote.port, "words-1") for _ in range(2)]
        raw = socket.create_connection(("127.0.0.1", remote.port), timeout=10)
        body = body_of("hold-1", stream=True)
        raw.sendall(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        remote.wait(model="hold-1", words_sent=1)
        raw.close()

        (left,) = remote.wait(outcome="aborted")
        assert statuses == [503, 200]
        assert left["words_sent"] == 1
        assert remote.totals()["requests"] == remote.totals()["connections"] == 3
        with pytest.raises(AssertionError, match="0 of 1"):
            remote.wait(timeout=0.1, model="never")
        remote.clear()
        assert remote.requests() == []


def _status(port: int, model: str) -> int:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    client.request("POST", "/v1/chat/completions", body_of(model))
    status = client.getresponse().status
    client.close()
    return status
