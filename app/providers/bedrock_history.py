"""The messages of a chat request as Converse's `system` and `messages`.

Turns alternate between user and assistant, each a list of blocks; the results of parallel calls stand together at the
head of the user's turn. Reasoning goes back signed, before everything else in its turn, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.core.quoting import quoted
from app.providers import chat_request
from app.providers.signatures import of_block

_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_.:-]")
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9 ()\[\]-]")
_LONGEST_ID = 64
_IMAGES: Mapping[str, str] = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}
_DOCUMENTS: Mapping[str, str] = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}


@dataclass(slots=True)
class History:
    """In Converse's form. `unmarked`: cache marks were left out."""

    caches: bool
    thinking: bool
    system: list[Json] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)
    unmarked: bool = False

    @property
    def tools_used(self) -> tuple[str, ...]:
        """Names of the tools that were called, each once."""
        names = (b["toolUse"]["name"] for m in self.messages for b in m["content"] if "toolUse" in b)
        return tuple(dict.fromkeys(names))

    @property
    def unfinished_without_thinking(self) -> bool:
        """Whether tool results stand last and the turn that asked for them does not begin with thinking."""
        if len(self.messages) < 2 or not any("toolResult" in block for block in self.messages[-1]["content"]):
            return False
        return "reasoningContent" not in self.messages[-2]["content"][0]

    def marked(self, holder: Json, blocks: list[Json]) -> list[Json]:
        """With a cache point behind them where the client put a mark."""
        mark = holder.get("cache_control")
        if not mark or not blocks:
            return blocks
        if not self.caches:
            self.unmarked = True
            return blocks
        return [*blocks, cache_point(mark)]


def cache_point(mark: Any) -> Json:
    ttl = mark.get("ttl") if isinstance(mark, dict) else None
    return {"cachePoint": {"type": "default", **({"ttl": ttl} if ttl == "1h" else {})}}


def history(body: Json, *, caches: bool, thinking: bool) -> History:
    """`caches`: the model takes cache points. `thinking`: it may see its own reasoning.

    Raises:
        GatewayError: invalid_request, naming the place of what cannot be translated.
    """
    made = History(caches, thinking)
    for message, where in chat_request.messages(body):
        role = message.get("role")
        if role in ("system", "developer"):
            blocks = _blocks(made, message, where)
            if made.messages:  # later ones stay where they are: moved they would change the cached beginning
                _append(made, "user", blocks)
            else:
                made.system += blocks
        elif role == "user":
            _append(made, "user", _blocks(made, message, where))
        elif role == "assistant":
            _append(made, "assistant", made.marked(message, list(_assistant(made, message, where))))
        elif role == "tool":
            _result(made, message, where)
        else:
            raise invalid(f"role {quoted(role)} cannot be told to this provider", f"{where}.role")
    if not made.messages:  # a prompt of system messages alone: somebody must ask
        if not made.system:
            raise invalid("there is nothing to read in any message", "messages")
        _append(made, "user", made.system)
        made.system = []
    last = made.messages[-1]
    if last["role"] == "assistant" and "text" in last["content"][-1]:
        last["content"][-1]["text"] = last["content"][-1]["text"].rstrip()  # a beginning to go on from, refused else
    return made


def tool_use_id(given: str) -> str:
    return _NOT_IN_ID.sub("_", given)[-_LONGEST_ID:]


def _append(made: History, role: str, blocks: list[Json]) -> None:
    if not blocks:
        return
    if made.messages and made.messages[-1]["role"] == role:
        made.messages[-1]["content"] += blocks
    else:
        made.messages.append({"role": role, "content": blocks})


def _result(made: History, message: Json, where: str) -> None:
    """Behind the other results of this turn, before anything else in it."""
    given = _blocks(made, {"content": message.get("content")}, where)
    content = [block for block in given if "cachePoint" not in block]
    result = {"toolUseId": tool_use_id(chat_request.answered(message, where)), "content": content or [{"json": {}}]}
    if not made.messages or made.messages[-1]["role"] != "user":
        made.messages.append({"role": "user", "content": []})
    blocks = made.messages[-1]["content"]
    after = max((at + 1 for at, block in enumerate(blocks) if "toolResult" in block), default=0)
    if after < len(blocks) and after and "cachePoint" in blocks[after]:
        after += 1
    blocks[after:after] = made.marked(message, [{"toolResult": result}])


def _blocks(made: History, message: Json, where: str) -> list[Json]:
    """Of a message that is not the assistant's. A mark on the whole of it stands behind its last block."""
    found: list[Json] = []
    for part, place in chat_request.parts(message.get("content"), f"{where}.content"):
        kind = part.get("type")
        if kind == "text":
            blocks = _text(chat_request.text_of(part, place))
        elif kind == "image_url" and message.get("role") not in ("system", "developer"):
            blocks = [_from_data(chat_request.image_url(part, place), f"{place}.image_url.url")]
        elif kind == "file" and message.get("role") not in ("system", "developer"):
            blocks = [_file(part.get("file"), f"{place}.file")]
        else:
            raise chat_request.unknown_part(part, place)
        found += made.marked(part, blocks)
    return made.marked(message, found)


def _text(text: str) -> list[Json]:
    """Converse refuses text blocks in which there is nothing to read."""
    return [{"text": text}] if text.strip() else []


def _assistant(made: History, message: Json, where: str) -> Iterator[Json]:
    if made.thinking:
        yield from _thoughts(message)
    for part, place in chat_request.parts(message.get("content"), f"{where}.content"):
        if part.get("type") == "thinking":  # Mistral's and Cohere's reasoning, which nobody has signed
            continue
        if part.get("type") not in ("text", "refusal"):
            raise invalid("only text can stand here", f"{place}.type")
        yield from made.marked(part, _text(chat_request.text_of(part, place)))
    if isinstance(refusal := message.get("refusal"), str):
        yield from _text(refusal)
    for call in chat_request.calls(message, where):
        yield {"toolUse": {"toolUseId": tool_use_id(call.id), "name": call.name, "input": call.arguments}}


def _thoughts(message: Json) -> Iterator[Json]:
    """`thinking_blocks`, as this dialect gives them out: signed, or readable to their author alone."""
    blocks = message.get("thinking_blocks")
    for block in blocks if isinstance(blocks, list) else ():
        if not isinstance(block, dict) or of_block(block) is not None:  # Google's: it would be refused
            continue
        if block.get("type") == "thinking" and block.get("signature"):
            text = {"text": block.get("thinking") or "", "signature": block["signature"]}
            yield {"reasoningContent": {"reasoningText": text}}
        elif block.get("type") == "redacted_thinking" and block.get("data"):
            yield {"reasoningContent": {"redactedContent": block["data"]}}


def _file(file: Any, where: str) -> Json:
    data = file.get("file_data") if isinstance(file, dict) else None
    if not isinstance(data, str):
        raise invalid("this provider takes files as data only", f"{where}.file_data")
    block = _from_data(data, f"{where}.file_data")
    if "document" in block and file.get("filename"):
        named = _NOT_IN_NAME.sub(" ", str(file["filename"]).rpartition(".")[0] or str(file["filename"]))
        block["document"]["name"] = re.sub(r" {2,}", " ", named).strip()[:200] or "document"
    return block


def _from_data(url: str, where: str) -> Json:
    """A data URL by its media type, with whatever parameters it has: `data:image/png;charset=utf-8;base64,...`."""
    head, comma, data = url.removeprefix("data:").partition(",")
    media_type, *parameters = (word.strip().lower() for word in head.split(";"))
    if not url.startswith("data:") or not comma or "base64" not in parameters:
        raise invalid("this provider takes data URLs only: data:<media type>;base64,<data>", where)
    if image := _IMAGES.get(media_type):
        return {"image": {"format": image, "source": {"bytes": data}}}
    if document := _DOCUMENTS.get(media_type):
        return {"document": {"format": document, "name": "document", "source": {"bytes": data}}}
    raise invalid(f"media type {quoted(media_type)} cannot be told to this provider", where)
