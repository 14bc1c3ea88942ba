"""A light client: a connection a thread, calls one after the other, at a rate or as fast as they go."""

from __future__ import annotations

import http.client
import itertools
import json
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Got:
    """One call. Instants are monotonic; `code` is that of an error, "broken" where the connection ended too early."""

    status: int
    text: str
    code: str | None
    retry_after: str | None
    provider: str | None
    attempts: int
    began: float
    first: float  # when the first content was there, or the whole answer
    ended: float

    @property
    def took(self) -> float:
        return self.ended - self.began


class Callers:
    """Connections to one server, a thread's own each. A context manager: closed when all threads are done."""

    def __init__(self, url: str, *, again: bool = False) -> None:
        """`again`: ask once more where a kept connection was hung up on."""
        self.repeated: list[float] = []  # when that was, monotonic
        self._again = again
        self._where = urlsplit(url)
        self._mine = threading.local()
        self._all: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for connection in self._all:
            connection.close()

    def call(self, model: str, *, stream: bool, content: str = "hi", id_: str | None = None) -> Got:
        began = time.monotonic()
        body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": content}]})
        head = {"content-type": "application/json"} | ({} if id_ is None else {"x-request-id": id_})
        connection = self._connection()
        try:
            answer = self._asked(connection, body, head)
            first = b""
            while not first.count(b'"content":') > first.count(b'"content":""') and (piece := answer.read1(65536)):
                first += piece
            at = time.monotonic()
            raw = first + answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            now = time.monotonic()
            return Got(0, repr(error), "broken", None, None, 0, began, now, now)
        text, code = _streamed(raw) if stream and answer.status == 200 else _plain(raw)
        headers = answer.headers
        return Got(
            answer.status,
            text,
            code,
            headers["retry-after"],
            headers["x-gateway-provider"],
            int(headers["x-gateway-attempts"] or 0),
            began,
            at,
            time.monotonic(),
        )

    def _asked(
        self, connection: http.client.HTTPConnection, body: str, head: dict[str, str]
    ) -> http.client.HTTPResponse:
        """Once more, as SDKs do, where a kept connection is hung up on before a byte of the answer was there."""
        kept = connection.sock is not None
        try:
            connection.request("POST", "/v1/chat/completions", body, head)
            return connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            if not (kept and self._again):
                raise
        connection.close()
        self.repeated.append(time.monotonic())
        connection.request("POST", "/v1/chat/completions", body, head)
        return connection.getresponse()

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        if found is not None and found.sock is not None and select.select([found.sock], [], [], 0)[0]:
            found.close()  # hung up on meanwhile: every client that keeps connections looks before it uses one again
        if found is None:
            found = self._mine.connection = http.client.HTTPConnection(self._where.netloc, timeout=120)
            self._all.append(found)
        return found


def _plain(raw: bytes) -> tuple[str, str | None]:
    parsed = json.loads(raw)
    if "error" in parsed:
        return "", parsed["error"]["code"]
    return parsed["choices"][0]["message"]["content"], None


def _streamed(raw: bytes) -> tuple[str, str | None]:
    text, code = "", None if raw.endswith(DONE) else "incomplete"
    for event in raw.split(b"\n\n"):
        if event.startswith(b"data: {"):
            parsed = json.loads(event[6:])
            if "error" in parsed:
                code = parsed["error"]["code"]
            text += "".join(choice["delta"].get("content") or "" for choice in parsed.get("choices", ()))
    return text, code


def many(count: int, threads: int, call: Callable[[int], T]) -> list[T]:
    """As fast as they go."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(call, range(count)))


def steadily(rate: float, until: Callable[[], bool], threads: int, call: Callable[[int], T]) -> list[T]:
    """`rate` calls a second, whatever they take, as long as there are threads to make them."""
    began, numbers, found = time.monotonic(), itertools.count(), list[T]()
    lock = threading.Lock()

    def run() -> None:
        while not until():
            with lock:
                number = next(numbers)
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            found.append(call(number))

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(run) for _ in range(threads)]:
            future.result()
    return found
