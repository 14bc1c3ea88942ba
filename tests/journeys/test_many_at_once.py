"""Many streams at once over two workers: each whole, each its own, none waiting for another."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gunicorn import Server
from tests.journeys.plainly import CHAT, MESSAGES, Answered, ask
from tests.standin import StandIn, text

AT_ONCE = 48


def said(answer: Answered, path: str) -> str:
    """The text of a stream, after the chunks of HTTP are taken away."""
    body, left = b"", answer.body
    while left:
        size, _, left = left.partition(b"\r\n")
        length = int(size, 16)
        body, left = body + left[:length], left[length + 2 :]
    events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: {")]
    if path == CHAT:
        assert body.endswith(b"data: [DONE]\n\n")
        return "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])
    assert events[-1]["type"] == "message_stop"
    return "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")


@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_every_stream_gets_its_own_words(server: Server, provider: StandIn, upstream: str) -> None:
    def one(number: int) -> tuple[int, str, str]:
        path = (CHAT, MESSAGES)[number % 2]
        words = number + 1
        model = f"many-{upstream}-{number}-{server.run_dir.parent.name}/words-{words}-gap-5-cuts-{number}"
        answer = ask(server, f"{upstream}/{model}", path=path, stream=True)
        assert answer.status == 200
        return words, said(answer, path), answer.headers["x-request-id"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(one, range(AT_ONCE)))
    assert [words for words, content, _ in found if content != text(words)] == []
    assert len({call for _, _, call in found}) == AT_ONCE


def test_a_stream_that_waits_keeps_no_other_waiting(server: Server, provider: StandIn) -> None:
    """As many silent streams as there could be threads, and calls go on beside them."""
    model = f"waiting-{server.run_dir.parent.name}/words-3-hold-1"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(ask, server, f"up/{model}", stream=True) for _ in range(AT_ONCE)]
        provider.journal.wait(AT_ONCE, model=model, timeout=30)
        for _ in range(10):
            assert ask(server, "up/words-2").status == 200
        assert not any(one.done() for one in waiting)
        provider.release(model)
        assert {said(one.result(), CHAT) for one in waiting} == {text(3)}
