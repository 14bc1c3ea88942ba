"""Bedrock's recorded exchanges of Converse: what leads to such a request, what another one asks otherwise, what an
answer says.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from tests.recorded.bedrock_frames import folded
from tests.recorded.leaves import MISSING, Allowed, compared
from tests.recorded.reading import Choice, Reading, Tokens, Tool
from tests.standin import Exchange, RequestRecord

Json = dict[str, Any]

_INFERENCE = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p", "stopSequences": "stop"}
_TYPES = {"pdf": "application/pdf", "txt": "text/plain", "png": "image/png", "jpeg": "image/jpeg"}
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
_MARK = {"type": "ephemeral"}

#: Blocks and tools that chat has no form for.
_NO_FORM = {
    "guardContent": "text that is marked for a guardrail; OpenAI's chat has no form for it",
    "s3Location": "a file in S3; OpenAI's chat has no form for it",
    "searchResult": "search results as blocks; OpenAI's chat has no form for them",
    "video": "a video; OpenAI's chat has no form for it",
    "systemTool": "a tool that Bedrock runs itself; OpenAI's chat has no form for it",
    "citations": "citations of a document; OpenAI's chat has no form for them",
    "document in a result": "a document in the result of a tool; OpenAI's chat has no form for it",
}


def left_out(exchange: Exchange) -> str | None:
    """Why what this exchange asks cannot be said in chat."""
    told = json.dumps(exchange.request.body)
    names = [name for name in _NO_FORM if f'"{name}": {{' in told]
    blocks = [block for message in exchange.request.body["messages"] for block in message["content"]]
    if any("document" in part for block in blocks for part in block.get("toolResult", {}).get("content", ())):
        names.append("document in a result")
    return _NO_FORM[names[0]] if names else None


def to_chat(exchange: Exchange) -> Json:
    body = exchange.request.body
    made: Json = {"messages": []}
    if body.get("system"):
        made["messages"].append({"role": "system", "content": _marked(body["system"])})
    for message in body["messages"]:
        made["messages"] += _messages(message)
    inference = body.get("inferenceConfig") or {}
    made |= {ours: inference[theirs] for theirs, ours in _INFERENCE.items() if theirs in inference}
    own = body.get("additionalModelRequestFields") or {}
    if thinking := own.get("reasoning_config") or own.get("thinking"):
        made["thinking"] = thinking
    if "reasoning_effort" in own:
        made["reasoning_effort"] = own["reasoning_effort"]
    if "inferenceConfig" in own:
        made["top_k"] = own["inferenceConfig"]["topK"]
    if "guardrailConfig" in body:
        made["guardrailConfig"] = body["guardrailConfig"]
    if form := body.get("outputConfig"):
        schema = form["textFormat"]["structure"]["jsonSchema"]
        named = {"name": schema["name"], "schema": json.loads(schema["schema"])}
        made["response_format"] = {"type": "json_schema", "json_schema": named}
    _add_tools(made, body.get("toolConfig") or {})
    return made


def _marked(blocks: list[Json]) -> list[Json]:
    """Parts, each with a mark where a cache point follows it."""
    parts: list[Json] = []
    for block in blocks:
        if "cachePoint" in block:
            parts[-1]["cache_control"] = _MARK
        else:
            parts.append(_part(block))
    return parts


def _part(block: Json) -> Json:
    if "text" in block:
        return {"type": "text", "text": block["text"]}
    if "json" in block:
        return {"type": "text", "text": json.dumps(block["json"])}
    if "image" in block:
        url = _data_url(block["image"])
        return {"type": "image_url", "image_url": {"url": url}}
    named = {"filename": f"{block['document']['name']}.{block['document']['format']}"}
    return {"type": "file", "file": {**named, "file_data": _data_url(block["document"])}}


def _data_url(media: Json) -> str:
    source = media["source"]
    data = source.get("bytes") or b64encode(source["text"].encode()).decode()
    return f"data:{_TYPES[media['format']]};base64,{data}"


def _messages(message: Json) -> list[Json]:
    blocks = message["content"]
    if message["role"] == "assistant":
        return [_assistant(blocks)]
    made = [
        {"role": "tool", "tool_call_id": result["toolUseId"], "content": _marked(result["content"])}
        for result in (block["toolResult"] for block in blocks if "toolResult" in block)
    ]
    rest = [block for block in blocks if "toolResult" not in block]
    return [*made, {"role": "user", "content": _marked(rest)}] if rest else made


def _assistant(blocks: list[Json]) -> Json:
    message: Json = {"role": "assistant", "content": _marked([each for each in blocks if "text" in each]) or None}
    thoughts = [each["reasoningContent"] for each in blocks if "reasoningContent" in each]
    if thoughts:
        message["thinking_blocks"] = [
            {"type": "thinking", "thinking": told["text"], "signature": told["signature"]}
            for told in (each["reasoningText"] for each in thoughts)
        ]
    if calls := [each["toolUse"] for each in blocks if "toolUse" in each]:
        message["tool_calls"] = [
            {
                "id": call["toolUseId"],
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["input"])},
            }
            for call in calls
        ]
    return message


def _add_tools(made: Json, config: Json) -> None:
    tools: list[Json] = []
    for tool in config.get("tools") or ():
        if "cachePoint" in tool:
            tools[-1]["cache_control"] = _MARK
            continue
        spec = tool["toolSpec"]
        function = {"name": spec["name"], "parameters": spec["inputSchema"]["json"]}
        function |= {name: spec[name] for name in ("description", "strict") if spec.get(name)}
        tools.append({"type": "function", "function": function})
    if tools:
        made["tools"] = tools
    for name, value in (config.get("toolChoice") or {}).items():
        named = {"type": "function", "function": {"name": value.get("name")}}
        made["tool_choice"] = {"any": "required", "auto": "auto", "tool": named}[name]


def _added(one: Any, other: Any) -> bool:
    return one is MISSING


def _left_out(one: Any, other: Any) -> bool:
    return other is MISSING


ALLOWED = (
    Allowed(r"inferenceConfig.maxTokens", "Messages wants a limit where Converse does not; so does thinking", _added),
    Allowed(r"messages\.\d+\.content\.\d+\.toolResult\.status", "chat has no word for it", _left_out),
    Allowed(r"form\..*additionalProperties", "Claude wants objects closed", _added),
    Allowed(r"form\.name", "the gateway's own name: Messages has none"),
    Allowed(r"guardrailConfig\..*", "Messages has no word for it", _left_out),
)


def asked_otherwise(exchange: Exchange, sent: RequestRecord, dropped: set[str]) -> list[str]:
    lost = [Allowed(rf"own\.{name}(\..*)?", "the client was told", _left_out) for name in dropped if name]
    return compared(_meaning(exchange.request.body), _meaning(sent.json), (*ALLOWED, *lost), "bedrock")


def _meaning(body: Json) -> Json:
    made: Json = {name: body[name] for name in ("system", "guardrailConfig") if body.get(name)}
    if inference := {name: value for name, value in body.get("inferenceConfig", {}).items() if value != []}:
        made["inferenceConfig"] = inference
    own = dict(body.get("additionalModelRequestFields") or {})
    if thinking := own.pop("reasoning_config", None):  # the older name
        own["thinking"] = thinking
    if own:
        made["own"] = own
    made["messages"] = _turns(body["messages"])
    if form := body.get("outputConfig"):
        schema = form["textFormat"]["structure"]["jsonSchema"]
        made["form"] = {"name": schema["name"], "schema": json.loads(schema["schema"])}
    if config := body.get("toolConfig"):
        choice = config.get("toolChoice")
        tools = [_tool(each) for each in config["tools"]]
        made["tools"] = {"choice": None if choice == {"auto": {}} else choice, "tools": tools}
    return made


def _turns(messages: list[Json]) -> list[Json]:
    """Those of one role that follow each other say together what one would. Images in the results of tools stand
    behind them, where a client of Anthropic's cannot but have them put."""
    made: list[Json] = []
    for message in messages:
        blocks, images = [], []
        for each in message["content"]:
            block = _block(each)
            blocks.append(block)
            if "toolResult" in block:
                given = block["toolResult"]["content"]
                images += [part for part in given if isinstance(part, dict)]
                block["toolResult"]["content"] = [part for part in given if not isinstance(part, dict)]
        if made and made[-1]["role"] == message["role"]:
            made[-1]["content"] += [*blocks, *images]
        else:
            made.append({"role": message["role"], "content": [*blocks, *images]})
    return made


def _block(block: Json) -> Json:
    if "toolResult" in block:
        result = block["toolResult"]
        texts = [json.dumps(part["json"]) if "json" in part else part.get("text", part) for part in result["content"]]
        if all(isinstance(text, str) for text in texts):
            texts = ["\n".join(texts)]
        told = {"content": texts, "toolUseId": result["toolUseId"]}
        return {"toolResult": {**told, **({"status": result["status"]} if result.get("status") else {})}}
    if "document" in block:
        media = block["document"]
        source = media["source"]
        data = source["text"] if "text" in source else b64decode(source["bytes"]).decode("latin-1")
        return {"document": {"format": media["format"], "name": media["name"], "data": data}}
    return block


def _tool(tool: Json) -> Json:
    if "toolSpec" not in tool:
        return tool
    spec = tool["toolSpec"]
    schema = {"type": "object", "properties": {}, **spec["inputSchema"]["json"]}
    return {"name": spec["name"], "description": spec.get("description") or "", "schema": schema}


def reading(exchange: Exchange) -> Reading:
    body = _answer(exchange)
    blocks = body["output"]["message"]["content"]
    thoughts = (each["reasoningContent"].get("reasoningText", {}) for each in blocks if "reasoningContent" in each)
    calls = (each["toolUse"] for each in blocks if "toolUse" in each)
    choice = Choice(
        text="".join(map(_text, blocks)),
        reasoning="".join(thought.get("text", "") for thought in thoughts),
        tools=tuple(Tool(call["toolUseId"], call["name"], call["input"]) for call in calls),
        finish=_FINISH.get(body["stopReason"]),
    )
    return Reading((choice,), _tokens(body["usage"]) if body["usage"] else None)


def signatures(exchange: Exchange) -> list[str]:
    """Of the thoughts, in their order."""
    blocks = _answer(exchange)["output"]["message"]["content"]
    thoughts = (each["reasoningContent"] for each in blocks if "reasoningContent" in each)
    found = (each.get("redactedContent") or each.get("reasoningText", {}).get("signature") for each in thoughts)
    return [signature for signature in found if signature]


def _answer(exchange: Exchange) -> Json:
    recorded = exchange.response.body
    body: Json = folded(recorded) if exchange.operation.endswith("_stream") else json.loads(recorded)
    return body


def _text(block: Json) -> str:
    cited = block.get("citationsContent", {}).get("content", ())
    return "".join(part["text"] for part in cited) + (block.get("text") or "")


def _tokens(usage: Json) -> Tokens:
    read, written = usage.get("cacheReadInputTokens") or 0, usage.get("cacheWriteInputTokens") or 0
    return Tokens(usage["inputTokens"] + read + written, usage["outputTokens"], cached=read, written=written)
