"""Bedrock's binary streams: read by a parser of its own, which believes nothing of what they say about themselves."""

from __future__ import annotations

import binascii
import json
import struct
from typing import Any

Json = dict[str, Any]


def folded(stream: bytes) -> Json:
    blocks: dict[int, Json] = {}
    ended: Json = {}
    for name, data in frames(stream):
        if name == "contentBlockStart" and "toolUse" in data["start"]:
            blocks[data["contentBlockIndex"]] = {"toolUse": {**data["start"]["toolUse"], "input": ""}}
        elif name == "contentBlockDelta":
            _grow(blocks.setdefault(data["contentBlockIndex"], {}), data["delta"])
        elif name in ("messageStop", "metadata"):
            ended |= data
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
    made = [blocks[index] for index in sorted(blocks)]
    return {
        "output": {"message": {"content": made}},
        "stopReason": ended.get("stopReason"),
        "usage": ended.get("usage"),
    }


def _grow(block: Json, delta: Json) -> None:
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    elif "toolUse" in delta and "toolUse" in block:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    elif "reasoningContent" in delta:
        if redacted := delta["reasoningContent"].get("redactedContent"):
            kept = block.setdefault("reasoningContent", {})
            kept["redactedContent"] = kept.get("redactedContent", "") + redacted
            return
        text = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": "", "signature": ""})
        for name in ("text", "signature"):
            text[name] += delta["reasoningContent"].get(name, "")


def frames(stream: bytes) -> list[tuple[str, Json]]:
    """Event type and payload of each frame. Up to one whose checksum is wrong."""
    found: list[tuple[str, Json]] = []
    at = 0
    while at < len(stream):
        total, length, _ = struct.unpack_from(">III", stream, at)
        if binascii.crc32(stream[at : at + total - 4]) != struct.unpack_from(">I", stream, at + total - 4)[0]:
            return found  # nothing that follows can be believed
        headers = _headers(stream[at + 12 : at + 12 + length])
        payload = stream[at + 12 + length : at + total - 4]
        if name := headers.get(":event-type"):
            found.append((name, json.loads(payload)))
        at += total
    return found


def _headers(block: bytes) -> dict[str, str]:
    """All of them are strings (type 7)."""
    found = {}
    while block:
        name, block = block[1 : 1 + block[0]].decode(), block[1 + block[0] :]
        (length,) = struct.unpack_from(">H", block, 1)
        found[name], block = block[3 : 3 + length].decode(), block[3 + length :]
    return found
