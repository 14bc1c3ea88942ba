"""OpenAI's SDK, new and old, against both worker classes and every kind of provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.gunicorn import Server
from tests.journeys.faults import PLAIN, STREAMED
from tests.journeys.programs import OPENAI, Said, Talk, cases, heard, talk
from tests.standin import StandIn, text

SIMULATED = "This is a simulated answer: no provider was asked and no token"

#: fault -> class of the SDK, status, code, type
ERRORS = {
    "fault-400": ("BadRequestError", 400, "invalid_request", "invalid_request_error"),
    "fault-401": ("InternalServerError", 502, "authentication", "api_error"),
    "fault-403": ("InternalServerError", 502, "model_not_found", "api_error"),
    "fault-404": ("NotFoundError", 404, "model_not_found", "invalid_request_error"),
    "fault-413": ("APIStatusError", 413, "request_too_large", "invalid_request_error"),
    "fault-422": ("UnprocessableEntityError", 422, "invalid_request", "invalid_request_error"),
    "fault-429-after-7": ("RateLimitError", 429, "rate_limit_exceeded", "rate_limit_error"),
    "fault-500": ("InternalServerError", 502, "server_error", "api_error"),
    "fault-503": ("InternalServerError", 503, "overloaded", "api_error"),
    "fault-529": ("InternalServerError", 503, "overloaded", "api_error"),
    "fault-context": ("BadRequestError", 400, "context_length_exceeded", "invalid_request_error"),
    "fault-filter": ("BadRequestError", 400, "content_filter", "invalid_request_error"),
    "fault-quota": ("InternalServerError", 503, "insufficient_quota", "api_error"),
    "fault-reset": ("InternalServerError", 502, "connection", "api_error"),
    "fault-badjson": ("InternalServerError", 502, "invalid_response", "api_error"),
    "fault-hang": ("InternalServerError", 504, "timeout", "api_error"),
}


@pytest.fixture(scope="module")
def found(servers: Mapping[str, Server]) -> Talk:
    return talk(OPENAI, servers)


@pytest.fixture(params=cases(OPENAI))
def said(request: pytest.FixtureRequest, found: Talk) -> Said:
    return heard(found, *request.param)


def test_the_versions_are_those_that_users_have(said: Said) -> None:
    assert said.version.split(".")[0] == said.program.name[-1]


@pytest.mark.parametrize("upstream", ["up", "claude", "simulated"])
def test_an_answer_is_whole_and_says_where_it_came_from(said: Said, upstream: str) -> None:
    answer, headers = said[f"{upstream} chat"]["answer"], said[f"{upstream} chat"]["headers"]
    assert answer["choices"][0]["message"]["content"] == (SIMULATED if upstream == "simulated" else text(5))
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["completion_tokens"] == (12 if upstream == "simulated" else 5)
    assert answer["id"].startswith("chatcmpl-")
    assert headers["x-gateway-provider"] == upstream
    assert headers["x-gateway-model"] == f"{said.tag}.chat/words-5"
    assert (headers["x-gateway-attempts"], headers["x-gateway-cache"]) == ("1", "bypass")
    assert headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("upstream", ["up", "claude", "simulated"])
def test_a_stream_is_whole(said: Said, upstream: str) -> None:
    seen = said[f"{upstream} stream"]
    assert seen["text"] == (SIMULATED if upstream == "simulated" else text(5))
    assert (seen["finishes"], seen["usages"], len(seen["ids"])) == (["stop"], [], 1)


@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_a_stream_has_its_usage_once_when_asked(said: Said, upstream: str) -> None:
    seen = said[f"{upstream} usage"]
    assert (seen["text"], seen["finishes"]) == (text(5), ["stop"])
    assert [(one["prompt_tokens"], one["completion_tokens"], one["total_tokens"]) for one in seen["usages"]] == [
        (2, 5, 7)
    ]


@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_a_stream_that_ends_well_has_a_finish_reason_though_its_provider_gave_none(said: Said, upstream: str) -> None:
    seen = said[f"{upstream} end without a reason"]
    assert (seen["text"], seen["finishes"]) == (text(5), ["stop"])


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize(("case", "content"), [("tools", None), ("tools folded", text(2))])
def test_parallel_tool_calls_come_whole(said: Said, upstream: str, case: str, content: str | None) -> None:
    seen = said[f"{upstream} {case}"]
    assert (seen["finish"], seen["content"]) == ("tool_calls", content)
    assert [(call["name"], call["arguments"]) for call in seen["calls"]] == [
        ("Weather", {"city": "世界0", "degrees": 0}),
        ("Weather", {"city": "世界1", "degrees": 1}),
    ]
    assert len({call["id"] for call in seen["calls"]}) == 2


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize("case", ["parse", "parse folded"])
def test_parse_gives_an_object_of_the_schema(said: Said, provider: StandIn, upstream: str, case: str) -> None:
    assert said[f"{upstream} {case}"]["parsed"] == {"city": "世界", "degrees": 7}
    sent = provider.journal.request(model=f"{said.tag}.{case}/echo", path=_path(upstream)).json
    schema = (
        sent["response_format"]["json_schema"]["schema"]
        if upstream == "up"
        else sent["output_config"]["format"]["schema"]
    )
    assert set(schema["properties"]) == {"city", "degrees"}


@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_reasoning_and_a_cut_answer_are_told(said: Said, upstream: str) -> None:
    message = said[f"{upstream} reasoning"]["answer"]["choices"][0]["message"]
    assert message["reasoning_content"].split() == text(3).split()
    assert said[f"{upstream} length"]["answer"]["choices"][0]["finish_reason"] == "length"


def test_what_anthropic_cannot_be_told_is_refused_or_named(said: Said) -> None:
    refused = said.raised("claude two answers")
    assert (refused["class"], refused["param"], refused["code"]) == ("BadRequestError", "n", "unsupported_value")
    assert said["claude dropped"]["headers"]["x-gateway-dropped"].split(", ") == ["seed", "store"]
    assert "x-gateway-dropped" not in said["up dropped"]["headers"]


@pytest.mark.parametrize("upstream", ["up", "claude", "simulated"])
def test_responses_come_whole_in_either_form(said: Said, upstream: str) -> None:
    expected = SIMULATED if upstream == "simulated" else text(5)
    assert said[f"{upstream} respond"] == expected
    assert said[f"{upstream} respond streamed"] == {"text": expected, "end": "response.completed"}
    if upstream != "simulated":
        assert said[f"{upstream} respond parsed"] == {"city": "世界", "degrees": 7}


@pytest.mark.parametrize("upstream", ["up", "simulated"])
def test_vectors_are_the_same_in_base64_and_as_floats(said: Said, upstream: str) -> None:
    embedded, floats = said[f"{upstream} embed"], said[f"{upstream} embed floats"]
    assert [one["index"] for one in embedded["data"]] == [0, 1]
    assert {len(one["embedding"]) for one in embedded["data"]} == {8}
    assert all(isinstance(value, float) for one in embedded["data"] for value in one["embedding"])
    assert len(floats["data"][0]["embedding"]) == 4
    assert floats["usage"]["total_tokens"] == 1


@pytest.mark.parametrize("upstream", ["up", "simulated"])
def test_completions_and_moderations_answer(said: Said, upstream: str) -> None:
    expected = SIMULATED if upstream == "simulated" else text(3)
    assert said[f"{upstream} complete"]["choices"][0]["text"] == expected
    assert said[f"{upstream} complete streamed"] == expected
    assert said[f"{upstream} moderate"]["results"][0]["flagged"] == (upstream == "up")


@pytest.mark.parametrize("case", ["embed", "embed floats", "complete", "complete streamed", "moderate"])
def test_what_a_provider_does_not_offer_is_a_bad_request(said: Said, case: str) -> None:
    raised = said.raised(f"claude {case}")
    assert (raised["class"], raised["code"], raised["param"]) == ("BadRequestError", "unsupported_operation", "model")


def test_models_are_listed_and_looked_up(said: Said) -> None:
    assert said["models"]["ids"] == ["simulated", "other"]
    assert said["models"]["headers"]["x-request-id"].startswith("req_")
    assert (said["model"]["id"], said["model"]["object"]) == ("simulated", "model")
    assert said["guest's models"] == ["simulated"]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("no such model", ("NotFoundError", 404, "model_not_found", "model")),
        ("unknown model", ("NotFoundError", 404, "model_not_found", "model")),
        ("too large", ("APIStatusError", 413, "request_too_large", None)),
        ("wrong key", ("AuthenticationError", 401, "invalid_api_key", None)),
        ("guest's limits", ("PermissionDeniedError", 403, "permission", "model")),
    ],
)
def test_the_gateways_own_refusals_are_the_sdks_errors(said: Said, case: str, expected: tuple[Any, ...]) -> None:
    raised = said.raised(case)
    assert (raised["class"], raised["status"], raised["code"], raised["param"]) == expected
    assert raised["headers"]["x-request-id"].startswith("req_")


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize(
    ("how", "fault"), [("plain", one) for one in PLAIN] + [("streamed", one) for one in STREAMED if one in ERRORS]
)
def test_a_providers_failure_is_the_sdks_error(said: Said, upstream: str, how: str, fault: str) -> None:
    raised = said.raised(f"{upstream} {how} {fault}")
    assert (raised["class"], raised["status"], raised["code"], raised["type"]) == ERRORS[fault]
    if raised["status"] in (429, 503):
        assert raised["headers"]["retry-after"].isdecimal()
    if fault == "fault-429-after-7":
        assert raised["headers"]["retry-after"] == "7"


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize("fault", ["fault-errormid-3", "fault-cut-3"])
def test_a_stream_that_breaks_raises_after_what_came_before(said: Said, upstream: str, fault: str) -> None:
    raised = said.raised(f"{upstream} streamed {fault}")
    assert (raised["class"], raised["code"], raised["type"]) == ("APIError", "stream_interrupted", "api_error")
    assert raised["notes"] == [text(3)]


def test_a_failure_before_the_first_content_is_no_stream_yet(said: Said) -> None:
    assert said.raised("up streamed fault-errorfirst")["class"] == "InternalServerError"
    assert said.raised("claude streamed fault-errorfirst")["status"] == 503


def test_the_sdk_does_not_multiply_the_gateways_attempts(said: Said, provider: StandIn) -> None:
    """It would ask three times by itself; the gateway asks twice at most."""
    asked = {
        one.name: len(provider.journal.requests(model=one.upstream_model(said.kind))) for one in said.program.troubles
    }
    assert {name: count for name, count in asked.items() if not 1 <= count <= 2} == {}


def _path(upstream: str) -> str:
    return "/v1/chat/completions" if upstream == "up" else "/v1/messages"
