"""Healthy calls, what clients do wrong, and what each of them must come to.

The provider takes DELAY for each healthy call, to the first word or to the whole answer: what more it takes is the
gateway's, and small beside it.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.journeys.house import GUEST, KEY, hashed
from tests.standin import text

DELAY = 0.2  # seconds
WORDS, LONG = 5, 2000
PROMPTS = 12  # that are asked again and again
FIRST = text(1).encode()
FEW = 30  # calls a minute of the tenant that has too many

_PLAIN, _TALK = f"delay-{DELAY * 1000:.0f}-words-{WORDS}", f"ttft-{DELAY * 1000:.0f}-words-{WORDS}-gap-20"
MODELS: Mapping[str, Any] = {
    "chat": {"targets": [f"north/{_PLAIN}", f"south/{_PLAIN}"]},
    "talk": {"targets": [f"south/{_TALK}", f"north/{_TALK}"]},
    "again": {"targets": [f"north/{_PLAIN}"], "cache": {"ttl": 20}},
    "vectors": {"targets": [f"south/delay-{DELAY * 1000:.0f}"]},
    "long": {"targets": [f"south/words-{LONG}"]},
}
TENANTS: Mapping[str, Any] = {
    "team": {
        "keys": [hashed(KEY)],
        "limits": {"requests_per_minute": 1_000_000, "tokens_per_minute": 10**9, "concurrent": 10_000},
    },
    "guests": {"keys": [hashed(GUEST)], "limits": {"requests_per_minute": FEW}},
}


@dataclass(frozen=True, slots=True)
class Ended:
    """A call. `model`: as the counters name it, None where they do not; `statuses`: as one of which they have it."""

    kind: str
    model: str | None
    statuses: tuple[str, ...]
    complaint: str | None
    began: float  # monotonic
    took: float | None = None  # seconds until the first word, or the answer; of healthy calls that DELAY holds for


@dataclass(frozen=True, slots=True)
class Kind:
    """A healthy call; `said` finds the text in the JSON of the answer, or of an event."""

    model: str
    path: str
    said: Callable[[Any], str]
    last: bytes | None = None  # of a stream
    more: Mapping[str, Any] = field(default_factory=dict)
    share: int = 1

    @property
    def is_steady(self) -> bool:
        return self.model != "again"

    def body(self, number: int) -> dict[str, Any]:
        asked = f"prompt {number % PROMPTS}" if self.model == "again" else f"call {number}"
        content: Any = [{"role": "user", "content": asked}]
        name = {"/v1/responses": "input", "/v1/embeddings": "input"}.get(self.path, "messages")
        given = {"model": self.model, name: content if self.path != "/v1/embeddings" else asked, **self.more}
        return given | ({"stream": True} if self.last else {})


def _chunk(event: Any) -> str:
    return "".join(one["delta"].get("content") or "" for one in event.get("choices", ()))


def _messages_delta(event: Any) -> str:
    return str(event["delta"].get("text", "")) if event["type"] == "content_block_delta" else ""


def _responses_delta(event: Any) -> str:
    return str(event["delta"]) if event["type"] == "response.output_text.delta" else ""


_MOST = {"max_tokens": 500}
KINDS: Mapping[str, Kind] = {
    "chat": Kind("chat", "/v1/chat/completions", lambda a: str(a["choices"][0]["message"]["content"]), share=30),
    "talk": Kind("talk", "/v1/chat/completions", _chunk, b"data: [DONE]\n\n", share=20),
    "again": Kind("again", "/v1/chat/completions", lambda a: str(a["choices"][0]["message"]["content"]), share=15),
    "messages": Kind("chat", "/v1/messages", lambda a: str(a["content"][0]["text"]), more=_MOST, share=10),
    "messages stream": Kind("talk", "/v1/messages", _messages_delta, b'"message_stop"}\n\n', more=_MOST, share=8),
    "responses": Kind("chat", "/v1/responses", lambda a: str(a["output"][0]["content"][0]["text"]), share=6),
    "responses stream": Kind("talk", "/v1/responses", _responses_delta, b"\n\n", share=4),
    "embeddings": Kind(
        "vectors", "/v1/embeddings", lambda a: text(WORDS) if a["data"][0]["embedding"] else "", share=7
    ),
}


class Clients:
    """Connections that each thread keeps, to the gateway and straight to the provider."""

    def __init__(self, url: str, provider: str) -> None:
        self._where = {"gateway": urlsplit(url).netloc, "provider": urlsplit(provider).netloc}
        self._mine = threading.local()
        self._all: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        """While nobody calls. A later call connects anew."""
        for connection in self._all:
            connection.close()

    def healthy(self, name: str, number: int) -> Ended:
        kind, began = KINDS[name], time.monotonic()
        status, raw, first = self._send("gateway", kind.path, kind.body(number))
        complaint = self._complaint(kind, status, raw)
        took = first - began if kind.is_steady and not complaint else None
        return Ended(name, kind.model, ("success",), complaint, began, took)

    def straight(self) -> Ended:
        """The same without a gateway: what the machine and this program take."""
        began = time.monotonic()
        status, _, first = self._send("provider", "/v1/chat/completions", {"model": _PLAIN, "messages": []})
        return Ended("straight", None, (), None if status == 200 else f"{status}", began, first - began)

    def _send(self, to: str, path: str, body: object) -> tuple[int, bytes, float]:
        """Status, bytes, and when the first word was there."""
        connection = self._connection(to)
        headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            raw = b""
            while FIRST not in raw and (piece := answer.read1(65536)):
                raw += piece
            at = time.monotonic()
            return answer.status, raw + answer.read(), at
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return 0, repr(error).encode(), time.monotonic()

    @staticmethod
    def _complaint(kind: Kind, status: int, raw: bytes) -> str | None:
        try:
            if kind.last is None:
                said, whole = kind.said(json.loads(raw)), True
            else:
                events = [json.loads(one.partition(b"data: ")[2]) for one in raw.split(b"\n\n") if b"data: {" in one]
                said, whole = "".join(map(kind.said, events)), raw.endswith(kind.last)
        except (ValueError, LookupError, TypeError):
            said, whole = "", False
        return None if status == 200 and whole and said == text(WORDS) else f"{status} {raw[-300:]!r}"

    def _connection(self, to: str) -> http.client.HTTPConnection:
        mine: dict[str, http.client.HTTPConnection] = self._mine.__dict__.setdefault("connections", {})
        if to not in mine:
            mine[to] = http.client.HTTPConnection(self._where[to], timeout=60)
            self._all.append(mine[to])
        return mine[to]


def wrong(url: str, number: int) -> Ended:
    """What a client does wrong, each in its turn, on a connection of its own."""
    kind = (leaves_early, leaves_a_stream, hangs_up_half, reads_slowly, sends_slowly, talks_nonsense, wants_too_much)[
        number % 7
    ]
    chance, began = random.Random(number), time.monotonic()
    try:
        with socket.socket() as raw:
            if kind is reads_slowly:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.settimeout(60)
            host, _, port = urlsplit(url).netloc.partition(":")
            raw.connect((host, int(port)))
            model, statuses, complaint = kind(raw, chance)
    except OSError as error:
        return Ended(kind.__name__, None, (), repr(error), began)
    return Ended(kind.__name__, model, statuses, complaint, began)


Result = tuple[str | None, tuple[str, ...], str | None]
_LEFT = ("cancelled", "success")  # the answer may have been faster


def leaves_early(raw: socket.socket, chance: random.Random) -> Result:
    raw.sendall(_request("chat", stream=chance.random() < 0.5))
    time.sleep(chance.uniform(0.02, 0.75 * DELAY))
    if chance.random() < 0.5:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return "chat", _LEFT, None


def leaves_a_stream(raw: socket.socket, chance: random.Random) -> Result:
    raw.sendall(_request("talk", stream=True))
    seen = b""
    while FIRST not in seen and (piece := raw.recv(65536)):
        seen += piece
    return "talk", _LEFT, None if FIRST in seen else f"{seen!r}"


def hangs_up_half(raw: socket.socket, chance: random.Random) -> Result:
    raw.sendall(_request("talk", stream=True))
    time.sleep(chance.uniform(0.02, DELAY))
    raw.shutdown(socket.SHUT_WR)
    while raw.recv(65536):
        pass
    return "talk", _LEFT, None


def reads_slowly(raw: socket.socket, chance: random.Random) -> Result:
    raw.sendall(_request("long", stream=True))
    seen = []
    while piece := raw.recv(4096):
        seen.append(piece)
        time.sleep(0.005)
    whole = b"data: [DONE]" in b"".join(seen[-3:])
    return "long", ("success",), None if whole else f"{b''.join(seen)[-300:]!r}"


def sends_slowly(raw: socket.socket, chance: random.Random) -> Result:
    sent = _request("chat")
    for at in range(0, len(sent), 40):
        raw.sendall(sent[at : at + 40])
        time.sleep(0.05)
    return "chat", ("success",), _unless(raw, 200)


def talks_nonsense(raw: socket.socket, chance: random.Random) -> Result:
    match chance.randrange(5):
        case 0:
            raw.sendall(_request("chat", body=b'{"model": '))
            return "other", ("client_error",), _unless(raw, 400)
        case 1:
            raw.sendall(_request(f"no-{chance.randrange(10**6)}"))
            return "other", ("client_error",), _unless(raw, 404)
        case 2:
            raw.sendall(_request("chat", key=f"gk-{chance.randrange(10**9)}"))
            return "other", ("client_error",), _unless(raw, 401)
        case 3:
            raw.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"x: " + b"y" * 9000 + b"\r\n\r\n")
            return None, (), _unless(raw, 431)
    raw.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")  # TLS, by mistake
    return None, (), _unless(raw, 400)


def wants_too_much(raw: socket.socket, chance: random.Random) -> Result:
    """Of a tenant that may not."""
    raw.sendall(_request("chat", key=GUEST))
    seen = _read(raw)
    refused = b" 429 " in seen[:20]
    good = refused or b" 200 " in seen[:20]
    return "chat", ("rate_limited" if refused else "success",), None if good else f"{seen[-300:]!r}"


def _request(model: str, *, stream: bool = False, body: bytes | None = None, key: str = KEY) -> bytes:
    said = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    body = json.dumps(said).encode() if body is None else body
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {key}\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _read(raw: socket.socket) -> bytes:
    seen = b""
    while piece := raw.recv(65536):
        seen += piece
    return seen


def _unless(raw: socket.socket, status: int) -> str | None:
    """A complaint where the answer is another one, or no JSON."""
    seen = _read(raw)
    good = seen.startswith(f"HTTP/1.1 {status} ".encode()) and b"application/json" in seen
    return None if good else f"not {status}: {seen[-300:]!r}"
