"""Exchanges that are not asked, each with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.recorded import gemini
from tests.recorded.natives import NATIVES, is_native_chat
from tests.standin import Exchange

#: By operation: what the gateway does not offer.
_OPERATIONS = {
    "generate": "Ollama's own API; it is asked under /v1",
    "invoke": "InvokeModel: each maker's own language; models on Bedrock are asked by Converse",
}

#: By the path of the URL, for those whose operation alone does not say it.
_PATHS = {
    "/v1/responses/input_tokens": "counts tokens of a Responses request, which the gateway has no route for",
    "/v1/engines/": "the form of URL that OpenAI retired; it is asked under /v1/embeddings",
    "/api/chat": "Ollama's own API; it is asked under /v1",
    "/api/embeddings": "Ollama's own API; it is asked under /v1",
}

#: The same for Cohere's API before its second version, whose language is another one.
_COHERES_FIRST = "Cohere's API before its second version; it is asked under /v2"

_COUNTED = "tokens are counted by Anthropic alone, and estimated elsewhere"

_MALFORMED = "malformed on purpose, in a way that only this language has"


GOOGLES = ("gemini", "vertex")


def in_own_language(exchange: Exchange) -> str | None:
    """Why it cannot be asked in the provider's own language; None where it can."""
    path = urlsplit(exchange.request.url).path
    if reason := _OPERATIONS.get(exchange.operation.removesuffix("_stream")):
        return reason
    if reason := _natively(exchange, path):
        return reason
    for start, reason in _PATHS.items():
        if path.startswith(start):
            return reason
    if exchange.operation.startswith("responses") and "model" not in exchange.request.body:
        return "names no model: OpenAI keeps it with the prompt; the gateway goes by the model"
    if exchange.operation == "models" and exchange.response.status != 200:
        return "models are listed from the configuration; no provider is asked, so none refuses"
    return None


def _natively(exchange: Exchange, path: str) -> str | None:
    """The same for providers whose language no client speaks."""
    if exchange.provider == "cohere" and path.startswith("/v1/") and not path.startswith("/v1/models"):
        return _COHERES_FIRST
    if exchange.provider == "bedrock" and path.endswith("/count-tokens"):
        return _COUNTED
    if exchange.provider in GOOGLES and exchange.operation == "count_tokens":
        return _COUNTED
    if path.endswith(":embedContent"):
        return "the form for one text; it is asked for as a batch of one"
    return NATIVES[exchange.provider].left_out(exchange) if is_native_chat(exchange) else None


def in_other_language(exchange: Exchange) -> str | None:
    """Why what this exchange asks cannot be said in the other language; None where it can."""
    body: dict[str, Any] = exchange.request.body
    if is_native_chat(exchange) and exchange.provider in GOOGLES:
        return gemini.not_in_messages(exchange)
    if is_native_chat(exchange):
        if "guardrailConfig" in body:
            return _NO_FORM["guardrail"]
        return _NO_FORM["documents"] if "documents" in body else None
    return _not_in_chat(body) if exchange.operation.startswith("messages") else _not_in_messages(body)


#: Blocks of Messages for which OpenAI's chat has no form.
_BLOCKS = {
    "server_tool_use": "the history holds calls of tools that Anthropic ran itself; OpenAI's chat has no form for them",
    "search_result": "search results as blocks; OpenAI's chat has no form for them",
    "container_upload": "a file in Anthropic's code container; OpenAI's chat has no form for it",
    "tool_reference": "tools that are loaded later; OpenAI's chat has no form for them",
    "tool_addition": "tools that are loaded later; OpenAI's chat has no form for them",
    "image by file": "an image that Anthropic keeps; OpenAI's chat has no form for it",
    "document by url": "a document by its URL; OpenAI's chat has no form for it",
}

#: What chat can ask and Messages cannot.
_NO_FORM = {
    "several": "asks for several answers; Messages gives one",
    "functions": "asks for functions, the form before tools; Messages has tools alone",
    "speech": "speech; Messages has no form for it",
    "kept file": "a file that OpenAI keeps; Anthropic's clients can only name those that Anthropic keeps",
    "documents": "documents to answer from, in a field of Cohere's own; Messages has none like it",
    "guardrail": "a guardrail, in a field of Bedrock's own; Messages has none like it",
    "own tool": "a tool that OpenRouter runs itself; Messages has no form for it",
}


#: What chat can ask and Responses cannot.
_NOT_IN_RESPONSES = {
    **{name: reason.replace("Messages", "Responses") for name, reason in _NO_FORM.items()},
    "kept file": "a file that OpenAI keeps; where OpenAI is not asked, nobody has it",
    "own tool": "a tool that the provider runs itself; Responses has no form for it",
    "prefix": "a beginning that the answer goes on from; Responses has no form for it",
}


def is_malformed(body: dict[str, Any]) -> bool:
    """Whether a request can be refused without asking anybody: no message, or what is none, or content that is none;
    fewer than one dimension."""
    if body.get("dimensions", 1) < 1:
        return True
    messages = body.get("messages", [{}])
    if not messages or not all(isinstance(message, dict) for message in messages):
        return True
    return any(isinstance(message.get("content"), dict) for message in messages)


def refusable(body: dict[str, Any]) -> bool:
    """Whether a request can be refused without asking anybody: malformed, or nothing is said in any message."""
    return is_malformed(body) or not any(message.get("content") for message in body.get("messages", [{"content": "?"}]))


def _not_in_chat(body: dict[str, Any]) -> str | None:
    if is_malformed(body):
        return _MALFORMED
    if any(tool.get("defer_loading") for tool in body.get("tools", ())):
        return _BLOCKS["tool_addition"]
    if any(_text_after_call(message["content"]) for message in body["messages"] if message["role"] == "assistant"):
        return "text after a tool call; OpenAI's chat has no form for that order"
    reasons = (_BLOCKS.get(kind) or _BLOCKS.get(f"{kind} by {source}") for kind, source in _blocks_of(body))
    return next(filter(None, reasons), None)


def _text_after_call(content: Any) -> bool:
    kinds = [block["type"] for block in content] if isinstance(content, list) else []
    return "tool_use" in kinds and "text" in kinds[kinds.index("tool_use") :]


def _blocks_of(body: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Type of each block, and of its source where it has one."""
    for message in body["messages"]:
        for block in message["content"] if isinstance(message["content"], list) else ():
            inner = block.get("content") if block["type"] == "tool_result" else None
            for each in (block, *(inner if isinstance(inner, list) else ())):
                source = each.get("source")
                yield each["type"], source["type"] if isinstance(source, dict) else None


def _not_in_messages(body: dict[str, Any]) -> str | None:
    if is_malformed(body):
        return _MALFORMED
    contents = [message.get("content") for message in body["messages"]]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    found = {
        "several": (body.get("n") or 1) > 1,
        "functions": "functions" in body,
        "speech": "audio" in body or any(part["type"] == "input_audio" for part in parts),
        "kept file": any("file_id" in (part.get("file") or {}) for part in parts),
        "own tool": any("function" not in tool for tool in body.get("tools") or ()),
    }
    return next((_NO_FORM[name] for name, is_so in found.items() if is_so), None)


def in_responses(exchange: Exchange) -> str | None:
    """Why what this exchange asks cannot be said in the Responses API; None where it can."""
    body: dict[str, Any] = exchange.request.body
    if exchange.operation.startswith("messages"):
        if any(tool.get("type") not in (None, "custom") for tool in body.get("tools", ())):
            return _NOT_IN_RESPONSES["own tool"]
        return _not_in_chat(body)
    reason = in_other_language(exchange) if is_native_chat(exchange) else _not_in_messages(body)
    return next((_NOT_IN_RESPONSES[name] for name in _NO_FORM if _NO_FORM[name] == reason), reason)
