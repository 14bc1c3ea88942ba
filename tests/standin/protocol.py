"""HTTP/1.1 by hand: requests out of bytes, answers into the writes and waits that a connection performs."""

from __future__ import annotations

import http
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.standin.cuts import cut
from tests.standin.message import Answer, End, Framing, Headers, Piece, Request


@dataclass(frozen=True, slots=True)
class Send:
    """Write these bytes; `words` of the answer's text are out when they are."""

    data: bytes
    words: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Let this many seconds pass, inf for ever."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Gate:
    """Wait until this name is released."""

    name: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The last step of every answer."""

    end: End


Step = Send | Wait | Gate | Finish


class BadRequest(Exception):
    """The bytes are no HTTP request."""


class Reader:
    """Collects bytes and hands out whole requests."""

    def __init__(self, connection: int) -> None:
        self._connection = connection
        self._buffer = bytearray()
        self._count = 0
        self._head: Request | None = None
        self._scanned = 0
        self._chunks: bytearray | None = None

    def feed(self, data: bytes) -> None:
        self._buffer += data

    @property
    def wants_continue(self) -> bool:
        """True once for a request whose client waits for leave to send its body."""
        head = self._head
        return head is not None and (head.header("expect") or "").lower() == "100-continue" and not self._buffer

    def next(self) -> Request | None:
        """The next whole request, or None until more bytes come."""
        if self._head is None:
            self._head = self._read_head()
        if self._head is None:
            return None
        body = self._read_body(self._head)
        if body is None:
            return None
        head, self._head = self._head, None
        self._count += 1
        parsed = _parsed(body)
        return Request(
            method=head.method,
            target=head.target,
            headers=head.headers,
            body=body,
            json=parsed,
            version=head.version,
            connection=self._connection,
            nth=self._count,
            fields=parsed if isinstance(parsed, dict) else {},
        )

    def _read_head(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n", max(0, self._scanned - 3))
        if end < 0:
            self._scanned = len(self._buffer)
            return None
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        self._scanned = 0
        try:
            method, target, version = lines[0].split(" ")
            headers: Headers = tuple(
                (name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])
            )
        except ValueError as error:
            raise BadRequest(f"not a request line: {lines[0]!r}") from error
        return Request(method=method, target=target, headers=headers, version=version)

    def _read_body(self, head: Request) -> bytes | None:
        if "chunked" in (head.header("transfer-encoding") or "").lower():
            return self._read_chunks()
        length = int(head.header("content-length") or 0)
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _read_chunks(self) -> bytes | None:
        if self._chunks is None:
            self._chunks = bytearray()
        while True:
            line_end = self._buffer.find(b"\r\n")
            if line_end < 0:
                return None
            size = int(self._buffer[:line_end].partition(b";")[0], 16)
            end = line_end + 2 + size + 2
            if len(self._buffer) < end:
                return None
            self._chunks += self._buffer[line_end + 2 : end - 2]
            del self._buffer[:end]
            if size == 0:
                body, self._chunks = bytes(self._chunks), None
                return body


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def steps(answer: Answer, request: Request) -> Iterator[Step]:
    """Everything a connection does to give this answer."""
    if answer.delay:
        yield Wait(answer.delay)
    if answer.gate is not None:
        yield Gate(answer.gate)
    pieces = _written(answer, request)
    if answer.drip is not None:
        pieces = _dripped(pieces, answer.drip)
    elif answer.cuts is not None:
        pieces = cut(pieces, answer.cuts.seed)
    pause = answer.cuts.pause if answer.cuts is not None else None
    for index, piece in enumerate(pieces):
        if piece.gate is not None:
            yield Gate(piece.gate)
        seconds = piece.pause + (pause(index) if pause is not None else 0.0)
        if seconds:
            yield Wait(seconds)
        yield Send(piece.data, piece.words)
    if answer.end is End.HANG:
        yield Wait(math.inf)
    yield Finish(_end(answer, request))


def _end(answer: Answer, request: Request) -> End:
    if answer.end is End.KEEP and (answer.framing is Framing.CLOSE or not request.keeps_open):
        return End.CLOSE
    return answer.end


def _written(answer: Answer, request: Request) -> Iterator[Piece]:
    """Head and framed body, each piece one write."""
    body = answer.body
    framing = answer.framing
    if framing is Framing.CHUNKED and request.version == "HTTP/1.0":
        framing = Framing.CLOSE
    declared = answer.declared
    if framing is Framing.LENGTH and declared is None and answer.preamble is None:
        body = tuple(body)
        declared = sum(len(piece.data) for piece in body)
    if answer.cuts is not None:
        body = cut(iter(body), answer.cuts.seed + 1)
    if answer.preamble is None:
        yield Piece(_head(answer, framing, declared, _end(answer, request)))
    elif answer.preamble:
        yield Piece(answer.preamble)
    if request.method == "HEAD":
        return
    for piece in body:
        data = piece.data
        if framing is Framing.CHUNKED and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        yield Piece(data, piece.words, piece.part, piece.pause, piece.gate)
    if framing is Framing.CHUNKED and answer.is_complete and answer.preamble is None:
        yield Piece(b"0\r\n\r\n")


def _head(answer: Answer, framing: Framing, declared: int | None, end: End) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {answer.reason or _reason(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if framing is Framing.CHUNKED:
        lines.append("transfer-encoding: chunked")
    elif framing is Framing.LENGTH:
        lines.append(f"content-length: {declared}")
    if end is End.CLOSE or framing is Framing.CLOSE:
        lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unnamed"


def _dripped(pieces: Iterator[Piece], pause: float) -> Iterator[Piece]:
    for piece in pieces:
        last = len(piece.data) - 1
        for at in range(len(piece.data)):
            words = piece.words if at == last else 0
            gate = piece.gate if at == 0 else None
            yield Piece(piece.data[at : at + 1], words, piece.part, pause + (0.0 if at else piece.pause), gate)
