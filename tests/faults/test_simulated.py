"""What the simulated provider can be told to get wrong ends as it does at any provider that gets it wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from app.config.kinds import FAULTS
from app.core.errors import RULES
from app.upstream.faults import Faults
from tests.faults.run import calls_in
from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.soak.scene import inside, total

WORDS = 6


@dataclass(frozen=True)
class Ends:
    """`counted` is the error_type of each of the `attempts`, but where the answer is whole."""

    status: int
    code: str | None = None
    counted: str | None = None
    attempts: int = 1
    words: int = 0


WHOLE, BROKEN = Ends(200, words=WORDS), Ends(200, "stream_interrupted", "stream_interrupted", words=WORDS // 2)
CONNECTION, NO_ANSWER = Ends(502, "connection", "connection", 2), Ends(502, "invalid_response", "invalid_response", 2)

#: fault -> how a plain call ends, and how a stream does.
EXPECTED: dict[str, tuple[Ends, Ends]] = {
    "authentication": (Ends(502, "authentication", "authentication"),) * 2,
    "connection": (CONNECTION, CONNECTION),
    "content_filter": (Ends(400, "content_filter", "content_filter"),) * 2,
    "context_length": (Ends(400, "context_length_exceeded", "context_length"),) * 2,
    "invalid_request": (Ends(400, "invalid_value", "invalid_request"),) * 2,
    "invalid_response": (NO_ANSWER, NO_ANSWER),
    "model_not_found": (Ends(502, "model_not_found", "model_not_found"),) * 2,
    "overloaded": (Ends(503, "overloaded", "overloaded", 2),) * 2,
    "quota_exceeded": (Ends(503, "insufficient_quota", "quota_exceeded"),) * 2,
    "rate_limited": (Ends(429, "rate_limit_exceeded", "rate_limited", 2),) * 2,
    "server_error": (Ends(502, "server_error", "server_error", 2),) * 2,
    "stream_interrupted": (CONNECTION, BROKEN),
    "timeout": (Ends(504, "timeout", "timeout"),) * 2,
    "cut": (CONNECTION, BROKEN),
    "malformed": (NO_ANSWER, WHOLE),
    "slow": (WHOLE, WHOLE),
    "stall": (Ends(504, "timeout", "timeout"), BROKEN),
}


def configuration() -> str:
    """A provider for each cell, since some are left alone afterwards; and one that everybody would have to leave."""
    pace = {"kind": "simulated", "latency": 0.02, "tokens_per_second": 1000, "words": WORDS}
    short = {"first_byte": 1, "idle": 1}
    providers = {
        f"{fault.replace('_', '-')}-{mode}": {**pace, "faults": {fault: 1}, "timeouts": short}
        for fault in FAULTS
        for mode in ("plain", "streamed")
    }
    for fault in ("overloaded", "cut"):
        providers[f"{fault}-messages"] = {**pace, "faults": {fault: 1}}
    providers["held"] = {**pace, "faults": {"stall": 1}, "timeouts": {"first_byte": 300, "idle": 300}}
    models = {name: {"targets": [f"{name}/simulated"]} for name in providers}
    return json.dumps({"providers": providers, "models": models})


@pytest.fixture(scope="module", params=CLASSES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with gunicorn(configuration(), workers=1, worker_class=request.param, app="tests.faults.inside:app") as server:
        yield server


def ask(server: Server, model: str, *, stream: bool) -> requests.Response:
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    return requests.post(f"{server.url}/v1/chat/completions", json=body, timeout=30)


def test_every_fault_has_its_row() -> None:
    assert sorted(EXPECTED) == sorted(FAULTS)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_simulated_provider_ends_as_anybodys(server: Server, fault: str, stream: bool) -> None:
    expected, model = EXPECTED[fault][stream], f"{fault.replace('_', '-')}-{'streamed' if stream else 'plain'}"

    answer = ask(server, model, stream=stream)

    text, code = _streamed(answer.text) if stream and answer.status_code == 200 else _plain(answer.json())
    assert (answer.status_code, code, len(text.split())) == (expected.status, expected.code, expected.words)
    assert (answer.headers["x-gateway-provider"], answer.headers["x-gateway-model"]) == (model, "simulated")
    assert answer.headers["x-gateway-attempts"] == str(expected.attempts)
    assert ("retry-after" in answer.headers) == (answer.status_code in (429, 503))
    (line,) = until(lambda: calls_in(server.log())[answer.headers["x-request-id"]], "line of the log")
    ended = f": {expected.counted}" if expected.counted else ""
    assert line["attempts"] == [f"{model}/simulated{ended}"] * expected.attempts
    assert line["malformed"] == (fault == "malformed" and stream)


def test_faults_are_told_in_the_language_of_messages_too(server: Server) -> None:
    body = {"max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]}
    where = f"{server.url}/v1/messages"

    refused = requests.post(where, json={**body, "model": "overloaded-messages"}, timeout=30)
    broken = requests.post(where, json={**body, "model": "cut-messages", "stream": True}, timeout=30)

    assert (refused.status_code, refused.json()["error"]["type"]) == (529, "overloaded_error")
    assert (refused.headers["retry-after"], refused.headers["x-should-retry"]) == ("1", "false")
    assert (refused.headers["x-gateway-provider"], refused.headers["x-gateway-attempts"]) == (
        "overloaded-messages",
        "2",
    )
    kinds = [line.removeprefix("event: ") for line in broken.text.splitlines() if line.startswith("event: ")]
    assert (broken.status_code, kinds[0], kinds[-1]) == (200, "message_start", "error")
    assert "message_stop" not in kinds


def test_a_client_that_leaves_ends_a_silence_of_the_simulated_provider(server: Server) -> None:
    until(lambda: total(inside(server))["guards"] == 0, "end of the others")
    body = {"model": "held", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    where, named = f"{server.url}/v1/chat/completions", {"x-request-id": "leaver"}
    with requests.post(where, json=body, headers=named, timeout=30, stream=True) as answer:
        lines = answer.iter_lines()
        assert next(lines)
        assert total(inside(server))["guards"] == 1
    until(lambda: total(inside(server))["guards"] == 0, "end of a call whose client has left")
    (line,) = until(lambda: calls_in(server.log())["leaver"], "line of the log")
    assert line["status"] == "cancelled"


def test_shares_are_shares_of_all_calls() -> None:
    chances = iter(number / 1024 for number in range(1024))
    faults = Faults({"timeout": 0.25, "cut": 0.5, "slow": 0.0}, lambda: next(chances))

    drawn = [faults.draw() for _ in range(1024)]

    assert [drawn.count(name) for name in ("timeout", "cut", "slow", None)] == [256, 512, 0, 256]


def test_what_is_named_like_an_error_is_counted_as_that_error() -> None:
    for fault in {*FAULTS} & {*map(str, RULES)}:
        assert EXPECTED[fault][1].counted == fault


def _plain(body: Any) -> tuple[str, str | None]:
    return ("", body["error"]["code"]) if "error" in body else (body["choices"][0]["message"]["content"], None)


def _streamed(raw: str) -> tuple[str, str | None]:
    *events, last = [event.removeprefix("data: ") for event in raw.strip().split("\n\n")]
    parsed = [json.loads(event) for event in events]
    text = "".join(choice["delta"].get("content") or "" for event in parsed for choice in event["choices"])
    return text, None if last == "[DONE]" else json.loads(last)["error"]["code"]
