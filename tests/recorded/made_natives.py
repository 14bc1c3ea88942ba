"""What goes wrong at Bedrock and at Cohere, made from what each publishes: the service model `bedrock-runtime` of
botocore 1.44 and the page on its exceptions; Cohere's page of errors, and the types of cohere 7.3.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.standin import Exchange
from tests.standin.eventstream import exception, frame, trouble
from tests.standin.recording import RecordedRequest, RecordedResponse

Json = dict[str, Any]

_BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0"
_COHERE = "https://api.cohere.com/v2/chat"
_HALF = "Half of an ans"


def exchanges() -> Iterator[Exchange]:
    """`made-<provider>-<what the client must be told>-<what happened>`."""
    yield from _bedrock_refusals()
    yield from _bedrock_streams()
    yield from _cohere_refusals()
    yield from _cohere_streams()


def _bedrock_refusals() -> Iterator[Exchange]:
    for error_type, status, name, message in (
        ("rate_limited", 429, "ThrottlingException", "Too many requests, please wait before trying again."),
        ("rate_limited", 429, "ModelNotReadyException", "Model is not ready for inference."),
        ("server_error", 424, "ModelErrorException", "The model failed to process the request."),
        ("server_error", 500, "InternalServerException", "The system encountered an unexpected error."),
        ("overloaded", 503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
        ("timeout", 408, "ModelTimeoutException", "Model took too long."),
        ("context_length", 400, "ValidationException", "Input is too long for requested model."),
        ("invalid_request", 400, "ValidationException", "1 validation error detected"),
        ("authentication", 403, "UnrecognizedClientException", "The security token is invalid."),
        ("authentication", 403, "InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier"),
        ("model_not_found", 404, "ResourceNotFoundException", "Model use case details have not been submitted."),
    ):
        headers = (("x-amzn-errortype", f"{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"),)
        for stream in (False, True):
            body = json.dumps({"message": message}).encode()
            yield _bedrock(f"{error_type}-{name}", body, status=status, stream=stream, headers=headers)


def _bedrock_streams() -> Iterator[Exchange]:
    start = frame("messageStart", {"role": "assistant", "p": "ab"})
    early = ("error_before_content",)
    half = start + frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": _HALF}, "p": "abc"})
    for error_type, name in (
        ("rate_limited", "throttlingException"),
        ("overloaded", "serviceUnavailableException"),
        ("server_error", "internalServerException"),
        ("server_error", "modelStreamErrorException"),
        ("context_length", "validationException"),
    ):
        told = exception(name, {"message": "Input is too long for requested model.", "p": "abcd"})
        yield _bedrock(f"{error_type}-{name}-early", start + told, stream=True, features=early)
        yield _bedrock(f"midstream-{name}", half + told, stream=True, features=("breaks_off",))
    low = trouble("InternalError", "An internal server error occurred.")
    yield _bedrock("server_error-low-early", start + low, stream=True, features=early)
    yield _bedrock("midstream-low", half + low, stream=True, features=("breaks_off",))
    yield _bedrock("cut", half, stream=True, features=("breaks_off",))


def _cohere_refusals() -> Iterator[Exchange]:
    trial = "You are using a Trial key, which is limited to"
    for error_type, status, message in (
        ("rate_limited", 429, f"{trial} 40 API calls / minute."),
        ("quota_exceeded", 429, f"{trial} 1000 API calls / month."),
        ("quota_exceeded", 402, "Please add or update your payment method."),
        ("server_error", 500, "internal server error"),
        ("overloaded", 503, "service unavailable"),
        ("server_error", 499, "streaming error"),
        ("invalid_request", 422, "json: cannot unmarshal string into Go value"),
    ):
        for stream in (False, True):
            body = json.dumps({"id": "6a2e", "message": message}).encode()
            yield _cohere(f"{error_type}-{status}", body, status=status, stream=stream)


def _cohere_streams() -> Iterator[Exchange]:
    start = {"id": "29f0", "type": "message-start", "delta": {"message": {"role": "assistant", "content": []}}}
    text = {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": _HALF}}}}
    failed: Json = {"type": "message-end", "delta": {"finish_reason": "ERROR", "usage": {}, "error": "it broke"}}
    slow: Json = {"type": "message-end", "delta": {"finish_reason": "TIMEOUT", "usage": {}}}
    early = ("error_before_content",)
    yield _cohere("server_error-early", _events(start, failed), stream=True, features=early)
    yield _cohere("server_error-slow-early", _events(start, slow), stream=True, features=early)
    yield _cohere("midstream", _events(start, text, failed), stream=True, features=("breaks_off",))
    yield _cohere("cut", _events(start, text), stream=True, features=("breaks_off",))


def _events(*events: Json) -> bytes:
    return "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events).encode()


def _bedrock(
    name: str,
    body: bytes,
    *,
    status: int = 200,
    stream: bool = False,
    headers: tuple[tuple[str, str], ...] = (),
    features: tuple[str, ...] = (),
) -> Exchange:
    kind = "application/vnd.amazon.eventstream" if stream and status == 200 else "application/json"
    return Exchange(
        id=f"made-bedrock-{name}{'-stream' if stream else ''}",
        provider="bedrock",
        operation="converse_stream" if stream else "converse",
        model="amazon.nova-lite-v1:0",
        features=features,
        fidelity={},
        request=RecordedRequest(
            "POST",
            f"{_BEDROCK}/converse{'-stream' if stream else ''}",
            (),
            {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
        ),
        response=RecordedResponse(status, (("content-type", kind), *headers), body),
    )


def _cohere(
    name: str, body: bytes, *, status: int = 200, stream: bool = False, features: tuple[str, ...] = ()
) -> Exchange:
    kind = "text/event-stream" if stream and status == 200 else "application/json"
    asked = {"model": "command-a-03-2025", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    return Exchange(
        id=f"made-cohere-{name}{'-stream' if stream else ''}",
        provider="cohere",
        operation="chat_stream" if stream else "chat",
        model="command-a-03-2025",
        features=features,
        fidelity={},
        request=RecordedRequest("POST", _COHERE, (), asked),
        response=RecordedResponse(status, (("content-type", kind),), body),
    )
