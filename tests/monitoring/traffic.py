"""Calls that go on until they are told to stop, and calls that are held."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import selectors
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.monitoring.house import KEYS

#: What a flow may be told beside its model.
PLAIN, STREAM, LEAVE = "plain", "stream", "leave"


@dataclass(frozen=True, slots=True)
class Flow:
    """`every`: seconds between two calls; `how`: plain, stream, or a stream that the client leaves half-way."""

    model: str
    every: float
    how: str = PLAIN
    words: int = 20  # of the prompt
    tenant: str = "acme"
    content: str | None = None


class Traffic:
    """A thread a flow. What goes wrong in a call is the gateway's to count: the flow goes on."""

    def __init__(self, url: str) -> None:
        self._where = urlsplit(url).netloc
        self._threads: list[tuple[Flow, threading.Event, threading.Thread]] = []

    def begin(self, *flows: Flow) -> None:
        for flow in flows:
            end = threading.Event()
            thread = threading.Thread(target=self._flow, args=(flow, end), daemon=True)
            self._threads.append((flow, end, thread))
            thread.start()

    def end(self, *flows: Flow) -> None:
        """All of them, if none is named."""
        ending = [one for one in self._threads if not flows or one[0] in flows]
        for _, end, _ in ending:
            end.set()
        for one in ending:
            one[2].join(60)
            self._threads.remove(one)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.end()

    def _flow(self, flow: Flow, end: threading.Event) -> None:
        due = time.monotonic()
        for number in itertools.count():
            if end.wait(max(0.0, due - time.monotonic())):
                return
            due = max(due + flow.every, time.monotonic() - 1)  # what was missed is not made up for
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._call(flow, number)

    def _call(self, flow: Flow, number: int) -> None:
        prompt = flow.content or f"{number} " + "word " * flow.words
        connection = http.client.HTTPConnection(self._where, timeout=90)
        try:
            body = {
                "model": flow.model,
                "stream": flow.how != PLAIN,
                "temperature": 0,
                "messages": [{"role": "user", "content": prompt}],
            }
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers(flow.tenant))
            answer = connection.getresponse()
            if flow.how == LEAVE:
                answer.read1(200)
            else:
                answer.read()
        finally:
            connection.close()


def headers(tenant: str) -> Mapping[str, str]:
    """Without a tenant: as a gateway wants it that knows none."""
    key = {"authorization": f"Bearer {KEYS[tenant]}"} if tenant else {}
    return {"content-type": "application/json", **key}


@contextlib.contextmanager
def held(url: str, model: str, count: int, *, stream: bool = False, tenant: str = "acme") -> Iterator[None]:
    """So many calls at once, each asked again when it is answered or refused, until the block ends."""
    done = threading.Event()
    where = urlsplit(url)
    body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}).encode()
    given = {"host": where.netloc, "content-length": str(len(body)), "connection": "close", **headers(tenant)}
    lines = ["POST /v1/chat/completions HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    request = "\r\n".join([*lines, "", ""]).encode() + body
    address = (where.hostname or "", where.port or 0)
    thread = threading.Thread(target=_hold, args=(address, request, count, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(30)


def _hold(address: tuple[str, int], request: bytes, count: int, done: threading.Event) -> None:
    left = count
    with selectors.DefaultSelector() as selector:
        due = 0.0  # who is refused does not hammer: 25 every quarter of a second
        while not done.is_set():
            opening = min(left, 25) if time.monotonic() >= due else 0
            due = time.monotonic() + 0.25 if opening else due
            for _ in range(opening):
                with contextlib.suppress(OSError):
                    sock = socket.create_connection(address, timeout=5)
                    sock.sendall(request)
                    sock.setblocking(False)
                    selector.register(sock, selectors.EVENT_READ)
                    left -= 1
            for key, _ in selector.select(0.2):
                sock = key.fileobj  # type: ignore[assignment]  # nothing else is registered
                try:
                    said = sock.recv(65536)
                except OSError:
                    said = b""
                if not said:
                    left += 1
                    selector.unregister(sock)
                    sock.close()
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
