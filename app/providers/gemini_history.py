"""The messages of a chat request as Gemini's `systemInstruction` and `contents`.

Gemini wants the results of one turn's calls together in the content that follows it, as many as there were calls, each
under the name of the function and not only its id. Its own thoughts are not sent back, but their signatures are: they
stand on the part that they came with, and models that think refuse a call of theirs without it.

Signatures travel with clients where Google's own OpenAI-compatible endpoint puts them: in
`tool_calls[].extra_content.google.thought_signature`, and for text in the message's own `extra_content`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import invalid
from app.core.json import Json, NotJson, loads
from app.core.quoting import quoted
from app.providers import chat_request
from app.providers.chat_request import object_of, string
from app.providers.gemini_media import file, image, speech
from app.providers.signatures import of_call

#: Stands in for a signature that is lost, or that never was since somebody else made the call. Google documents it.
UNSIGNED = "skip_thought_signature_validator"

_SYSTEM = ("system", "developer")


@dataclass(slots=True)
class History:
    """`system` are the parts of the system instruction; `names` those of the functions, by the id of their call."""

    system: list[Json] = field(default_factory=list)
    contents: list[Json] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)


def history(messages: Any, *, signed: bool) -> History:
    """`signed`: the model refuses calls without a signature.

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
            _instruct(made, message, where)
        elif role == "user":
            _append(made, "user", list(_user_parts(message.get("content"), f"{where}.content")) or [{"text": ""}])
        elif role == "assistant":
            _append(made, "model", list(_model_parts(made, message, where, signed=signed)))
        elif role == "tool":
            _append(made, "user", list(_result(made, message, where)))
        else:
            raise invalid(f"role {quoted(role)} cannot be told to this provider", f"{where}.role")
    if not made.contents:  # a prompt of system messages alone: somebody must ask
        if not made.system:
            raise invalid("there is nothing to read in any message", "messages")
        made.contents.append({"role": "user", "parts": made.system})
        made.system = []
    return made


def _instruct(made: History, message: Json, where: str) -> None:
    """The first ones are the system instruction. Later ones stay where they are, as the user's: moved to the beginning
    they would change what is cached of it."""
    parts = list(_texts(message.get("content"), f"{where}.content"))
    if made.contents:
        _append(made, "user", parts)
    else:
        made.system += parts


def _append(made: History, role: str, parts: list[Json]) -> None:
    """Neighbours of one role become one content, but results of functions stand by themselves."""
    if not parts:
        return
    last = made.contents[-1] if made.contents else None
    if last is not None and last["role"] == role and _are_results(last["parts"]) == _are_results(parts):
        last["parts"] += parts
    else:
        made.contents.append({"role": role, "parts": parts})


def _are_results(parts: list[Json]) -> bool:
    return "functionResponse" in parts[0]


def _result(made: History, message: Json, where: str) -> Iterator[Json]:
    """The result of one call, and after it the images that a tool may give beside its text."""
    called = message.get("tool_call_id")
    if not isinstance(called, str) or not called:
        raise invalid("a tool message needs the id of the call that it answers", f"{where}.tool_call_id")
    name = made.names.get(called) or message.get("name")
    if not isinstance(name, str) or not name:
        raise invalid("there is no call of this id in the messages before", f"{where}.tool_call_id")
    parts = list(_user_parts(message.get("content"), f"{where}.content"))
    text = "".join(part["text"] for part in parts if "text" in part)
    yield {"functionResponse": {"id": called, "name": name, "response": _response(text)}}
    yield from (part for part in parts if "text" not in part)


def _response(text: str) -> Json:
    """An object as it is, anything else under the name that Gemini reads as the function's output."""
    try:
        parsed = loads(text)
    except NotJson:
        parsed = None
    return parsed if isinstance(parsed, dict) else {"output": text}


def _texts(content: Any, where: str) -> Iterator[Json]:
    for part, place in chat_request.parts(content, where):
        if part.get("type") == "thinking":  # Mistral's, Cohere's and Anthropic's reasoning, which is not Gemini's
            continue
        if part.get("type") not in ("text", "refusal"):
            raise invalid("only text can stand here", f"{place}.type")
        yield from _text(string(part, part["type"], place))


def _text(text: str) -> Iterator[Json]:
    if text:
        yield {"text": text}


def _user_parts(content: Any, where: str) -> Iterator[Json]:
    for part, place in chat_request.parts(content, where):
        kind = part.get("type")
        if kind == "text":
            yield from _text(string(part, "text", place))
        elif kind == "image_url":
            yield image(part.get("image_url"), f"{place}.image_url")
        elif kind == "file":
            yield file(part.get("file"), f"{place}.file")
        elif kind == "input_audio":
            yield speech(part.get("input_audio"), f"{place}.input_audio")
        else:
            raise invalid(f"content of type {quoted(kind)} cannot be told to this provider", f"{place}.type")


def _model_parts(made: History, message: Json, where: str, *, signed: bool) -> Iterator[Json]:
    texts = list(_texts(message.get("content"), f"{where}.content"))
    if isinstance(refusal := message.get("refusal"), str):
        texts += _text(refusal)
    signature = of_call(message)
    if texts and signature:
        texts[-1]["thoughtSignature"], signature = signature, None
    yield from texts
    if message.get("function_call"):
        raise invalid("function_call cannot be told to this provider; use tool_calls", f"{where}.function_call")
    first = True
    for at, call in enumerate(_list(message.get("tool_calls"))):
        part = _call(made, call, f"{where}.tool_calls[{at}]")
        if first and (signature or signed):  # of calls that were made at once, only the first one has a signature
            part.setdefault("thoughtSignature", signature or UNSIGNED)
        first = False
        yield part


def _call(made: History, call: Any, where: str) -> Json:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(call.get("id"), str):
        raise invalid("a tool call needs an id and a function", where)
    name = string(function, "name", f"{where}.function")
    made.names[call["id"]] = name
    part: Json = {"functionCall": {"id": call["id"], "name": name, "args": object_of(function.get("arguments"))}}
    if signature := of_call(call):
        part["thoughtSignature"] = signature
    return part


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
