"""What an Anthropic Messages request asks for: two that ask for the same come out equal; and what may differ."""

from __future__ import annotations

from typing import Any

from tests.recorded.leaves import MISSING, Allowed, compared

Json = dict[str, Any]


def _left_out(one: Any, other: Any) -> bool:
    return other is MISSING


ALLOWED = (
    Allowed(r"model", "held against the recording elsewhere"),
    Allowed(r"messages\.\d+\.content\.\d+\.is_error", "OpenAI's tool messages have no word for it", _left_out),
    Allowed(r"thinking\.type", "models that think only when they are told", lambda one, other: one == "disabled"),
    Allowed(r"thinking\.budget_tokens", "models that think adaptively are told an effort", _left_out),
    Allowed(r"thinking\.type", "the same", lambda one, other: (one, other) == ("enabled", "adaptive")),
    Allowed(r"output_config\.effort", "the same", lambda one, other: one is MISSING),
    Allowed(r"thinking\.display", "so that there is something to show", lambda one, other: one is MISSING),
    Allowed(r"messages\.\d+\.content\.\d+\.citations(\..*)?", "OpenAI has no word for it", _left_out),
)


def asked_otherwise(recorded: Json, sent: Json) -> list[str]:
    """What `sent` asks otherwise than `recorded`, a line each."""
    return compared(meaning(recorded), meaning(sent), ALLOWED, "anthropic")


def meaning(body: Json) -> Json:
    made = {
        name: value
        for name, value in body.items()
        if value not in (None, [], "") and (name, value) != ("stream", False)
    }
    made["messages"] = _turns(body["messages"])
    if body.get("system"):
        made["system"] = _blocks(body["system"])
    if form := made.pop("output_format", None):  # the beta's name for it
        made["output_config"] = {**made.get("output_config", {}), "format": form}
    if "tools" in made:
        made["tools"] = [_tool(tool) for tool in made["tools"]]
    if "tool_choice" in made:
        choice = {name: value for name, value in made["tool_choice"].items() if value is not False}
        made["tool_choice"] = choice
        if choice == {"type": "auto"}:
            del made["tool_choice"]
    return made


def _turns(turns: list[Json]) -> list[Json]:
    """Turns of one role that follow each other are one to Anthropic."""
    made: list[Json] = []
    for turn in turns:
        blocks = _blocks(turn["content"])
        if made and made[-1]["role"] == turn["role"]:
            made[-1]["content"] += blocks
        elif blocks:
            made.append({"role": turn["role"], "content": blocks})
    return made


def _blocks(content: Any) -> list[Json]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    return [_block(block) for block in content if block["type"] != "text" or block["text"].strip()]


def _block(whole: Json) -> Json:
    block = {name: value for name, value in whole.items() if value is not None}
    if block["type"] == "tool_result":
        return {**block, "content": _blocks(block.get("content") or [])}
    return block


def _tool(tool: Json) -> Json:
    told = {name: value for name, value in tool.items() if value not in (None, "", False)}
    if "input_schema" in tool:
        told["input_schema"] = {"type": "object", "properties": {}, **tool["input_schema"]}
    return told
