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
  short: {{targets: [a/words-4], max_output: 100, fallbacks: {{any: [long]}}}}
  alone: {{targets: [a/words-4, b/words-4], max_output: 100, fallbacks: {{any: [short]}}}}
  long: {{targets: [b/words-7], max_output: 1000}}
  narrow: {{targets: [a/words-4], context: 50, fallbacks: {{any: [down], context_length: [wide, wider]}}}}
  closed: {{targets: [a/words-4], context: 50, fallbacks: {{any: [large], context_length: [wide]}}}}
  wide: {{targets: [b/words-3], context: 100}}
  wider: {{targets: [b/words-7], context: 1000}}
  claude: {{targets: [claude/words-5], max_output: 777}}
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


def test_a_model_is_not_asked_for_a_longer_answer_than_it_can_write(scene: Scene) -> None:
    fits, longer = scene.ask("short", max_tokens=100), scene.ask("short", max_completion_tokens=101)
    assert (said(fits), said(longer)) == (text(4), text(7))
    assert (longer.headers["x-gateway-model"], longer.headers["x-gateway-attempts"]) == ("words-7", "1")


def test_where_nobody_can_write_so_much_the_field_and_the_limit_are_named(scene: Scene) -> None:
    answer = scene.ask("alone", max_tokens=101)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_request", "max_tokens")
    assert error["message"] == "max_tokens is 101, and model 'alone' writes 100 tokens at most"
    assert (answer.headers["x-gateway-attempts"], answer.headers.get("x-should-retry")) == ("0", None)


def test_what_clients_of_other_languages_ask_for_is_named_as_they_call_it(scene: Scene) -> None:
    body = {"model": "alone", "max_tokens": 101, "messages": [{"role": "user", "content": "hi"}]}
    answer = requests.post(f"{scene.server.url}/v1/messages", json=body, timeout=30)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "max_tokens is 101" in answer.json()["error"]["message"]
    body = {"model": "alone", "max_output_tokens": 101, "input": "hi"}
    answer = requests.post(f"{scene.server.url}/v1/responses", json=body, timeout=30)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "max_output_tokens")


def test_where_a_provider_must_be_told_a_bound_it_is_the_configured_one(scene: Scene) -> None:
    assert scene.ask("claude").status_code == 200
    assert scene.b.journal.last.json["max_tokens"] == 777


def test_a_prompt_that_cannot_fit_goes_to_a_model_that_may_read_it_without_an_attempt(scene: Scene) -> None:
    def prompt(words: int) -> list[dict[str, str]]:
        return [{"role": "user", "content": "word " * words}]

    for words, found in ((50, text(4)), (51, text(3)), (100, text(3)), (101, text(7))):
        answer = scene.ask("narrow", messages=prompt(words))
        assert (said(answer), answer.headers["x-gateway-attempts"]) == (found, "1"), words
    for model, words in (("narrow", 1001), ("closed", 101)):
        answer = scene.ask(model, messages=prompt(words))
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (400, "context_length_exceeded", "messages")
        assert error["message"] == f"the prompt has at least {words} tokens, and model '{model}' reads 50 at most"
        assert answer.headers["x-gateway-attempts"] == "0"


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
