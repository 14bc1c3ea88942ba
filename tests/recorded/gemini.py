"""Gemini's recorded requests: what leads to one, and those that nothing leads to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.standin import Exchange

Json = dict[str, Any]

#: Values that belong to the client and not to Gemini: the names in them are never put right.
_OPAQUE = ("args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema")
_SAMPLING = {
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "seed": "seed",
    "candidateCount": "n",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "maxOutputTokens": "max_tokens",
    "stopSequences": "stop",
}
_CHOICES = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto"}


def camel(value: Any) -> Any:
    """Gemini takes both spellings of a name."""
    if isinstance(value, list):
        return [camel(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for name, each in value.items():
        name = re.sub(r"_([a-z])", lambda found: found[1].upper(), name)  # noqa: PLW2901 - as it is spelled
        made[name] = each if name in _OPAQUE else camel(each)
    return made


def to_chat(exchange: Exchange) -> Json:
    body = camel(exchange.request.body)
    made: Json = {"messages": [*_system(body), *_messages(body["contents"])]}
    config = body.get("generationConfig") or {}
    made |= {ours: config[theirs] for theirs, ours in _SAMPLING.items() if theirs in config}
    if config.get("responseLogprobs"):
        made |= {"logprobs": True, "top_logprobs": config["logprobs"]}
    made |= _thinking(config.get("thinkingConfig") or {})
    if schema := config.get("responseJsonSchema") or config.get("responseSchema"):
        form = {"name": "answer", "schema": json_schema(schema)}
        made["response_format"] = {"type": "json_schema", "json_schema": form}
    elif config.get("responseMimeType") == "application/json":
        made["response_format"] = {"type": "json_object"}
    if "safetySettings" in body:
        made["safety_settings"] = body["safetySettings"]
    return made | _tools(body)


def _system(body: Json) -> Iterator[Json]:
    if "systemInstruction" in body:
        parts = body["systemInstruction"]["parts"]
        parts = [parts] if isinstance(parts, dict) else parts
        yield {"role": "system", "content": [{"type": "text", "text": part["text"]} for part in parts]}


def _messages(contents: list[Json]) -> Iterator[Json]:
    waiting: list[tuple[str, str]] = []  # id and name of calls without a result
    for at, content in enumerate(contents):
        parts = content["parts"]
        if content.get("role") == "model":
            message = _assistant(parts, f"call_{at}")
            waiting += [(call["id"], call["function"]["name"]) for call in message.get("tool_calls", ())]
            yield message
            continue
        rest = []
        for part in parts:
            if result := part.get("functionResponse"):
                called = result.get("id") or next(
                    (id_ for id_, name in waiting if name == result["name"]), waiting[0][0] if waiting else None
                )
                waiting = [each for each in waiting if each[0] != called]
                yield {"role": "tool", "tool_call_id": called, "content": json.dumps(result["response"])}
            else:
                rest.append(_part(part))
        if rest:
            yield {"role": "user", "content": rest}


def _assistant(parts: list[Json], prefix: str) -> Json:
    texts = [part for part in parts if part.get("text") and not part.get("thought")]
    message: Json = {"role": "assistant", "content": "".join(part["text"] for part in texts) or None}
    if signatures := [part["thoughtSignature"] for part in texts if "thoughtSignature" in part]:
        message["extra_content"] = {"google": {"thought_signature": signatures[-1]}}
    calls = []
    for at, part in enumerate(part for part in parts if "functionCall" in part):
        called = part["functionCall"]
        function = {"name": called["name"], "arguments": json.dumps(called.get("args") or {})}
        call: Json = {"id": called.get("id") or f"{prefix}_{at}", "type": "function", "function": function}
        if signature := part.get("thoughtSignature"):
            call["extra_content"] = {"google": {"thought_signature": signature}}
        calls.append(call)
    return message | ({"tool_calls": calls} if calls else {})


def _part(part: Json) -> Json:
    if data := part.get("inlineData"):
        kind = data["mimeType"]
        if kind.startswith("audio/"):
            form = {"audio/mpeg": "mp3"}.get(kind, kind.removeprefix("audio/"))
            return {"type": "input_audio", "input_audio": {"data": data["data"], "format": form}}
        url = f"data:{kind};base64,{data['data']}"
        if kind == "application/pdf":
            return {"type": "file", "file": {"file_data": url}}
        return {"type": "image_url", "image_url": {"url": url}}
    if kept := part.get("fileData"):
        if kept["mimeType"].startswith("image/"):
            return {"type": "image_url", "image_url": {"url": kept["fileUri"]}}
        return {"type": "file", "file": {"file_id": kept["fileUri"], "format": kept["mimeType"]}}
    return {"type": "text", "text": part["text"]}


def _thinking(config: Json) -> Json:
    if level := config.get("thinkingLevel"):
        return {"reasoning_effort": level.lower()}
    budget = config.get("thinkingBudget")
    if budget is None:
        return {}
    if budget == 0:
        return {"thinking": {"type": "disabled"}}
    return {"thinking": {"type": "enabled", **({"budget_tokens": budget} if budget > 0 else {})}}


def _tools(body: Json) -> Json:
    tools: list[Json] = []
    for tool in body.get("tools") or ():
        for declared in tool.get("functionDeclarations") or ():
            function = {name: declared[name] for name in ("name", "description") if declared.get(name)}
            if schema := declared.get("parametersJsonSchema") or declared.get("parameters"):
                function["parameters"] = json_schema(schema)
            tools.append({"type": "function", "function": function})
        if own := {name: value for name, value in tool.items() if name != "functionDeclarations"}:
            tools.append(own)
    if not tools:
        return {}
    choosing = (body.get("toolConfig") or {}).get("functionCallingConfig")
    if not choosing:
        return {"tools": tools}
    mode, names = _CHOICES[choosing["mode"].upper()], choosing.get("allowedFunctionNames")
    if not names:
        return {"tools": tools, "tool_choice": mode}
    if len(names) == 1:
        return {"tools": tools, "tool_choice": {"type": "function", "function": {"name": names[0]}}}
    listed = [{"type": "function", "function": {"name": name}} for name in names]
    return {"tools": tools, "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": listed}}}


def json_schema(schema: Any) -> Any:
    """JSON Schema of what may be OpenAPI's: types in capitals are the same types."""
    if isinstance(schema, list):
        return [json_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made: Json = {}
    for name, value in schema.items():
        if name == "properties":
            made[name] = {key: json_schema(each) for key, each in value.items()}
        elif name == "type" and isinstance(value, str):
            made[name] = value.lower()
        else:
            made[name] = json_schema(value)
    return made


def not_in_messages(exchange: Exchange) -> str | None:
    """Why what is asked has no form in Anthropic's language; None where it has one."""
    body = camel(exchange.request.body)
    choosing = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    kinds = {
        (part.get(name) or {}).get("mimeType", "").partition("/")[0] if name == "fileData" else name
        for content in body["contents"]
        for part in content["parts"]
        for name in part
    }
    sounds = any(
        part.get("inlineData", {}).get("mimeType", "").startswith("audio/")
        for content in body["contents"]
        for part in content["parts"]
    )
    if any(name != "functionDeclarations" for tool in body.get("tools") or () for name in tool):
        return "a tool that Google runs itself; Messages has no form for it"
    if len(choosing.get("allowedFunctionNames") or ()) > 1:
        return "a choice among some of the tools; Messages has no form for it"
    if kinds & {"audio", "video", "application"}:
        return "a file that Google keeps; Anthropic's clients can only name those that Anthropic keeps"
    return "speech; Messages has no form for it" if sounds else None


def left_out(exchange: Exchange) -> str | None:
    """Why what this exchange asks cannot be said in chat."""
    if "alt%3Djson" in exchange.request.url.replace("=", "%3D") and exchange.operation.endswith("_stream"):
        return "a stream as one JSON array; the gateway asks for events"
    body = camel(exchange.request.body)
    if any(content.get("role") not in (None, "user", "model", "function") for content in body["contents"]):
        return "malformed on purpose, in a way that only this language has"
    results = (part.get("functionResponse") or {} for content in body["contents"] for part in content["parts"])
    if any("parts" in result for result in results):
        return "a tool's result with files inside it; neither OpenAI's chat nor Messages has a form for that"
    return None
