"""What the stand-in's grammar has no words for: answers of our own, and addresses where nothing of HTTP is reached."""

from __future__ import annotations

import contextlib
import socketserver
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from tests.standin import (
    Answer,
    End,
    Part,
    Piece,
    Request,
    StandIn,
    closed_port,
    full_port,
    make_authority,
    silent_port,
)
from tests.standin.grammar import answer_for

PAGE = Answer(200, (("content-type", "text/html"),), (Piece(b"<html><body>Please sign in</body></html>"),))


def install(standin: StandIn) -> None:
    """Answers by the last part of the model's name."""
    standin.script(PAGE, model=lambda model: model.endswith("/page"), times=None)
    standin.script(LimitedUntil(), model=lambda model: model.endswith("/limited-until"), times=None)
    standin.script(continued, model="continues", times=None)
    standin.script(refused, model=lambda model: model.startswith("refuses"), times=None)
    standin.script(late, model=lambda model: "/late-" in model, times=None)


def continued(request: Request) -> Answer:
    """Seven words, less those that it is given as the beginning."""
    last = request.json["messages"][-1]
    given = len(last["content"].split()) if last["role"] == "assistant" else 0
    said = [piece for piece in answer_for("words-7", request, 1, 0).body if piece.part is Part.CONTENT][given:]
    whole = answer_for(f"words-{7 - given}", request, 1, 0)  # with the usage of so many
    return replace(whole, body=[said.pop(0) if piece.part is Part.CONTENT else piece for piece in whole.body])


def refused(request: Request) -> Answer:
    """`refuses-60` says sixty words (else seven), but only if it may begin its answer by itself."""
    is_begun = request.json["messages"][-1]["role"] == "assistant"
    words = request.model.partition("-")[2] or "7"
    return answer_for("fault-400" if is_begun else f"words-{words}", request, 1, 0)


def late(request: Request) -> Answer:
    """`late-20000`: sixty words, the first one so many milliseconds after the role."""
    pause = int(request.model.rpartition("-")[2]) / 1000
    whole = answer_for("words-60", request, 1, 0)
    body = list(whole.body)
    first = next(index for index, piece in enumerate(body) if piece.part is Part.CONTENT)
    body[first] = replace(body[first], pause=pause)
    return replace(whole, body=body)


class LimitedUntil:
    """To the first call of each name: come back in two seconds, said as a date by who says what time it is."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, request: Request) -> Answer:
        if request.model in self._seen:
            return answer_for("words-5", request, 1, 0)
        self._seen.add(request.model)
        now = datetime.now(UTC).replace(microsecond=0)
        headers = [("date", now), ("retry-after", now + timedelta(seconds=2))]
        return Answer(429, tuple((name, format_datetime(when, usegmt=True)) for name, when in headers))


@contextlib.contextmanager
def ports(standin: StandIn) -> Iterator[Mapping[str, str]]:
    """Addresses by what happens there."""
    with contextlib.ExitStack() as stack:
        authority = make_authority(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        untrusted = stack.enter_context(StandIn(tls=authority.context()))
        closing = stack.enter_context(StandIn())
        closing.script_connections(End.FIN, times=1_000_000)
        yield {
            "nameless": "http://nowhere.invalid",
            "closed": f"http://127.0.0.1:{stack.enter_context(closed_port())}",
            "full": f"http://127.0.0.1:{stack.enter_context(full_port())}",
            "silent": f"https://127.0.0.1:{stack.enter_context(silent_port())}",
            "plaintext": f"https://127.0.0.1:{stack.enter_context(plain_port())}",
            "hanging up": f"https://127.0.0.1:{closing.port}",
            "untrusted": untrusted.url,
        }


@contextlib.contextmanager
def plain_port() -> Iterator[int]:
    """A web server that is asked for TLS and has none."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Plain) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class _Plain(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(65536)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
