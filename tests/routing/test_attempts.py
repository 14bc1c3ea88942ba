"""Repeats and fallbacks through the real server: who is asked, how often, and what the client is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.gunicorn import Server, gunicorn
from tests.standin import StandIn, text

CONFIG = """
providers:
  a: {{kind: compatible, base_url: "{a}/v1", api_key: k, max_in_flight: 2}}
  b: {{kind: compatible, base_url: "{b}/v1", api_key: k}}
  claude: {{kind: anthropic, base_url: "{b}", api_key: k}}
models:
  both: {{targets: [claude/words-5, b/words-5]}}
  stop: {{targets: [claude/fault-nodone]}}
  context: {{targets: [a/fault-context], fallbacks: {{context_length: [large]}}}}
  filter: {{targets: [a/fault-filter], fallbacks: {{any: [large]}}}}
  down: {{targets: [a/fault-503], fallbacks: {{any: [blind, large]}}}}
  large: {{targets: [b/words-7]}}
  blind: {{targets: [b/words-3], vision: false, tools: false}}
  held: {{targets: [a/words-5-hold-2, b/words-5]}}
  weighed: {{strategy: weighted, targets: [{{target: a/words-2, weight: 1000000}}, b/words-3]}}
resilience: {{retries: 0, breaker: {{consecutive: 1000, min_calls: 1000}}}}
"""
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@dataclass
class Scene:
    server: Server
    a: StandIn
    b: StandIn

    def ask(self, model: str, **more: Any) -> requests.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
        return requests.post(f"{self.server.url}/v1/chat/completions", json=body, timeout=30)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with StandIn() as a, StandIn() as b, gunicorn(CONFIG.format(a=a.url, b=b.url), workers=1) as server:
        yield Scene(server, a, b)


def said(answer: requests.Response) -> Any:
    return answer.json()["choices"][0]["message"]["content"]


def test_a_target_that_cannot_be_told_what_is_asked_is_passed_over(scene: Scene) -> None:
    answer = scene.ask("both", response_format={"type": "json_object"})
    assert (answer.status_code, answer.headers["x-gateway-provider"]) == (200, "b")
    assert answer.headers["x-gateway-attempts"] == "1"


def test_a_prompt_that_is_too_long_goes_to_the_larger_model_after_one_attempt(scene: Scene) -> None:
    answer = scene.ask("context")
    assert (said(answer), answer.headers["x-gateway-attempts"]) == (text(7), "2")


def test_a_content_filter_is_not_routed_around(scene: Scene) -> None:
    answer = scene.ask("filter")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_filter")


def test_a_fallback_that_cannot_take_the_call_is_left_out(scene: Scene) -> None:
    plain = scene.ask("down")
    seeing = scene.ask("down", messages=[{"role": "user", "content": [IMAGE]}])
    acting = scene.ask("down", tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}])
    assert said(plain) == text(3)
    assert [answer.headers["x-gateway-model"] for answer in (seeing, acting)] == ["words-7", "words-7"]


def test_weights_decide_who_is_asked_first(scene: Scene) -> None:
    assert {said(scene.ask("weighed")) for _ in range(5)} == {text(2)}


def test_a_provider_that_is_full_is_passed_over(scene: Scene) -> None:
    url = f"{scene.server.url}/v1/chat/completions"
    body = {"model": "held", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    running = [requests.post(url, json=body, stream=True, timeout=30) for _ in range(2)]
    assert {answer.headers["x-gateway-provider"] for answer in running} == {"a"}
    assert scene.ask("held").headers["x-gateway-provider"] == "b"
    scene.a.release("words-5-hold-2")
    assert all("[DONE]" in answer.text for answer in running)
    scene.a.journal.wait(2, model="words-5-hold-2", outcome="complete")


def test_a_messages_stream_without_its_last_event_gets_one(scene: Scene) -> None:
    body = {"model": "stop", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    answer = requests.post(f"{scene.server.url}/v1/messages", json=body, timeout=30)
    assert answer.text.count("event: message_stop") == 1
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
