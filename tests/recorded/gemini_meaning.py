"""What a request to Gemini asks for: two that ask for the same come out equal; and what may differ all the same."""

from __future__ import annotations

from typing import Any

from tests.recorded.gemini import camel, json_schema
from tests.recorded.leaves import MISSING, Allowed, compared
from tests.standin import Exchange, RequestRecord

Json = dict[str, Any]

_UNSIGNED = "skip_thought_signature_validator"


def _left_out(one: Any, other: Any) -> bool:
    return other is MISSING


def _added(one: Any, other: Any) -> bool:
    return one is MISSING


_CONFIG = "generationConfig"
ALLOWED = (
    Allowed(r"contents\.\d+\.parts\.\d+\.(functionCall|functionResponse)\.id", "an id for each call", _added),
    Allowed(
        r"contents\.\d+\.parts\.\d+\.thoughtSignature",
        "a stand-in for what was never signed",
        lambda one, other: one is MISSING and other == _UNSIGNED,
    ),
    Allowed(r"text_signatures(\..*)?", "of text: Messages has no place for it, and nobody insists on it", _left_out),
    Allowed(r"modelArmorConfig(\..*)?", "a setting of Vertex's own", _left_out),
    Allowed(r"toolConfig\.includeServerSideToolInvocations", "a setting of Gemini's own", _left_out),
    Allowed(
        r"contents\.\d+\.parts\.\d+\.functionResponse\.name",
        "the function's, where its client wrote the call's id",
        lambda one, other: len(str(one)) == 36,
    ),
    Allowed(r"toolConfig\..*mode", "chat has one word for both", lambda one, _: one == "VALIDATED"),
    Allowed(rf"{_CONFIG}\.responseModalities(\..*)?", "text alone is what there is", lambda one, _: one == "TEXT"),
    Allowed(rf"{_CONFIG}\.maxOutputTokens", "Messages wants a limit where Gemini does not", _added),
    Allowed(
        rf"{_CONFIG}\.(topK|seed|presencePenalty|frequencyPenalty|candidateCount|responseLogprobs|logprobs)",
        "Messages has no word for it",
        _left_out,
    ),
    Allowed(rf"safetySettings\..*|{_CONFIG}\.responseMimeType", "Messages has no word for it", _left_out),
    Allowed(rf"{_CONFIG}\.thinkingConfig\.includeThoughts", "who asks for thought gets to see it"),
    Allowed(rf"{_CONFIG}\.thinkingConfig\.thinkingBudget", "Messages knows efforts, or leaves it to the model"),
)


def asked_otherwise(exchange: Exchange, sent: RequestRecord, dropped: set[str]) -> list[str]:
    return compared(_meaning(exchange.request.body), _meaning(sent.json), ALLOWED, exchange.provider)


def _meaning(body: Json) -> Json:
    made = camel(body)
    made["contents"], made["text_signatures"] = _said(made["contents"])
    if "systemInstruction" in made:
        made["systemInstruction"] = "\n\n".join(part["text"] for part in _list(made["systemInstruction"]["parts"]))
    made["tools"] = [_declared(tool) for tool in made.get("tools") or ()]
    made["tools"].sort(key=lambda tool: "functionDeclarations" in tool)
    config = made.get("generationConfig") or {}
    if "responseSchema" in config:
        config["responseJsonSchema"] = config.pop("responseSchema")
    if "responseJsonSchema" in config:
        config["responseJsonSchema"] = json_schema(config["responseJsonSchema"])
    if level := (config.get("thinkingConfig") or {}).get("thinkingLevel"):
        config["thinkingConfig"]["thinkingLevel"] = level.lower()
    made["generationConfig"] = config
    if not made["tools"]:
        made.pop("toolConfig", None)
    choosing = (made.get("toolConfig") or {}).get("functionCallingConfig") or {}
    if "mode" in choosing:
        choosing["mode"] = choosing["mode"].upper()
    if made.get("toolConfig") in ({}, {"functionCallingConfig": {"mode": "AUTO"}}):
        del made["toolConfig"]
    return {name: value for name, value in made.items() if value not in (None, [], {})}


def _list(parts: Any) -> list[Json]:
    return [parts] if isinstance(parts, dict) else parts


def _said(contents: list[Json]) -> tuple[list[Json], list[str]]:
    """Neighbours of one role as one content, texts that follow each other as one text, without thoughts."""
    made: list[Json] = []
    signatures = []
    for content in contents:
        role = "model" if content.get("role") == "model" else "user"
        if not made or made[-1]["role"] != role:
            made.append({"role": role, "parts": []})
        parts = made[-1]["parts"]
        for part in content["parts"]:
            if part.get("thought"):
                continue
            if "text" in part and "thoughtSignature" in part:
                signatures.append(part["thoughtSignature"])
                part = {"text": part["text"]}  # noqa: PLW2901 - held elsewhere
            if "text" in part and parts and "text" in parts[-1]:
                parts[-1]["text"] += part["text"]
            else:
                parts.append(dict(part))
    return made, signatures


def _declared(tool: Json) -> Json:
    if "functionDeclarations" not in tool:
        return tool
    return {"functionDeclarations": [_declaration(each) for each in tool["functionDeclarations"]]}


def _declaration(declared: Json) -> Json:
    schema = json_schema(declared.get("parametersJsonSchema") or declared.get("parameters") or {})
    made = {name: declared[name] for name in ("name", "description") if declared.get(name)}
    return made | ({"schema": {"type": "object", **schema}} if schema.get("properties") else {})
