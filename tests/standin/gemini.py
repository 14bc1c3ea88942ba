"""Answers as Google writes them for Gemini, by AI Studio's paths and by Vertex's; and its tokens, at /token."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.standin.message import Answer, Headers, Part, Piece, Request
from tests.standin.plan import Plan, arguments_of, word, words_of

Json = dict[str, Any]

STREAM: Headers = (("content-type", "text/event-stream"),)
SIGNATURE = "c2lnbmF0dXJl"
TOKEN = "ya29.standin"
_STAND_IN = "skip_thought_signature_validator"  # what Google documents for calls that it has not made
_PATH = re.compile(
    r"/v1(?:beta1?)?/(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/google/)?models(?:/.+:(\w+)|/[^:]+)?"
)
_VERBS = frozenset(
    {"generateContent", "streamGenerateContent", "batchEmbedContents", "embedContent", "predict", "countTokens"}
)
_FINISH = {"length": "MAX_TOKENS", "filter": "SAFETY"}
_WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_FIELDS = "contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent serviceTier"
_CONFIG = """temperature topP topK candidateCount maxOutputTokens stopSequences responseLogprobs logprobs
    presencePenalty frequencyPenalty seed responseMimeType responseSchema responseJsonSchema responseModalities
    thinkingConfig"""


def service_account(token_uri: str) -> str:
    """The file of one, with a key of its own, that gets its tokens at this URI."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
    account = "gateway@my-project.iam.gserviceaccount.com"
    told = {"type": "service_account", "client_email": account, "private_key_id": "1", "private_key": pem}
    return json.dumps({**told, "token_uri": token_uri})


def speaks(request: Request) -> bool:
    if request.path == "/token":
        return True
    found = _PATH.fullmatch(request.path)
    if found is None or (request.path.startswith("/v1/models") and found[1] is None):
        return False  # OpenAI's and Anthropic's list of models
    return found[1] is None or found[1] in _VERBS


def complaint(request: Request) -> Answer | None:
    """As Google does: who asks, unknown names, and the rules of a conversation with tools."""
    if request.path == "/token":
        return None if b"assertion=" in request.body else refusal(400, "invalid_grant", None)
    if not (request.header("x-goog-api-key") or (request.header("authorization") or "").startswith("Bearer ")):
        return refusal(403, "Method doesn't allow unregistered callers.", None)
    if "key=" in request.target:
        return refusal(400, "The key belongs into a header.", None)
    if "contents" not in request.fields or "predict" in request.path:
        return None
    unknown = [name for name in request.fields if name not in _FIELDS.split()]
    unknown += [name for name in request.fields.get("generationConfig", {}) if name not in _CONFIG.split()]
    if unknown:
        return refusal(400, f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.', None)
    return _in_tools(request.fields["contents"], signed="gemini-3" in request.path)


def _in_tools(contents: list[Json], *, signed: bool) -> Answer | None:
    for content, after in zip(contents, [*contents[1:], None], strict=True):
        calls = [part for part in content["parts"] if "functionCall" in part]
        if not calls:
            continue
        results = [part["functionResponse"] for part in (after or {"parts": []})["parts"] if "functionResponse" in part]
        if len(results) != len(calls):
            message = (
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
            return refusal(400, message, None)
        if not all(isinstance(result["response"], dict) for result in results):
            return refusal(400, 'Invalid value at "response" (type.googleapis.com/google.protobuf.Struct)', None)
        if signed and calls[0].get("thoughtSignature") not in (SIGNATURE, _STAND_IN):
            return refusal(400, "Function call is missing a thought_signature in functionCall parts.", None)
    return None


def plain(request: Request, plan: Plan) -> Json:
    match request.path.rpartition(":")[2]:
        case "generateContent":
            answer = _answer(request, plan, _parts(request, plan), _finish(plan))
        case "batchEmbedContents":
            answer = {"embeddings": [{"values": _vector()} for _ in request.fields["requests"]]} | _counted(request)
        case "embedContent":
            answer = {"embedding": {"values": _vector()}} | _counted(request)
        case "predict":
            answer = {"predictions": [_prediction(each) for each in request.fields["instances"]]}
        case "countTokens":
            answer = {"totalTokens": _prompt(request)}
        case "/token":
            answer = {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
        case _:
            listed = "publisherModels" if "/publishers/" in request.path else "models"
            answer = {
                listed: [{"name": f"models/{name}", "version": "1"} for name in ("standin-large", "standin-small")]
            }
    return answer


def stream(request: Request, plan: Plan) -> Iterator[Piece]:
    """Whole parts an event, one word of text at a time; the reason comes with an empty last part."""
    thoughts = [{"text": word(at), "thought": True} for at in range(plan.reasoning)]
    for thought in thoughts:
        yield _event(_answer(request, plan, [thought], None))
    for text in words_of(request, plan):
        yield _event(_answer(request, plan, [{"text": text}], None), Part.CONTENT, 1)
    if calls := _calls(request, plan):
        yield _event(_answer(request, plan, calls, None), Part.CONTENT)
    last = _answer(request, plan, [{"text": ""}], _finish(plan))
    yield _event(last, Part.FINISH)


def refusal(status: int, message: str, kind: str | None) -> Answer:
    body = json.dumps(_error(status, message)).encode()
    headers = (("content-type", "application/json; charset=UTF-8"),)
    return Answer(status, headers, (Piece(body),))


def error_event(status: int, message: str) -> Piece:
    return _event(_error(status, message))


def content_event(text: str) -> Piece:
    content = {"role": "model", "parts": [{"text": text}]}
    return _event({"candidates": [{"content": content, "index": 0}]}, Part.CONTENT, 1)


def _error(status: int, message: str) -> Json:
    return {"error": {"code": status, "message": message, "status": _WORDS.get(status, "UNKNOWN"), "details": []}}


def _event(data: Json, part: Part = Part.OTHER, words: int = 0) -> Piece:
    return Piece(b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\r\n\r\n", words, part)


def _answer(request: Request, plan: Plan, parts: list[Json], finish: str | None) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    made: Json = {"candidates": [candidate], "modelVersion": request.model, "responseId": f"r-{request.connection}"}
    return made | ({"usageMetadata": _usage(request, plan)} if plan.has_usage else {})


def _parts(request: Request, plan: Plan) -> list[Json]:
    parts: list[Json] = []
    if plan.reasoning:
        parts.append({"text": "".join(word(at) for at in range(plan.reasoning)), "thought": True})
    if text := "".join(words_of(request, plan)):
        parts.append({"text": text})
    return parts + _calls(request, plan)


def _calls(request: Request, plan: Plan) -> list[Json]:
    """Of calls at once only the first is signed. Newer models give them ids."""
    declared = [each for tool in request.fields.get("tools") or () for each in tool.get("functionDeclarations") or ()]
    made = []
    for index in range(plan.tools):
        tool = declared[index % len(declared)] if declared else {}
        names = ("parametersJsonSchema", "parameters_json_schema", "parameters")  # Google takes both spellings
        schema = next((tool[name] for name in names if tool.get(name)), None)
        call: Json = {"name": tool.get("name", f"tool_{index}"), "args": arguments_of({"parameters": schema}, index)}
        if "gemini-3" in request.path:
            call["id"] = f"{request.connection}x{request.nth}x{index}"
        made.append({"functionCall": call, **({"thoughtSignature": SIGNATURE} if index == 0 else {})})
    return made


def _usage(request: Request, plan: Plan) -> Json:
    """Cached tokens are among the prompt's, thoughts beside the candidates'."""
    prompt = _prompt(request) + plan.cached
    said = len(words_of(request, plan)) + plan.tools
    counts: Json = {"promptTokenCount": prompt, "candidatesTokenCount": said}
    if plan.cached:
        counts["cachedContentTokenCount"] = plan.cached
    if plan.reasoning:
        counts["thoughtsTokenCount"] = plan.reasoning
    return counts | {"totalTokenCount": prompt + said + plan.reasoning}


def _prompt(request: Request) -> int:
    fields = request.fields
    contents = [*fields.get("contents", ()), fields.get("systemInstruction") or {}]
    contents += [each["content"] for each in fields.get("requests", ())]
    contents += [fields["content"]] if "content" in fields else []
    return max(1, sum(_words(part.get("text", "")) for content in contents for part in content.get("parts", ())))


def _counted(request: Request) -> Json:
    return {"usageMetadata": {"promptTokenCount": _prompt(request)}}


def _prediction(instance: Json) -> Json:
    statistics = {"token_count": _words(instance["content"]), "truncated": False}
    return {"embeddings": {"values": _vector(), "statistics": statistics}}


def _words(text: str) -> int:
    return len(text.split())


def _vector() -> list[float]:
    return [0.25, -0.5, 0.75, 1.0]


def _finish(plan: Plan) -> str:
    return _FINISH.get(plan.finish, "STOP")
