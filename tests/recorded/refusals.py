"""What a client must be told of a provider's recorded refusal, read off the recording by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from tests.recorded.corpus import Case

#: error_type by the provider's status, where nothing below knows better.
_BY_STATUS = {
    400: "invalid_request",
    401: "authentication",
    404: "model_not_found",
    408: "timeout",
    422: "invalid_request",
    429: "rate_limited",
    500: "server_error",
    503: "overloaded",
}

#: Those whose status does not say it all.
_READ = {
    "anthropic-messages-542dc79779": "context_length",  # prompt is too long: 3333404 tokens > 200000 maximum
    "anthropic-messages-e80943b8c3": "context_length",  # prompt is too long
    "deepseek-chat-2d1339a410": "context_length",  # This model's maximum context length is 1048565 tokens
    "ollama-chat-0cdada76cc": "context_length",  # prompt too long; exceeded max context length by ...
    "openrouter-chat-9b80d5cdb9": "context_length",  # This endpoint's maximum context length is ...
    "xai-chat-209d71e296": "context_length",  # This model's maximum prompt length is 131072 but ...
    "openai-chat-3322e25f7a": "context_length",  # 429, but: Request too large (Limit 400000, Requested 2500013)
    "azure-chat-8e5d2c151b": "content_filter",  # the prompt was filtered
    "azure-chat_stream-3ab44aba51": "model_not_found",  # 400 unknown_model
    "bedrock-converse-6c5ab5d247": "context_length",  # Input Tokens Exceeded
    "bedrock-converse-93d8b7efae": "authentication",  # 403 ExpiredTokenException
    "bedrock-converse_stream-be525618db": "model_not_found",  # 400 The provided model identifier is invalid
    "gemini-generate_content-d03410901c": "context_length",  # The input token count (1250060) exceeds ...
    "vertex-generate_content-676b6b51d4": "context_length",
    "gemini-generate_content_stream-92c40aa03e": "authentication",  # 400 API_KEY_INVALID
    "vertex-generate_content-5c86323c18": "content_filter",  # 200, but: promptFeedback.blockReason MODEL_ARMOR
    "cohere-chat-36708a69de": "context_length",  # too many tokens: size limit exceeded by 189876 tokens
    "azure-responses-6830ab356e": "content_filter",  # the prompt was filtered
    "openai-responses-6474060682": "context_length",  # Your input exceeds the context window of this model
    "openai-responses-274790fffe": "model_not_found",  # 400 model_not_found
    "openai-responses-425ebd3100": "model_not_found",
    "openai-responses-c5047a3059": "model_not_found",
    "xai-responses-e7bada31ca": "authentication",  # 400 Incorrect API key provided
    "xai-chat-8b30cfb9b7": "authentication",  # 400 Incorrect API key provided
}

#: error_type -> status, code. None: the provider's own.
_TOLD: dict[str, tuple[int | None, str | None]] = {
    "invalid_request": (None, None),
    "too_large": (413, "request_too_large"),
    "model_not_found": (404, "model_not_found"),
    "context_length": (400, "context_length_exceeded"),
    "content_filter": (400, "content_filter"),
    "rate_limited": (429, "rate_limit_exceeded"),
    "quota_exceeded": (503, "insufficient_quota"),
    "authentication": (502, "authentication"),
    "invalid_response": (502, "invalid_response"),
    "timeout": (504, "timeout"),
    "server_error": (502, "server_error"),
    "overloaded": (503, "overloaded"),
}

_OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}

_ANTHROPIC_TYPES = {
    **_OPENAI_TYPES,
    404: "not_found_error",
    413: "request_too_large",
    504: "timeout_error",
    529: "overloaded_error",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` is None on the Anthropic surface, which has none."""

    status: int
    type: str
    code: str | None
    retries_told: bool  # Retry-After must be there

    def by_us(self) -> Refusal:
        """The same, where the gateway saw for itself that the request is wrong and asked nobody."""
        return replace(self, status=400, code=self.code and "invalid_request")


def refusal(case: Case, *, anthropic: bool, configured: bool = False) -> Refusal:
    """`anthropic`: told at /v1/messages. `configured`: the model is an entry of the configuration."""
    recorded = case.exchange.response
    if case.id.startswith("made-"):  # says itself
        error_type = case.id.split("-")[2]
    else:
        error_type = _READ.get(case.id) or _BY_STATUS[recorded.status]
    return told(error_type, recorded.status, own_code(recorded.body), anthropic=anthropic, configured=configured)


def told(error_type: str, given: int, own: str | None, *, anthropic: bool, configured: bool = False) -> Refusal:
    """The same for an error that no recording has. `given` and `own` are the provider's status and code."""
    status, code = _TOLD[error_type]
    status = given if status is None else status
    if error_type == "model_not_found" and configured:
        status = 502
    if anthropic and error_type == "overloaded":
        status = 529
    types = _ANTHROPIC_TYPES if anthropic else _OPENAI_TYPES
    code = code or own or error_type
    return Refusal(status, types.get(status, "api_error"), None if anthropic else code, status in (429, 503, 529))


def own_code(body: bytes) -> str | None:
    """The provider's code, unless it only repeats the status."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    error = parsed.get("error", parsed)
    code = (error if isinstance(error, dict) else parsed).get("code")
    return None if code is None or str(code) in ("400", "401", "404", "422", "429") else str(code)
