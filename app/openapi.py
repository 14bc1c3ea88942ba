"""The OpenAPI document: what clients may call, made of the routes and of the rules that bodies are held to.

`python -m app.openapi` writes docs/openapi.json; a test holds the two together. Fields that are not in it travel on or
are dropped, as the README says, and answers are those of the SDKs' own types: it describes the door, not the languages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from app.core.json import Json
from app.core.language import Language
from app.core.wire import ANTHROPIC, Operation
from app.factory import create_app
from app.surfaces import LANGUAGES
from app.surfaces.openai import OpenAI
from app.surfaces.responses import RULES
from app.web.current import Current
from app.web.ops import Instance
from app.web.problems import routes

_TEXT: Json = {"type": "string"}
_MESSAGES: Json = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "object", "required": ["role"], "properties": {"role": _TEXT}},
}
_SAID: Json = {"type": ["string", "array"]}
_ANTHROPIC_MESSAGES: Json = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["role", "content"],
        "properties": {"role": {"enum": ["user", "assistant", "system"]}, "content": _SAID},
    },
}
_DOCUMENT: Json = {"anyOf": [_TEXT, {"type": "object", "required": ["text"], "properties": {"text": _TEXT}}]}
_TEXT_OR_LIST: Json = {"type": ["string", "array"], "minItems": 1}

#: What a body must have beside its model.
_NEEDED: Mapping[Operation, Json] = {
    Operation.CHAT: {"messages": _MESSAGES},
    Operation.EMBEDDINGS: {"input": _TEXT_OR_LIST},
    Operation.MODERATIONS: {"input": _TEXT_OR_LIST},
    Operation.RERANK: {"query": _TEXT, "documents": {"type": "array", "minItems": 1, "items": _DOCUMENT}},
    Operation.MESSAGES: {"messages": _ANTHROPIC_MESSAGES, "max_tokens": {"type": "integer", "minimum": 1}},
    Operation.COUNT_TOKENS: {"messages": _ANTHROPIC_MESSAGES},
}

#: What else a Messages body may have, as far as it is looked at.
_OF_MESSAGES: Mapping[str, Json] = {
    "stream": {"type": "boolean"},
    "system": _SAID,
    **{name: {"type": "array"} for name in ("tools", "stop_sequences")},
    **{name: {"type": "object"} for name in ("metadata", "output_config", "thinking", "tool_choice")},
}

_SUMMARIES: Mapping[str, str] = {
    "/v1/chat/completions": "OpenAI chat, plain or streamed, at every provider",
    "/v1/completions": "OpenAI's text completions, plain or streamed, at providers that have them",
    "/v1/embeddings": "Embeddings, at providers that have them",
    "/v1/moderations": "Moderations, at providers that have them",
    "/v1/rerank": "Documents in the order of their relevance, at providers that have it",
    "/v1/responses": "OpenAI Responses, plain or streamed: passed through, or translated through chat",
    "/v1/messages": "Anthropic Messages, plain or streamed, at every provider",
    "/v1/messages/count_tokens": "Tokens of a Messages request: counted by Anthropic, estimated elsewhere",
    "/v1/models": "The models that this key may use",
    "/v1/models/{name}": "One of them",
    "/health": "Whether calls are answered, and what is not as it should be",
    "/health/ready": "The same, and 503 while the instance ends",
    "/health/live": "Whether the process lives",
    "/health/providers": "How the providers are",
    "/metrics": "Metrics for Prometheus, of all workers",
}

#: Asked of the housekeeper, which may not be there for a moment.
_RELAYED = ("/health/providers", "/metrics")

#: Operations whose answers never come as a stream.
_WHOLE = frozenset(
    {Operation.EMBEDDINGS, Operation.MODERATIONS, Operation.RERANK, Operation.COUNT_TOKENS},
)


def document(known: Mapping[str, Iterable[str]]) -> Json:
    """`known`: method -> paths, as the application has them."""
    paths: Json = {}
    for method, found in known.items():
        for path in found:
            paths.setdefault(path, {})[method.lower()] = _operation(path, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "LLM Inference Gateway",
            "version": "1",
            "summary": "One endpoint in front of many LLM providers, for the SDKs of OpenAI and Anthropic.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": _schemas(), "responses": _errors(), "securitySchemes": _security()},
    }


def _operation(path: str, method: str) -> Json:
    language = LANGUAGES.get(path)
    made: Json = {"operationId": f"{method} {path}".lower(), "summary": _SUMMARIES[path]}
    if names := _variables(path):
        made["parameters"] = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in names]
    if path.startswith("/v1/"):
        made["security"] = [{"bearer": []}, {"x-api-key": []}, {"api-key": []}]
    if language is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": _body(language)}}}
    made["responses"] = {"200": _answer(path, language), **_failures(path, language)}
    if path in ("/health", "/health/ready"):
        made["responses"]["503"] = {**_answer(path, None), "description": "The instance ends"}
    return made


def _failures(path: str, language: Language | None) -> Json:
    """The statuses that errors have here. What is not among them is a bug: a 500, for one."""
    if path in ("/health", "/health/live", "/health/ready"):
        return {}  # nobody needs to be told anything there
    told = ["4XX"]
    if language is not None:
        told += ["502", "503", "504", *(["529"] if language.operation in ANTHROPIC else [])]
    elif path in _RELAYED:
        told.append("503")
    return {status: {"$ref": f"#/components/responses/{_told(path)}"} for status in told}


def _answer(path: str, language: Language | None) -> Json:
    content: Json = {"application/json": {"schema": {"type": "object"}}}
    if path == "/metrics":
        content = {"text/plain": {"schema": _TEXT}, "application/openmetrics-text": {"schema": _TEXT}}
    elif language is not None and language.operation not in _WHOLE:
        content["text/event-stream"] = {}  # a schema would be of one event, and there are many kinds
    return {"description": "The answer", "content": content}


def _told(path: str) -> str:
    language = LANGUAGES.get(path)
    return "AnthropicError" if language is not None and language.operation in ANTHROPIC else "Error"


def _body(language: Language) -> Json:
    needed = _NEEDED.get(language.operation, {})
    rules = (
        language.rules if isinstance(language, OpenAI) else RULES if language.operation is Operation.RESPONSES else {}
    )
    fields = {name: _or_null(rule.schema) for name, rule in rules.items() if name not in needed}
    if language.operation in ANTHROPIC:
        fields |= {name: _or_null(schema) for name, schema in _OF_MESSAGES.items()}
    if language.operation is Operation.COUNT_TOKENS:
        fields["stream"] = _or_null({"const": False})
    return {
        "type": "object",
        "required": ["model", *needed],
        "properties": {"model": {**_TEXT, "minLength": 1, "maxLength": 256}, **needed, **fields},
        "additionalProperties": True,
    }


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _schemas() -> Json:
    text_or_null = {"type": ["string", "null"]}
    openai = {"message": _TEXT, "type": _TEXT, "param": text_or_null, "code": text_or_null}
    anthropic = {"type": _TEXT, "message": _TEXT}
    return {
        "Error": _object({"error": _object(openai)}),
        "AnthropicError": _object({"type": {"const": "error"}, "error": _object(anthropic), "request_id": _TEXT}),
    }


def _object(fields: Json) -> Json:
    return {"type": "object", "required": list(fields), "properties": fields}


def _errors() -> Json:
    return {
        name: {
            "description": "What went wrong; the status says whose fault it was",
            "headers": {"x-request-id": {"schema": _TEXT}},
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
        }
        for name in _schemas()
    }


def _security() -> Json:
    keys = {name: {"type": "apiKey", "in": "header", "name": name} for name in ("x-api-key", "api-key")}
    return {"bearer": {"type": "http", "scheme": "bearer"}, **keys}


def _variables(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _nobody(path: str, headers: Mapping[str, str]) -> Any:
    raise ConnectionError


def text() -> str:
    """The file as it should be: of an application that has its routes and nothing behind them."""
    app = create_app(Current(cast("Any", None)), Instance(_nobody, lambda: None))
    return json.dumps(document(routes(app)), indent=2) + "\n"


if __name__ == "__main__":
    Path("docs/openapi.json").write_text(text())
