"""The input of a Responses request as chat messages.

Items that follow one another are one turn in chat: reasoning, text and calls of the assistant become one message, for
the results of calls must follow the message that made them. Tool messages are text in chat, so images and files in
results follow in a user message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import GatewayError, invalid
from app.core.json import Json
from app.core.quoting import quoted
from app.surfaces.responses_reasoning import thoughts_of

_SHOWN_BELOW = "(shown in the next message)"
_ROLES: Mapping[str, str] = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a model is given back of its earlier turns: readable thoughts as `reasoning_content`, what Anthropic signed
    as `thinking_blocks` (`marks`), and what Google did, in the `extra_content` of calls (`signatures`)."""

    reasoning: bool = False
    marks: bool = False
    signatures: bool = False


def chat_messages(instructions: Any, given: Any, wanted: Wanted) -> list[Json]:
    """Raises:
    GatewayError: invalid_request, naming the place of what chat has no form for.
    """
    made: list[Json] = []
    if instructions is not None:
        if not isinstance(instructions, str):
            raise invalid("instructions must be a string", "instructions")
        made.append({"role": "system", "content": instructions})
    if isinstance(given, str):
        return [*made, {"role": "user", "content": given}]
    return [*made, *_Turns(wanted).read(given or [])]


class _Turns:
    """Messages as they grow item by item."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._made: list[Json] = []
        self._turn: Json | None = None  # the assistant's message that may still grow
        self._shown: list[Json] = []  # parts of results that tool messages cannot hold

    def read(self, items: list[Json]) -> list[Json]:
        for place, item in enumerate(items):
            where = f"input[{place}]"
            kind = item.get("type") or ("message" if "role" in item else "item_reference")
            if kind == "message":
                self._message(item, where)
            elif kind == "reasoning":
                self._thought(item)
            elif kind == "function_call":
                self._call(item, where)
            elif kind == "function_call_output":
                self._result(item, where)
            else:
                raise _unknown(kind, where)
        self._show()
        return [message for message in self._made if not _is_empty(message)]

    def _message(self, item: Json, where: str) -> None:
        role = item.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise invalid(f"role must be one of {', '.join(_ROLES)}", f"{where}.role")
        parts = _parts(item.get("content"), f"{where}.content")
        if role == "assistant":
            text = "".join(_text_of(part, at) for part, at in parts)
            turn = self._assistant(new=lambda turn: turn["content"] is not None and "tool_calls" not in turn)
            turn["content"] = (turn["content"] or "") + text
            return
        self._show()
        self._turn = None
        made = [part for each, at in parts for part in _read(each, at)]
        only_text = all(part["type"] == "text" for part in made)
        if not only_text and role != "user":
            raise invalid("only a user's message can hold images and files here", f"{where}.content")
        content: Any = made
        if only_text and (role != "user" or len(made) == 1):
            content = "\n\n".join(part["text"] for part in made)
        self._made.append({"role": _ROLES[role], "content": content})

    def _thought(self, item: Json) -> None:
        blocks, text = thoughts_of(item)
        turn = self._assistant(new=lambda turn: turn["content"] is not None and "tool_calls" not in turn)
        if blocks and self._wanted.marks:
            turn.setdefault("thinking_blocks", []).extend(blocks)
        elif text and self._wanted.reasoning:
            turn["reasoning_content"] = turn.get("reasoning_content", "") + text

    def _call(self, item: Json, where: str) -> None:
        function = {"name": _string(item, "name", where), "arguments": _string(item, "arguments", where) or "{}"}
        call: Json = {"id": _string(item, "call_id", where), "type": "function", "function": function}
        if self._wanted.signatures and isinstance(extra := item.get("extra_content"), dict):
            call["extra_content"] = extra
        self._assistant(new=lambda turn: False).setdefault("tool_calls", []).append(call)

    def _result(self, item: Json, where: str) -> None:
        self._turn = None
        output = item.get("output")
        if not isinstance(output, str | list):
            raise invalid("output must be a string or a list of parts", f"{where}.output")
        parts = [part for each, at in _parts(output, f"{where}.output") for part in _read(each, at)]
        texts = [part["text"] for part in parts if part["type"] == "text"]
        media = [part for part in parts if part["type"] != "text"]
        text = "\n".join(texts) or (_SHOWN_BELOW if media else "")
        self._shown += media
        self._made.append({"role": "tool", "tool_call_id": _string(item, "call_id", where), "content": text})

    def _assistant(self, new: Callable[[Json], bool]) -> Json:
        """The message that the assistant's items go into. `new`: whether this one needs another than that."""
        self._show()
        if self._turn is None or new(self._turn):
            self._turn = {"role": "assistant", "content": None}
            self._made.append(self._turn)
        return self._turn

    def _show(self) -> None:
        if self._shown:
            self._made.append({"role": "user", "content": self._shown})
            self._shown = []


def _is_empty(message: Json) -> bool:
    """Whether a turn of the assistant's has thoughts and nothing that came of them."""
    return message["role"] == "assistant" and message["content"] is None and "tool_calls" not in message


def _parts(content: Any, where: str) -> Iterator[tuple[Json, str]]:
    if isinstance(content, str):
        yield {"type": "input_text", "text": content}, where
    elif isinstance(content, list):
        for place, part in enumerate(content):
            at = f"{where}[{place}]"
            if not isinstance(part, dict):
                raise invalid("a part of the content must be an object", at)
            yield part, at
    else:
        raise invalid("content must be a string or a list of parts", where)


def _read(part: Json, where: str) -> list[Json]:
    kind = part.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise _unknown(part.get("type"), where)
    return reader(part, where)


def _text_of(part: Json, where: str) -> str:
    if part.get("type") == "refusal":
        return _string(part, "refusal", where)
    if part.get("type") not in ("output_text", "input_text", "text"):
        raise _unknown(part.get("type"), where)
    return _string(part, "text", where)


def _text(part: Json, where: str) -> list[Json]:
    return [{"type": "text", "text": _text_of(part, where)}]


def _image(part: Json, where: str) -> list[Json]:
    url = part.get("image_url")
    if not isinstance(url, str):
        raise invalid("the provider of this model takes images by their URL or as data only", f"{where}.image_url")
    image: Json = {"url": url}
    if (detail := part.get("detail")) in ("low", "high"):
        image["detail"] = detail
    return [{"type": "image_url", "image_url": image}]


def _file(part: Json, where: str) -> list[Json]:
    data = part.get("file_data")
    if not isinstance(data, str):
        raise invalid("the provider of this model takes files as data only", f"{where}.file_data")
    return [{"type": "file", "file": {"filename": part.get("filename") or "document.pdf", "file_data": data}}]


def _audio(part: Json, where: str) -> list[Json]:
    audio = part.get("input_audio")
    if not isinstance(audio, dict):
        raise invalid("input_audio must be an object", f"{where}.input_audio")
    return [{"type": "input_audio", "input_audio": audio}]


_READERS: Mapping[str, Callable[[Json, str], list[Json]]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _text,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}


def _string(item: Json, name: str, where: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string", f"{where}.{name}")
    return value


def _unknown(kind: Any, where: str) -> GatewayError:
    message = f"the provider of this model cannot be told {quoted(kind)} here"
    return invalid(message, f"{where}.type", code="unsupported_value")
