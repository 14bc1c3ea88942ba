"""The messages of a chat request as Anthropic's `system` and `messages`.

Anthropic wants turns that alternate, each a list of blocks: the results of parallel tool calls together at the head of
the user's turn, thinking before text before calls in the assistant's, no block without content.

Reasoning comes back in `thinking_blocks`, the field that LiteLLM's clients use and that this dialect gives out: blocks
of type `thinking` with their signature, or `redacted_thinking`; or in OpenRouter's `reasoning_details`. Unsigned
reasoning (`reasoning_content`) cannot be sent to Anthropic and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.core.quoting import quoted
from app.providers.anthropic_media import document, image
from app.providers.chat_request import object_of, parts, string

_SYSTEM = ("system", "developer")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(slots=True)
class History:
    """`system` and `messages`, in Anthropic's form."""

    system: list[Json] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)

    @property
    def tools_used(self) -> tuple[str, ...]:
        """Names of the tools that were called, each once."""
        names = (b["name"] for m in self.messages for b in m["content"] if b["type"] == "tool_use")
        return tuple(dict.fromkeys(names))

    @property
    def unfinished_without_thinking(self) -> bool:
        """Whether tool results stand last and the turn that asked for them does not begin with thinking."""
        asked = self.messages[-2] if len(self.messages) > 1 else None
        if asked is None or asked["role"] != "assistant" or self.messages[-1]["content"][0]["type"] != "tool_result":
            return False
        return asked["content"][0]["type"] not in ("thinking", "redacted_thinking")


def history(messages: Any, *, system_later: bool, thinking: bool) -> History:
    """`system_later`: the model takes system messages after the first turn. `thinking`: it may see its own reasoning.

    Raises:
        GatewayError: invalid_request, naming the place of what cannot be translated.
    """
    if not isinstance(messages, list) or not messages:
        raise invalid("messages must be a list with at least one message", "messages")
    made = History()
    for at, message in enumerate(messages):
        where = f"messages[{at}]"
        if not isinstance(message, dict):
            raise invalid("a message must be an object", where)
        role = message.get("role")
        if role in _SYSTEM:
            _instruct(made, message, where, in_place=system_later and _may_stand_here(made, messages[at + 1 :]))
        elif role == "user":
            _append(made, "user", _marked(message, list(_user_blocks(message.get("content"), f"{where}.content"))))
        elif role == "assistant":
            _append(made, "assistant", _marked(message, list(_assistant_blocks(message, where, thinking=thinking))))
        elif role == "tool":
            _result(made, message, where)
        else:
            raise invalid(f"role {quoted(role)} cannot be told to this provider", f"{where}.role")
    _finish(made)
    return made


def _instruct(made: History, message: Json, where: str, *, in_place: bool) -> None:
    """The first ones are the system prompt. Later ones stay where they are: moved there they would change the cached
    beginning of every request that follows."""
    blocks = _marked(message, list(_texts(message.get("content"), f"{where}.content")))
    if not made.messages:
        made.system += blocks
    else:
        _append(made, "system" if in_place else "user", blocks)


def _may_stand_here(made: History, rest: list[Any]) -> bool:
    """A later system message follows a user's turn, and is followed by the assistant's or by nothing."""
    if not made.messages or made.messages[-1]["role"] == "assistant":
        return False
    roles = (message.get("role") for message in rest if isinstance(message, dict))
    return next((role for role in roles if role not in _SYSTEM), "assistant") == "assistant"


def _append(made: History, role: str, blocks: list[Json]) -> None:
    if not blocks:
        return
    if made.messages and made.messages[-1]["role"] == role:
        made.messages[-1]["content"] += blocks
    else:
        made.messages.append({"role": role, "content": blocks})


def _result(made: History, message: Json, where: str) -> None:
    """All results of one turn's calls in one user message, before anything else in it."""
    called = message.get("tool_call_id")
    if not isinstance(called, str) or not called:
        raise invalid("a tool message needs the id of the call that it answers", f"{where}.tool_call_id")
    block: Json = {"type": "tool_result", "tool_use_id": _NOT_IN_ID.sub("_", called)}
    content = _marked({}, list(_user_blocks(message.get("content"), f"{where}.content")))
    if len(content) == 1 and content[0].keys() == {"type", "text"}:
        block["content"] = content[0]["text"]
    elif content:
        block["content"] = content
    _marked(message, [block])
    if not made.messages or made.messages[-1]["role"] != "user":
        made.messages.append({"role": "user", "content": []})
    blocks = made.messages[-1]["content"]
    after = next((at for at, other in enumerate(blocks) if other["type"] != "tool_result"), len(blocks))
    blocks.insert(after, block)


def _finish(made: History) -> None:
    if not made.messages:  # a prompt of system messages alone: somebody must ask
        if not made.system:
            raise invalid("there is nothing to read in any message", "messages")
        made.messages.append({"role": "user", "content": made.system})
        made.system = []
    last = made.messages[-1]
    if last["role"] == "assistant" and last["content"][-1]["type"] == "text":
        last["content"][-1]["text"] = last["content"][-1]["text"].rstrip()  # a beginning to go on from, refused else


def _marked(message: Json, blocks: list[Json]) -> list[Json]:
    """A cache mark on a whole message belongs on its last block."""
    if blocks and (mark := message.get("cache_control")):
        blocks[-1]["cache_control"] = mark
    return blocks


def _text(text: str, part: Json) -> Iterator[Json]:
    """Anthropic refuses text blocks in which there is nothing to read."""
    if text.strip():
        yield _marked(part, [{"type": "text", "text": text}])[0]


def _texts(content: Any, where: str) -> Iterator[Json]:
    for part, place in parts(content, where):
        if part.get("type") == "thinking":  # Mistral's and Cohere's reasoning, which nobody has signed
            continue
        if part.get("type") not in ("text", "refusal"):
            raise invalid("only text can stand here", f"{place}.type")
        yield from _text(string(part, part["type"], place), part)


def _user_blocks(content: Any, where: str) -> Iterator[Json]:
    for part, place in parts(content, where):
        kind = part.get("type")
        if kind == "text":
            yield from _text(string(part, "text", place), part)
        elif kind == "image_url":
            yield from _marked(part, [image(part.get("image_url"), f"{place}.image_url")])
        elif kind == "file":
            yield from _marked(part, [document(part.get("file"), f"{place}.file")])
        else:
            raise invalid(f"content of type {quoted(kind)} cannot be told to this provider", f"{place}.type")


def _assistant_blocks(message: Json, where: str, *, thinking: bool) -> Iterator[Json]:
    if thinking:
        yield from _thoughts(message)
    yield from _texts(message.get("content"), f"{where}.content")
    if isinstance(refusal := message.get("refusal"), str):
        yield from _text(refusal, {})
    if message.get("function_call"):
        raise invalid("function_call cannot be told to this provider; use tool_calls", f"{where}.function_call")
    for at, call in enumerate(_list(message.get("tool_calls"))):
        yield _call(call, f"{where}.tool_calls[{at}]")


def _thoughts(message: Json) -> Iterator[Json]:
    for block in _list(message.get("thinking_blocks")) or _from_details(message.get("reasoning_details")):
        if not isinstance(block, dict):
            continue
        if block.get("type") == "thinking" and block.get("signature"):
            yield {"type": "thinking", "thinking": block.get("thinking") or "", "signature": block["signature"]}
        elif block.get("type") == "redacted_thinking" and block.get("data"):
            yield {"type": "redacted_thinking", "data": block["data"]}


def _from_details(details: Any) -> Iterator[Json]:
    """OpenRouter's form. Its `format` says who signed: somebody else's signature would be refused."""
    for detail in _list(details):
        if not isinstance(detail, dict) or not str(detail.get("format") or "anthropic").startswith("anthropic"):
            continue
        if detail.get("type") == "reasoning.text":
            yield {"type": "thinking", "thinking": detail.get("text"), "signature": detail.get("signature")}
        elif detail.get("type") == "reasoning.encrypted":
            yield {"type": "redacted_thinking", "data": detail.get("data")}


def _call(call: Any, where: str) -> Json:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(call.get("id"), str):
        raise invalid("a tool call needs an id and a function", where)
    return {
        "type": "tool_use",
        "id": _NOT_IN_ID.sub("_", call["id"]),
        "name": string(function, "name", f"{where}.function"),
        "input": object_of(function.get("arguments")),
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
