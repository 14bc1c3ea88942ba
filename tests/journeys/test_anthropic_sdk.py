"""Anthropic's SDK, new and old, against both worker classes and every kind of provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.gunicorn import Server
from tests.journeys.faults import PLAIN, STREAMED
from tests.journeys.house import CLAUDE_KEY
from tests.journeys.programs import ANTHROPIC, Said, Talk, cases, heard, talk
from tests.standin import StandIn, text

SIMULATED = "This is a simulated answer: no provider was asked and no token"
EVENTS = [
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
    *("message_delta", "message_stop"),
]

#: fault -> class of the SDK, status, type
ERRORS = {
    "fault-400": ("BadRequestError", 400, "invalid_request_error"),
    "fault-401": ("InternalServerError", 502, "api_error"),
    "fault-403": ("InternalServerError", 502, "api_error"),
    "fault-404": ("NotFoundError", 404, "not_found_error"),
    "fault-413": ("ContentTooLargeError", 413, "request_too_large"),
    "fault-422": ("UnprocessableEntityError", 422, "invalid_request_error"),
    "fault-429-after-7": ("RateLimitError", 429, "rate_limit_error"),
    "fault-500": ("InternalServerError", 502, "api_error"),
    "fault-503": ("OverloadedError", 529, "overloaded_error"),
    "fault-529": ("OverloadedError", 529, "overloaded_error"),
    "fault-context": ("BadRequestError", 400, "invalid_request_error"),
    "fault-filter": ("BadRequestError", 400, "invalid_request_error"),
    "fault-quota": ("ServiceUnavailableError", 503, "api_error"),
    "fault-reset": ("InternalServerError", 502, "api_error"),
    "fault-badjson": ("InternalServerError", 502, "api_error"),
    "fault-hang": ("GatewayTimeoutError", 504, "timeout_error"),
}
#: What 1.x calls the classes that 2.x has other names for.
OLDER = {
    "ContentTooLargeError": "RequestTooLargeError",
    "ServiceUnavailableError": "InternalServerError",
    "GatewayTimeoutError": "InternalServerError",
}


@pytest.fixture(scope="module")
def found(servers: Mapping[str, Server]) -> Talk:
    return talk(ANTHROPIC, servers)


@pytest.fixture(params=cases(ANTHROPIC))
def said(request: pytest.FixtureRequest, found: Talk) -> Said:
    return heard(found, *request.param)


def test_the_versions_are_those_that_users_have(said: Said) -> None:
    assert said.version.split(".")[0] == said.program.name[-1]


@pytest.mark.parametrize("upstream", ["up", "claude", "simulated"])
def test_a_message_is_whole_and_says_where_it_came_from(said: Said, upstream: str) -> None:
    answer, headers = said[f"{upstream} message"]["answer"], said[f"{upstream} message"]["headers"]
    assert answer["content"][0]["text"] == (SIMULATED if upstream == "simulated" else text(5))
    assert (answer["stop_reason"], answer["role"]) == ("end_turn", "assistant")
    assert answer["usage"]["output_tokens"] == (12 if upstream == "simulated" else 5)
    assert answer["id"].startswith("msg_")
    assert headers["x-gateway-provider"] == upstream
    assert headers["x-gateway-model"] == f"{said.tag}.message/words-5"
    assert (headers["x-gateway-attempts"], headers["x-gateway-cache"]) == ("1", "bypass")
    assert headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("upstream", ["up", "claude", "simulated"])
def test_a_stream_has_every_event_in_order(said: Said, upstream: str) -> None:
    seen = said[f"{upstream} stream"]
    assert seen["text"] == (SIMULATED if upstream == "simulated" else text(5))
    assert (seen["events"], seen["finish"]) == (EVENTS, "end_turn")
    assert seen["usage"]["output_tokens"] == (12 if upstream == "simulated" else 5)


@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_a_folded_stream_counts_cached_tokens_as_anthropic_does(said: Said, upstream: str) -> None:
    message = said[f"{upstream} folded"]
    assert message["content"][0]["text"] == text(5)
    assert message["usage"]["cache_read_input_tokens"] == 4


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize("case", ["tools", "tools folded"])
def test_parallel_tool_uses_come_whole(said: Said, upstream: str, case: str) -> None:
    message = said[f"{upstream} {case}"]
    message = message.get("answer", message)
    used = [block for block in message["content"] if block["type"] == "tool_use"]
    assert message["stop_reason"] == "tool_use"
    assert [(block["name"], block["input"]) for block in used] == [
        ("Weather", {"city": "世界0", "degrees": 0}),
        ("Weather", {"city": "世界1", "degrees": 1}),
    ]
    assert len({block["id"] for block in used}) == 2
    texts = [block["text"] for block in message["content"] if block["type"] == "text"]
    assert texts == ([text(2)] if case == "tools folded" else [])


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize("case", ["thinking", "thinking folded"])
def test_thinking_comes_before_the_answer(said: Said, upstream: str, case: str) -> None:
    message = said[f"{upstream} {case}"]
    thinking, answer = message.get("answer", message)["content"]
    assert (thinking["type"], thinking["thinking"].split()) == ("thinking", text(3).split())
    assert thinking["signature"] == ("c2lnbmF0dXJl" if upstream == "claude" else "")
    assert answer["text"] == text(2)


@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_a_cut_answer_is_told(said: Said, upstream: str) -> None:
    assert said[f"{upstream} length"]["answer"]["stop_reason"] == "max_tokens"


def test_tokens_are_counted_by_anthropic_and_estimated_elsewhere(said: Said, provider: StandIn) -> None:
    counted, estimated = said["claude count"], said["up count"]
    assert counted["answer"]["input_tokens"] == 5
    assert counted["headers"]["x-gateway-provider"] == "claude"
    assert estimated["answer"]["input_tokens"] > 0
    assert estimated["headers"]["x-gateway-estimated"] == "true"
    assert "x-gateway-provider" not in estimated["headers"]
    asked = provider.journal.requests(path="/v1/messages/count_tokens", model=f"{said.tag}.count/plain")
    assert len(asked) == 1


def test_what_only_anthropic_knows_is_named_as_dropped_elsewhere(said: Said, provider: StandIn) -> None:
    assert said["up dropped"]["headers"]["x-gateway-dropped"] == "top_k"
    assert "x-gateway-dropped" not in said["claude dropped"]["headers"]
    sent = provider.journal.request(model=f"{said.tag}.dropped/words-2", path="/v1/messages").json
    assert sent["top_k"] == 7


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
def test_the_key_is_taken_from_either_header_and_never_travels_on(said: Said, provider: StandIn, header: str) -> None:
    case = f"key as {header}"
    assert said[f"claude {case}"]["answer"]["content"][0]["text"] == text(1)
    sent = provider.journal.request(model=f"{said.tag}.{case}/words-1")
    assert sent.header("x-api-key") == CLAUDE_KEY
    assert sent.header("authorization") is None


def test_models_are_listed_and_looked_up_in_anthropics_form(said: Said) -> None:
    assert said["models"]["ids"] == ["simulated", "other"]
    assert (said["model"]["id"], said["model"]["type"]) == ("simulated", "model")
    assert said["guest's models"] == ["simulated"]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("no such model", ("NotFoundError", 404)),
        ("unknown model", ("NotFoundError", 404)),
        ("too large", ("ContentTooLargeError", 413)),
        ("wrong key", ("AuthenticationError", 401)),
        ("guest's limits", ("PermissionDeniedError", 403)),
        ("batches", ("NotFoundError", 404)),
    ],
)
def test_the_gateways_own_refusals_are_the_sdks_errors(said: Said, case: str, expected: tuple[Any, ...]) -> None:
    raised = said.raised(case)
    assert (raised["class"], raised["status"]) == (_class(said, expected[0]), expected[1])
    assert raised["headers"]["x-request-id"].startswith("req_")


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize(
    ("how", "fault"), [("plain", one) for one in PLAIN] + [("streamed", one) for one in STREAMED if one in ERRORS]
)
def test_a_providers_failure_is_the_sdks_error(said: Said, upstream: str, how: str, fault: str) -> None:
    raised = said.raised(f"{upstream} {how} {fault}")
    name, status, kind = ERRORS[fault]
    assert (raised["class"], raised["status"], raised["type"]) == (_class(said, name), status, kind)
    assert raised["body"]["request_id"] == raised["headers"]["x-request-id"]
    if raised["status"] in (429, 503, 529):
        assert raised["headers"]["retry-after"].isdecimal()
    if fault == "fault-429-after-7":
        assert raised["headers"]["retry-after"] == "7"


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize("fault", ["fault-errormid-3", "fault-cut-3"])
def test_a_stream_that_breaks_raises_after_what_came_before(said: Said, upstream: str, fault: str) -> None:
    raised = said.raised(f"{upstream} streamed {fault}")
    assert (raised["class"], raised["status"], raised["type"]) == ("APIStatusError", 200, "api_error")
    assert raised["notes"] == [text(3)]


def test_a_failure_before_the_first_content_is_no_stream_yet(said: Said) -> None:
    assert said.raised("up streamed fault-errorfirst")["status"] == 502
    assert said.raised("claude streamed fault-errorfirst")["class"] == "OverloadedError"


def test_the_sdk_does_not_multiply_the_gateways_attempts(said: Said, provider: StandIn) -> None:
    """It would ask three times by itself; the gateway asks twice at most."""
    asked = {
        one.name: len(provider.journal.requests(model=one.upstream_model(said.kind))) for one in said.program.troubles
    }
    assert {name: count for name, count in asked.items() if not 1 <= count <= 2} == {}


def _class(said: Said, name: str) -> str:
    return OLDER.get(name, name) if said.program.name == "anthropic-1" else name
