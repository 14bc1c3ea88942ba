"""Heads of answers: what the standard library reads of them, sooner."""

import http.client
import io
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.upstream import head
from app.upstream.pool import _Response

PLAIN = b"Content-Type: application/json\r\nX-Request-Id: \t a b \r\nEmpty:\r\nLatin: caf\xe9\r\nA: 1\nA: 2\r\n\r\n"
ODD = (
    b"A: 1\r\n folded\r\nB: 2\r\n\r\n",
    b"A: 1\r\n\tfolded\r\n\r\n",
    b"A: 1\rB: 2\r\n\r\n",
    b"A: 1\0\r\nB: 2\r\n\r\n",
    b"A : 1\r\nB: 2\r\n\r\n",
    b"no colon\r\nB: 2\r\n\r\n",
    b": no name\r\nB: 2\r\n\r\n",
    b"From nobody\r\nB: 2\r\n\r\n",
    b"B: 2\r\nA: it broke off",
    b"",
)


def read(data: bytes) -> tuple[list[tuple[str, str]], bytes]:
    ours, theirs = io.BytesIO(data), io.BytesIO(data)
    found, wanted = head.parsed(ours).items(), http.client.parse_headers(theirs).items()
    assert found == wanted
    rest = ours.read()
    assert rest == theirs.read()
    return found, rest


@pytest.mark.parametrize("data", [PLAIN, *ODD])
def test_a_head_is_what_the_standard_library_reads(data: bytes) -> None:
    read(data + b"the body")


@given(st.lists(st.sampled_from([*b"Ab:; \t\r\n\0\x85\xe9-", *b"\r\n:"]), max_size=60).map(bytes))
def test_whatever_comes_is_what_the_standard_library_reads(data: bytes) -> None:
    read(data)


def test_the_email_package_has_nothing_to_do_with_a_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an answer is really begun; where it has, it is asked."""
    monkeypatch.setattr(head, "Parser", None)
    monkeypatch.setattr(http.client, "parse_headers", None)

    def begun(fields: bytes) -> _Response:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(b"HTTP/1.1 200 OK\r\n" + fields)
            theirs.shutdown(socket.SHUT_WR)
            response = _Response(ours)
            response.begin()
            response.close()
            return response

    response = begun(b"Content-Length: 5\r\nConnection: close\r\n\r\n")
    assert (response.status, response.length, response.will_close) == (200, 5, True)
    with pytest.raises(TypeError):
        begun(ODD[0])


def test_a_line_without_an_end_is_refused() -> None:
    with pytest.raises(http.client.LineTooLong):
        head.parsed(io.BytesIO(b"A: " + bytes(head.LINE)))


@pytest.mark.parametrize(("lines", "refused"), [(head.FIELDS, False), (head.FIELDS + 1, True)])
def test_no_more_lines_are_read_than_the_standard_library_reads(lines: int, refused: bool) -> None:
    data = b"A: 1\r\n" * lines + b"\r\n"
    for parse in (head.parsed, http.client.parse_headers):
        if refused:
            with pytest.raises(http.client.HTTPException):
                parse(io.BytesIO(data))
        else:
            assert len(parse(io.BytesIO(data))) == lines
