"""Where requests to Google go, what goes with them, what refusals mean, and embeddings."""

from __future__ import annotations

import struct
from base64 import b64decode
from typing import Any

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json, dumps
from app.core.provider import Cloud, Provider
from app.core.usage import Usage
from app.core.wire import Operation
from app.providers import registry
from tests.providers.gemini_given import encoded, provider
from tests.providers.talk import ask, decoded, official

AI_STUDIO = "https://generativelanguage.googleapis.com/v1beta"


def vertex(key: str | None = "AIza-express", **cloud: str) -> Provider:
    return registry.build("cloud", "vertex", key=key, cloud=Cloud(**cloud))


def test_the_key_is_in_a_header_and_never_in_the_url() -> None:
    """Where it would land in everybody's logs."""
    for stream in (False, True):
        request = encoded(ask(stream=stream))
        assert request.headers["x-goog-api-key"] == "AIza-of-ours"
        assert "AIza" not in request.url
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-2.5-pro", "models/gemini-2.5-pro"),
        ("models/gemini-2.5-pro", "models/gemini-2.5-pro"),
        ("tunedModels/mine", "tunedModels/mine"),
        ("../../x?y#z", "models/x%3Fy%23z"),
    ],
)
def test_the_model_is_in_the_path(model: str, path: str) -> None:
    assert encoded(ask(), model=model).url == f"{AI_STUDIO}/{path}:generateContent"
    assert encoded(ask(stream=True), model=model).url == f"{AI_STUDIO}/{path}:streamGenerateContent?alt=sse"


@pytest.mark.parametrize(
    ("cloud", "url"),
    [
        (
            {"project": "p", "location": "europe-west4"},
            "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p/locations/europe-west4",
        ),
        ({"project": "p"}, "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global"),
        (
            {"project": "p", "location": "eu"},
            "https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/p/locations/eu",
        ),
        ({}, "https://aiplatform.googleapis.com/v1beta1"),
    ],
)
def test_vertex_has_a_host_for_each_location_and_a_path_for_each_project(cloud: dict[str, str], url: str) -> None:
    to = vertex(**cloud)

    assert encoded(ask(), to, "gemini-2.5-pro").url == f"{url}/publishers/google/models/gemini-2.5-pro:generateContent"
    assert encoded(ask(), to, "endpoints/12").url == f"{url}/endpoints/12:generateContent"
    assert encoded(ask(), to).headers["x-goog-api-key"] == "AIza-express"


def test_models_are_listed_for_free() -> None:
    assert registry.model_list_url(provider()) == f"{AI_STUDIO}/models?pageSize=1000"
    assert registry.model_list_url(vertex(None, project="p", location="us-east1")) == (
        "https://us-east1-aiplatform.googleapis.com/v1beta1/publishers/google/models?pageSize=100"
    )
    assert registry.model_list_url(vertex("an API key, which is for calls alone")) is None


@pytest.mark.parametrize("operation", [Operation.COMPLETIONS, Operation.MODERATIONS])
def test_what_google_does_not_offer_is_refused(operation: Operation) -> None:
    with pytest.raises(GatewayError) as caught:
        encoded(ask(operation))
    assert (caught.value.type, caught.value.code) == (ErrorType.INVALID_REQUEST, "unsupported")


def refusal(status: int, message: str = "no", *details: Json, headers: dict[str, str] | None = None) -> GatewayError:
    by = provider()
    body = {"error": {"code": status, "message": message, "status": "WORD", "details": list(details)}}
    return by.dialect.decode_error(by, status, headers or {}, dumps(body))


def because(reason: str) -> Json:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}


@pytest.mark.parametrize(
    ("status", "message", "details", "expected", "told"),
    [
        (400, "Unknown name", [], "invalid_request", 400),
        (400, "API key not valid. Please pass a valid API key.", [because("API_KEY_INVALID")], "authentication", 502),
        (400, "API key expired. Please renew the API key.", [], "authentication", 502),
        (401, "invalid authentication credentials", [because("ACCESS_TOKEN_EXPIRED")], "authentication", 502),
        (403, "Your API key was reported as leaked.", [], "authentication", 502),
        (403, "Vertex AI API has not been used in project 5", [because("SERVICE_DISABLED")], "authentication", 502),
        (403, "denied", [because("IAM_PERMISSION_DENIED")], "authentication", 502),
        (403, "This model is not for you", [], "model_not_found", 502),
        (400, "User location is not supported for the API use.", [], "model_not_found", 502),
        (404, "models/x is not found", [], "model_not_found", 404),
        (400, "The input token count (1250060) exceeds the maximum number of tokens allowed (1048575).", [],
         "context_length", 400),
        (400, "the input token count is 1250074 but model only supports up to 1048576.", [], "context_length", 400),
        (413, "too large", [], "invalid_request", 413),
        (429, "Resource exhausted", [], "rate_limited", 429),
        (429, "Your prepayment credits are depleted.", [], "quota_exceeded", 503),
        (403, "This API method requires billing to be enabled", [because("BILLING_DISABLED")], "quota_exceeded", 503),
        (499, "The operation was cancelled.", [], "server_error", 502),
        (500, "An internal error has occurred", [], "server_error", 502),
        (503, "The model is overloaded.", [], "overloaded", 503),
        (504, "Deadline expired", [], "server_error", 502),
    ],
)  # fmt: skip
def test_a_refusal_is_named_by_status_then_reason_then_words(
    status: int, message: str, details: list[Json], expected: str, told: int
) -> None:
    error = refusal(status, message, *details)

    assert (error.type, error.status, error.provider) == (expected, told, "google")


@pytest.mark.parametrize(
    ("message", "details", "headers", "seconds"),
    [
        ("Please retry in 48.939935699s.", [{"@type": "x/google.rpc.RetryInfo", "retryDelay": "48s"}], {}, 48.0),
        ("Please retry in 48.939935699s.", [], {}, 48.939935699),
        ("Please retry in 590ms.", [], {}, 0.59),
        ("Please retry in 9s.", [{"retryDelay": "1.5s"}], {"retry-after": "3"}, 3.0),
        ("Later.", [{"retryDelay": "soon"}, {"retryDelay": 5}], {}, None),
    ],
)
def test_when_to_come_back_is_read_from_the_details_or_the_words(
    message: str, details: list[Json], headers: dict[str, str], seconds: float | None
) -> None:
    assert refusal(429, message, *details, headers=headers).retry_after == seconds


@pytest.mark.parametrize("body", [b"", b"<html><title>502</title></html>", b"[]", b"[5]", b'{"error": "no"}', b"null"])
def test_any_body_is_a_refusal(body: bytes) -> None:
    by = provider()
    assert by.dialect.decode_error(by, 502, {}, body).type is ErrorType.SERVER_ERROR


def test_an_error_in_a_list_is_the_same_error() -> None:
    by = provider()
    body = dumps([{"error": {"code": 400, "message": "x", "details": [because("API_KEY_INVALID")]}}])

    assert by.dialect.decode_error(by, 400, {}, body).type is ErrorType.AUTHENTICATION


def test_embeddings_are_asked_for_in_one_batch() -> None:
    of = ask(Operation.EMBEDDINGS, input=["a", "b"], dimensions=4, user="u", encoding_format="float")
    request = encoded(of, model="gemini-embedding-2")

    one = {"model": "models/gemini-embedding-2", "outputDimensionality": 4}
    assert request.url == f"{AI_STUDIO}/models/gemini-embedding-2:batchEmbedContents"
    assert request.body == {"requests": [{**one, "content": {"parts": [{"text": text}]}} for text in "ab"]}
    assert request.dropped == ("user",)


def test_vertex_predicts_embeddings() -> None:
    of = ask(Operation.EMBEDDINGS, input="a", dimensions=4, task_type="RETRIEVAL_QUERY")
    request = encoded(of, vertex(project="p"), "text-embedding-004")

    assert request.url.endswith("/publishers/google/models/text-embedding-004:predict")
    assert request.body == {
        "instances": [{"content": "a", "task_type": "RETRIEVAL_QUERY"}],
        "parameters": {"outputDimensionality": 4},
    }


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"input": [1, 2]}, "input"),
        ({"input": [[1]]}, "input"),
        ({"input": "a", "encoding_format": "int8"}, "encoding_format"),
    ],
)
def test_embeddings_of_tokens_and_other_formats_are_refused(given: Json, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        encoded(ask(Operation.EMBEDDINGS, **given))
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("kind", "body", "usage"),
    [
        ("gemini", {"embeddings": [{"values": [0.5, -1]}, {"values": [0, 2]}]}, None),
        (
            "gemini",
            {"embeddings": [{"values": [0.5, -1]}, {"values": [0, 2]}], "usageMetadata": {"promptTokenCount": 8}},
            Usage(8, 0),
        ),
        (
            "vertex",
            {
                "predictions": [
                    {"embeddings": {"values": [0.5, -1], "statistics": {"token_count": 3.0}}},
                    {"embeddings": {"values": [0, 2], "statistics": {"token_count": 5}}},
                ]
            },
            Usage(8, 0),
        ),
    ],
)
def test_vectors_come_as_they_were_asked_for(kind: str, body: Json, usage: Usage | None) -> None:
    for form in ("float", "base64"):
        of = ask(Operation.EMBEDDINGS, input=["a", "b"], encoding_format=form)
        frame = official(decoded(body, of, kind), Operation.EMBEDDINGS)
        assert frame.usage == usage
        assert frame.data is not None
        counted = usage.input if usage else 0
        assert frame.data["usage"] == {"prompt_tokens": counted, "total_tokens": counted}
        assert [_floats(item["embedding"]) for item in frame.data["data"]] == [[0.5, -1], [0, 2]]


def _floats(vector: Any) -> list[float]:
    if isinstance(vector, str):
        raw = b64decode(vector)
        return list(struct.unpack(f"<{len(raw) // 4}f", raw))
    return list(vector)


@pytest.mark.parametrize("body", [{}, {"embeddings": 5}, {"embeddings": [{}]}, {"embeddings": [{"values": "x"}]}])
def test_what_holds_no_vectors_is_no_answer(body: Json) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(body, ask(Operation.EMBEDDINGS, input="a"), "gemini")
