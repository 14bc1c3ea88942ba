"""Streams that break after their first content, through the real server: whole, or ended in an error."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.gunicorn import Server, gunicorn
from tests.standin import StandIn, text

CONFIG = """
providers:
  first: {{kind: compatible, base_url: "{first}/v1", api_key: k}}
  second: {{kind: compatible, base_url: "{second}/v1", api_key: k}}
  cutter: {{kind: compatible, base_url: "{first}/v1", api_key: k}}
  claude: {{kind: anthropic, base_url: "{second}", api_key: k}}
models:
{models}
timeouts: {{idle: 1, first_byte: 5, deadline: 20}}
resilience: {{breaker: {{consecutive: 1000, min_calls: 1000}}}}
health: {{probe: false}}
"""

#: name -> (what the first provider does, what the second one does, more of the model's settings)
MODELS = {
    "cut-replay": ("fault-cut-4", "words-10", "stream_rescue: replay"),
    "cut-midevent": ("fault-midevent-4", "words-10", "stream_rescue: replay"),
    "stall-replay": ("fault-stall-4", "words-10", "stream_rescue: replay"),
    "error-replay": ("fault-errormid-4", "words-10", "stream_rescue: replay"),
    "once-replay": ("first-1-fault-cut-4-then-words-10", "words-9", "stream_rescue: replay"),
    "shorter": ("fault-cut-4", "words-2", "stream_rescue: replay"),
    "auto": ("fault-cut-4", "words-10", "stream_rescue: auto"),
    "off": ("fault-cut-4", "words-10", "stream_rescue: off"),
    "refused": ("first-1-fault-cut-4-then-fault-filter", "words-10", "stream_rescue: replay"),
    "silent-first": ("fault-hang", "fault-cut-4", "stream_rescue: replay, timeouts: {first_byte: 1}"),
    "tools": ("tools-1-fault-cut-1", "words-10", "stream_rescue: replay"),
}


@dataclass
class Scene:
    server: Server
    first: StandIn
    second: StandIn

    def chat(self, model: str, **more: Any) -> "Answer":
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "hi"}], **more}
        return Answer(requests.post(f"{self.server.url}/v1/chat/completions", json=body, timeout=30).text)

    def messages(self, model: str, **more: Any) -> "Answer":
        body = {
            "model": model,
            "stream": True,
            "max_tokens": 99,
            "messages": [{"role": "user", "content": "hi"}],
            **more,
        }
        return Answer(requests.post(f"{self.server.url}/v1/messages", json=body, timeout=30).text)


class Answer:
    """What a client makes of a stream."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.events: list[Any] = [json.loads(line[6:]) for line in raw.split("\n") if line.startswith("data: {")]

    @property
    def text(self) -> str:
        said = ""
        for event in self.events:
            for choice in event.get("choices") or ():
                said += choice["delta"].get("content") or ""
            said += (event.get("delta") or {}).get("text") or ""
        return said

    @property
    def error(self) -> Any:
        return next((event["error"] for event in self.events if event.get("error")), None)

    @property
    def looks_whole(self) -> bool:
        return "[DONE]" in self.raw or "message_stop" in self.raw


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with StandIn() as first, StandIn() as second:
        lines = [f"  {name}: {{targets: [first/{a}, second/{b}], {more}}}" for name, (a, b, more) in MODELS.items()]
        lines += [
            "  prefill: {targets: [first/fault-cut-4, {target: second/words-6, prefill: true}]}",
            "  prefill-refused: {targets: [first/fault-cut-4, {target: second/words-10, prefill: true}]}",
            "  cutter: {targets: [cutter/fault-cut-3], stream_rescue: replay}",
            "  claude: {targets: [claude/fault-cut-4, claude/words-10], stream_rescue: replay}",
            "  crossed: {targets: [claude/fault-cut-4, second/words-10], stream_rescue: replay}",
            "  to-claude: {targets: [first/fault-cut-4, claude/words-10], stream_rescue: replay}",
        ]
        config = CONFIG.format(first=first.url, second=second.url, models="\n".join(lines))
        with gunicorn(config, workers=1) as server:
            yield Scene(server, first, second)


@pytest.mark.parametrize("model", ["cut-replay", "cut-midevent", "stall-replay", "error-replay", "once-replay"])
def test_a_replay_makes_a_broken_stream_whole(scene: Scene, model: str) -> None:
    answer = scene.chat(model)
    assert (answer.text, answer.error, answer.looks_whole) == (text(10), None, True)
    assert ": rescued by " in answer.raw
    assert len({event["id"] for event in answer.events}) == 1


def test_a_target_that_fell_silent_is_not_asked_for_a_replay(scene: Scene) -> None:
    scene.first.journal.clear()
    scene.chat("stall-replay")
    assert len(scene.first.journal.requests(model="fault-stall-4")) == 1


def test_a_target_that_said_nothing_at_first_is_not_asked_to_replay_what_another_began(scene: Scene) -> None:
    scene.first.journal.clear()
    answer = scene.chat("silent-first")
    assert (answer.text, answer.error["code"], answer.looks_whole) == (text(4), "stream_interrupted", False)
    assert len(scene.first.journal.requests(model="fault-hang")) == 1


def test_a_replay_that_a_filter_blocks_is_not_taken_elsewhere(scene: Scene) -> None:
    scene.second.journal.clear()
    answer = scene.chat("refused")
    assert (answer.text, answer.error["code"], answer.looks_whole) == (text(4), "stream_interrupted", False)
    assert scene.second.journal.requests() == []


def test_replays_come_out_of_the_retry_budget(scene: Scene) -> None:
    """Ten that a provider begins with, one for five calls, and one in ten seconds."""
    calls = 30
    began = time.monotonic()
    assert all(scene.chat("cutter").error["code"] == "stream_interrupted" for _ in range(calls))
    repeats = len(scene.first.journal.requests(model="fault-cut-3")) - calls
    assert 10 + calls // 5 - 1 <= repeats <= 10 + calls // 5 + (time.monotonic() - began) / 10


def test_usage_is_told_once_and_of_the_whole_answer(scene: Scene) -> None:
    answer = scene.chat("cut-replay", stream_options={"include_usage": True})
    (usage,) = [event["usage"] for event in answer.events if event.get("usage")]
    assert usage["completion_tokens"] == 10


@pytest.mark.parametrize("model", ["shorter", "auto", "off", "tools"])
def test_what_cannot_be_seamless_ends_in_an_error(scene: Scene, model: str) -> None:
    answer = scene.chat(model)
    assert answer.error["code"] == "stream_interrupted"
    assert not answer.looks_whole


@pytest.mark.parametrize("more", [{"temperature": 0}, {"seed": 7}])
def test_auto_replays_what_must_come_out_the_same(scene: Scene, more: dict[str, Any]) -> None:
    answer = scene.chat("auto", **more)
    assert (answer.text, answer.looks_whole) == (text(10), True)


@pytest.mark.parametrize(
    "more",
    [{"n": 2}, {"logprobs": True}, {"response_format": {"type": "json_object"}}],
    ids=["n", "logprobs", "json"],
)
def test_what_is_more_than_plain_text_is_not_rescued(scene: Scene, more: dict[str, Any]) -> None:
    answer = scene.chat("cut-replay", **more)
    assert answer.error is not None
    assert not answer.looks_whole


def test_a_target_with_prefill_goes_on_from_the_delivered_text(scene: Scene) -> None:
    scene.second.journal.clear()
    answer = scene.chat("prefill")
    sent = scene.second.journal.last.json["messages"]
    assert sent[-1] == {"role": "assistant", "content": text(4).rstrip()}
    assert answer.text == text(4) + text(6)
    assert answer.looks_whole


def test_a_prefill_that_is_refused_is_passed_over_and_never_shown(scene: Scene) -> None:
    scene.second.script("fault-400", model="words-10")
    answer = scene.chat("prefill-refused", temperature=0)
    assert (answer.text, answer.error, answer.looks_whole) == (text(10), None, True)


@pytest.mark.parametrize("model", ["cut-replay", "claude", "crossed", "to-claude"])
def test_messages_streams_are_rescued_across_providers_and_languages(scene: Scene, model: str) -> None:
    answer = scene.messages(model)
    kinds = [event["type"] for event in answer.events]
    assert (answer.text, answer.error) == (text(10), None)
    assert [kind for kind in kinds if kind not in {"content_block_delta", "ping"}] == [
        "message_start",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize("model", ["claude", "crossed", "to-claude"])
def test_chat_streams_are_rescued_across_languages(scene: Scene, model: str) -> None:
    answer = scene.chat(model)
    assert (answer.text, answer.error, answer.looks_whole) == (text(10), None, True)
