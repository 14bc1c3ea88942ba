"""The messages of a Messages request as chat messages.

Each tool result becomes a message of its own, before the rest of its turn. Tool messages are text in chat, so images
and files in results follow in a user message. Earlier reasoning goes along only to models that want it back. Signed
thinking and `cache_control` go along only to whoever knows these words of Anthropic's in chat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.core.errors import invalid
from app.core.json import Json, dumps
from app.core.quoting import quoted
from app.providers.signatures import extra_content, of_block
from app.surfaces.messages_tools import short

_SHOWN_BELOW = "(shown in the next message)"


def chat_messages(
    system: Any, messages: list[Any], *, reasoning: bool, signatures: bool = False, marks: bool = False
) -> list[Json]:
    """`reasoning`: give thinking back as `reasoning_content`; `signatures`: Google's, on the calls that they belong to;
    `marks`: signed thinking as `thinking_blocks`, and `cache_control`.

    Raises:
        GatewayError: invalid_request, naming the place of what chat has no form for.
    """
    made: list[Json] = []
    if said := _instructions(system, "system", marks=marks):
        made.append({"role": "system", "content": said})
    for at, message in enumerate(messages):
        where = f"messages[{at}].content"
        content, role = message["content"], message["role"]
        if role == "system":
            made.append({"role": "system", "content": _instructions(content, where, marks=marks)})
        elif isinstance(content, str):
            made.append({"role": role, "content": content})
        elif role == "assistant":
            made += _assistant(content, where, reasoning=reasoning, signatures=signatures, marks=marks)
        else:
            made += _user(content, where, marks=marks)
    return made


def _blocks(content: Any, where: str) -> Iterator[tuple[Json, str]]:
    if isinstance(content, str):
        yield {"type": "text", "text": content}, where
        return
    if not isinstance(content, list | None):
        raise invalid("content must be a string or a list of blocks", where)
    for at, block in enumerate(content or ()):
        if not isinstance(block, dict):
            raise invalid("a block must be an object", f"{where}[{at}]")
        yield block, f"{where}[{at}]"


def _mark(block: Json, *, marks: bool) -> Json:
    return {"cache_control": block["cache_control"]} if marks and block.get("cache_control") else {}


def _marked(parts: list[Json], block: Json, *, marks: bool) -> list[Json]:
    """On the last of the parts that a block became."""
    if parts and (mark := _mark(block, marks=marks)):
        parts[-1] = {**parts[-1], **mark}
    return parts


def _instructions(content: Any, where: str, *, marks: bool) -> str | list[Json]:
    """Blocks of text alone, as one text, unless there is a mark among them to keep."""
    text = _joined(content, where)
    parts = [
        {"type": "text", "text": block["text"], **_mark(block, marks=marks)} for block, _ in _blocks(content, where)
    ]
    return parts if any("cache_control" in part for part in parts) else text


def _joined(content: Any, where: str) -> str:
    """Blocks of text alone, as one text."""
    texts = []
    for block, place in _blocks(content, where):
        if block.get("type") != "text":
            raise _unknown(block, place)
        texts.append(_string(block, "text", place))
    return "\n\n".join(texts)


def _user(content: list[Any], where: str, *, marks: bool) -> list[Json]:
    results, parts = [], []
    for block, place in _blocks(content, where):
        if block.get("type") == "tool_result":
            text, media = _result(block, place)
            answered = {"role": "tool", "tool_call_id": _string(block, "tool_use_id", place), "content": text}
            results.append({**answered, **_mark(block, marks=marks)})
            parts += media
        else:
            parts += _marked(_parts(block, place), block, marks=marks)
    if not parts:
        return results
    only_text = len(parts) == 1 and parts[0].keys() == {"type", "text"}
    return [*results, {"role": "user", "content": parts[0]["text"] if only_text else parts}]


def _result(block: Json, where: str) -> tuple[str, list[Json]]:
    """What a tool gave: as text, and what a tool message cannot hold."""
    texts, media = [], []
    for inner, place in _blocks(block.get("content"), f"{where}.content"):
        for part in _parts(inner, place):
            if part["type"] == "text":
                texts.append(part["text"])
            else:
                media.append(part)
    text = "\n".join(texts) or (_SHOWN_BELOW if media else "")
    return (f"Error: {text}" if block.get("is_error") else text), media


def _assistant(content: list[Any], where: str, *, reasoning: bool, signatures: bool, marks: bool) -> list[Json]:
    texts, thoughts, calls = [], [], []
    signature: str | None = None  # of the next call
    for block, place in _blocks(content, where):
        kind = block.get("type")
        signature = of_block(block) or signature
        if kind == "text":
            texts.append(_string(block, "text", place))
        elif kind == "thinking":
            thoughts.append(_string(block, "thinking", place))
        elif kind == "tool_use":
            arguments = dumps(block.get("input") or {}).decode()
            function = {"name": short(_string(block, "name", place)), "arguments": arguments}
            call = {"id": _string(block, "id", place), "type": "function", "function": function}
            if signature and signatures:
                call["extra_content"] = extra_content(signature)
            signature = None
            calls.append(call)
        elif kind != "redacted_thinking":  # which only its author can read
            raise _unknown(block, place)
    made: Json = {"role": "assistant", "content": "".join(texts) or None}
    if calls:
        made["tool_calls"] = calls
    if reasoning and thoughts:
        made["reasoning_content"] = "".join(thoughts)
    if marks:
        made |= _in_anthropics_words([block for block, _ in _blocks(content, where)])
    return [made] if texts or calls else []


def _in_anthropics_words(blocks: list[Json]) -> Json:
    """Of an assistant's turn: thinking as it was signed, and where its marks are."""
    made: Json = {}
    signed = (each for each in blocks if each.get("signature") or each.get("type") == "redacted_thinking")
    if thoughts := [each for each in signed if of_block(each) is None]:
        made["thinking_blocks"] = thoughts
    texts = [each for each in blocks if each.get("type") == "text"]
    if any("cache_control" in each for each in texts):
        made["content"] = [part for each in texts for part in _marked(_text(each, ""), each, marks=True)]
    for each in blocks:
        if each.get("type") == "tool_use":
            made |= _mark(each, marks=True)
    return made


def _parts(block: Json, where: str) -> list[Json]:
    kind = block.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise _unknown(block, where)
    return read(block, where)


def _text(block: Json, where: str) -> list[Json]:
    return [{"type": "text", "text": _string(block, "text", where)}]


def _image(block: Json, where: str) -> list[Json]:
    source = _source(block, where)
    if source.get("type") == "url":
        return [{"type": "image_url", "image_url": {"url": _string(source, "url", f"{where}.source")}}]
    return [{"type": "image_url", "image_url": {"url": _data_url(source, f"{where}.source")}}]


def _document(block: Json, where: str) -> list[Json]:
    source, place = _source(block, where), f"{where}.source"
    if source.get("type") == "text":
        return _text({"text": source.get("data")}, place)
    if source.get("type") == "content":
        return [part for inner, at in _blocks(source.get("content"), place) for part in _parts(inner, at)]
    name = block.get("title") or "document.pdf"
    return [{"type": "file", "file": {"filename": name, "file_data": _data_url(source, place)}}]


def _search_result(block: Json, where: str) -> list[Json]:
    head = f"{block.get('title') or ''}\n{block.get('source') or ''}".strip()
    return _text({"text": f"{head}\n\n{_joined(block.get('content'), f'{where}.content')}"}, where)


def _source(block: Json, where: str) -> Json:
    source = block.get("source")
    if not isinstance(source, dict):
        raise invalid("source must be an object", f"{where}.source")
    return source


def _data_url(source: Json, where: str) -> str:
    if source.get("type") != "base64":
        raise invalid("the provider of this model takes files as data only", f"{where}.type")
    return f"data:{_string(source, 'media_type', where)};base64,{_string(source, 'data', where)}"


def _string(block: Json, name: str, where: str) -> str:
    value = block.get(name)
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string", f"{where}.{name}")
    return value


def _unknown(block: Json, where: str) -> Exception:
    kind = str(block.get("type"))[:100]
    return invalid(f"the provider of this model cannot be told a block of type {quoted(kind)} here", f"{where}.type")


_READERS: Mapping[str, Callable[[Json, str], list[Json]]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
}
