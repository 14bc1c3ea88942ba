"""LangChain, LiteLLM and instructor as clients, against both worker classes and both kinds of provider."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.gunicorn import Server
from tests.journeys.programs import FRAMEWORKS, Said, Talk, cases, heard, talk
from tests.standin import text

SIMULATED = "This is a simulated answer: no provider was asked and no token"
LANGCHAIN, LITELLM, INSTRUCTOR = ([one] for one in FRAMEWORKS)
WEATHER = [{"city": "世界0", "degrees": 0}, {"city": "世界1", "degrees": 1}]
ANYWHERE = ("up", "claude", "cohere", "bedrock", "gemini")
LANGUAGES = ("openai", "litellm_proxy", "anthropic")


@pytest.fixture(scope="module")
def found(servers: Mapping[str, Server]) -> Talk:
    return talk(FRAMEWORKS, servers)


@pytest.fixture(params=cases(LANGCHAIN))
def langchain(request: pytest.FixtureRequest, found: Talk) -> Said:
    return heard(found, *request.param)


@pytest.fixture(params=cases(LITELLM))
def litellm(request: pytest.FixtureRequest, found: Talk) -> Said:
    return heard(found, *request.param)


@pytest.fixture(params=cases(INSTRUCTOR))
def instructor(request: pytest.FixtureRequest, found: Talk) -> Said:
    return heard(found, *request.param)


@pytest.mark.parametrize("upstream", [*ANYWHERE, "simulated"])
@pytest.mark.parametrize("case", ["chat", "stream"])
def test_langchain_reads_text_and_usage(langchain: Said, upstream: str, case: str) -> None:
    seen = langchain[f"{upstream} {case}"]
    assert seen["text"] == (SIMULATED if upstream == "simulated" else text(5))
    assert seen["usage"]["output_tokens"] == (12 if upstream == "simulated" else 5)


@pytest.mark.parametrize("upstream", ANYWHERE)
@pytest.mark.parametrize("case", ["tools", "tools streamed"])
def test_langchain_reads_parallel_tool_calls(langchain: Said, upstream: str, case: str) -> None:
    assert [call["args"] for call in langchain[f"{upstream} {case}"]["calls"]] == WEATHER


@pytest.mark.parametrize("upstream", ANYWHERE)
@pytest.mark.parametrize("case", ["responses", "responses streamed"])
def test_langchain_speaks_responses(langchain: Said, upstream: str, case: str) -> None:
    seen = langchain[f"{upstream} {case}"]
    assert [call["args"] for call in seen["calls"]] == WEATHER
    assert (seen["text"], seen["then"], seen["usage"]["output_tokens"]) == (text(2), text(2), 4)


@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_langchain_gets_objects_and_errors(langchain: Said, upstream: str) -> None:
    assert langchain[f"{upstream} structured"] == {"city": "世界", "degrees": 7}
    raised = langchain.raised(f"{upstream} bad request")
    assert (raised["status"], raised["type"]) == (400, "invalid_request_error")
    assert [len(vector) for vector in langchain["up embed"]] == [8, 8]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("upstream", ["up", "claude", "simulated"])
@pytest.mark.parametrize("case", ["chat", "stream"])
def test_litellm_reads_text_and_usage_in_either_language(
    litellm: Said, language: str, upstream: str, case: str
) -> None:
    seen = litellm[f"{upstream} {language} {case}"]
    assert (seen["text"], seen["finish"]) == (SIMULATED if upstream == "simulated" else text(5), "stop")
    assert seen["usage"]["completion_tokens"] == (12 if upstream == "simulated" else 5)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize("case", ["tools", "tools streamed"])
def test_litellm_reads_parallel_tool_calls_in_either_language(
    litellm: Said, language: str, upstream: str, case: str
) -> None:
    seen = litellm[f"{upstream} {language} {case}"]
    assert ([json.loads(call["arguments"]) for call in seen["calls"]], seen["finish"]) == (WEATHER, "tool_calls")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_litellm_gets_vectors_and_errors(litellm: Said, language: str, upstream: str) -> None:
    raised = litellm.raised(f"{upstream} {language} bad request")
    assert (raised["class"], raised["status"]) == ("BadRequestError", 400)
    assert [len(vector) for vector in litellm["up embed"]] == [8, 8]


@pytest.mark.parametrize("upstream", ["up", "claude"])
@pytest.mark.parametrize(("case", "expected"), [("tools", WEATHER[0]), ("partial", WEATHER[0]), ("schema", None)])
def test_instructor_gets_objects(
    instructor: Said, upstream: str, case: str, expected: dict[str, object] | None
) -> None:
    assert instructor[f"{upstream} {case}"] == (expected or {"city": "世界", "degrees": 7})


@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_instructor_gets_errors(instructor: Said, upstream: str) -> None:
    assert "the stand-in answers 400" in instructor.raised(f"{upstream} bad request")["message"]
