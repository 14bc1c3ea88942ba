"""A client that leaves: the upstream call is closed, and the call counts as cancelled and as nobody's error."""

from __future__ import annotations

import json
import socket
import struct
import time
import zlib
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.gunicorn import Server, until
from tests.journeys.house import KEY
from tests.journeys.plainly import CHAT, MESSAGES, call, dial, request
from tests.metrics.page import page_of
from tests.standin import StandIn, text


@dataclass(frozen=True)
class Leaving:
    """A call, and what its client reads before it leaves."""

    path: str
    upstream: str
    stream: bool
    behaviour: str
    reads: str


LEAVING = [
    pytest.param(Leaving(path, upstream, stream, behaviour, reads), id=f"{what} {path} {upstream}")
    for path, upstream in ((CHAT, "up"), (CHAT, "claude"), (MESSAGES, "up"), (MESSAGES, "claude"))
    for what, stream, behaviour, reads in (
        ("mid-stream", True, "words-9-hold-3", "世界2"),
        ("before the first content", True, "words-9-hold-0", ""),
        ("before the first byte", True, "held", ""),
        ("a plain call", False, "held", ""),
    )
]


def logged(server: Server, request_id: str) -> dict[str, Any]:
    """The line of this call, once it is there."""

    def find() -> dict[str, Any]:
        for line in server.log().splitlines():
            if request_id in line and '"event":"call"' in line:
                found: dict[str, Any] = json.loads(line)
                return found
        return {}

    return until(find, f"line of {request_id}")


def leave(connection: socket.socket, *, rudely: bool) -> float:
    """Close it, with a FIN or a reset; and when."""
    if rudely:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    now = time.monotonic()
    connection.close()
    return now


@pytest.mark.parametrize("rudely", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize("leaving", LEAVING)
def test_the_upstream_is_closed_and_the_call_is_cancelled(
    server: Server, provider: StandIn, leaving: Leaving, rudely: bool
) -> None:
    name = f"leaving-{zlib.crc32(repr((leaving, rudely)).encode()):x}"
    model = f"{name}-{server.run_dir.parent.name}/{leaving.behaviour}"
    body = call(f"{leaving.upstream}-left/{model}", path=leaving.path, stream=leaving.stream)
    with dial(server) as connection:
        connection.sendall(request("POST", leaving.path, body, headers={"X-Request-Id": name}, keep=True))
        provider.journal.wait(model=model)
        seen = b""
        while leaving.reads and leaving.reads.encode() not in seen:
            seen += connection.recv(65536)
        left = leave(connection, rudely=rudely)
    (asked,) = provider.journal.wait(model=model, outcome="aborted", timeout=20)
    print(f"closed upstream {(asked.ended or 0) - left:.3f} s after the client had left")
    line = logged(server, name)
    assert (line["status"], line["error_type"], line["stream"]) == ("cancelled", "cancelled", leaving.stream)
    assert line["provider"] == f"{leaving.upstream}-left"


def test_those_who_left_are_counted_as_cancelled_and_as_nobodys_error(server: Server) -> None:
    """All of the calls above."""
    total = len(LEAVING)  # each with a FIN and with a reset, half of them at either provider

    def counted() -> bool:
        page = page_of(server)
        return all(
            page.sum("requests_total", status="cancelled", model=f"{upstream}-left/*") == total
            for upstream in ("up", "claude")
        )

    until(counted, f"{total} cancelled calls at either provider")
    page = page_of(server)
    for provider in ("up-left", "claude-left"):
        assert page.sum("requests_total", provider=provider) == total
        assert page.sum("requests_total", provider=provider, status="cancelled", streaming="false") == total / 4
        assert page.sum("errors_total", provider=provider) == 0
        assert page.sum("active_requests", provider=provider) == 0
        assert page.sum("request_duration_seconds_count", provider=provider) == 0
        assert page.sum("tokens_total", provider=provider, type="output") > 0  # of what was delivered


@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_one_connection_serves_call_after_call_however_the_streams_end(
    server: Server, provider: StandIn, upstream: str
) -> None:
    """Asked over one connection, which one worker serves."""
    endings = (
        "words-3",
        "words-40-cuts-3",
        "fault-nodone",
        "fault-comments",
        "fault-400",
        "tools-2",
        "words-2-framing-length",
    )
    names = [f"kept-{upstream}-{n}-{server.run_dir.parent.name}/{ending}" for n, ending in enumerate(endings * 2)]
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with requests.Session() as session:
        for name in names:
            for stream in (True, False):
                body = call(f"{upstream}-kept/{name}", stream=stream)
                answer = session.post(server.url + CHAT, data=body, headers=headers, timeout=20)
                assert answer.status_code == (400 if "fault-400" in name else 200)
    asked = [one for name in names for one in provider.journal.requests(model=name)]
    assert len(asked) == 2 * len(names)
    assert len({one.connection for one in asked}) == 1


def test_a_stream_that_a_client_left_does_not_disturb_its_neighbours(server: Server, provider: StandIn) -> None:
    model = f"neighbours-{server.run_dir.parent.name}/words-6-hold-2"
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    stays, goes = (
        requests.post(
            server.url + CHAT, data=call(f"up/{model}", stream=True), headers=headers, timeout=20, stream=True
        )
        for _ in range(2)
    )
    with stays, goes:
        provider.journal.wait(2, model=model)
        goes.close()
        provider.journal.wait(model=model, outcome="aborted", timeout=20)
        provider.release(model)
        events = [line[6:] for line in stays.iter_lines() if line.startswith(b"data: {")]
    said = "".join(choice["delta"].get("content") or "" for event in events for choice in json.loads(event)["choices"])
    assert said == text(6)
