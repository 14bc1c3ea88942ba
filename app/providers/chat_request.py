"""An OpenAI chat request, read piece by piece for the languages that say it otherwise.

Everything raises GatewayError (invalid_request), naming the place of what is not as OpenAI's API has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import invalid
from app.core.json import Json, NotJson, loads
from app.core.quoting import quoted


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call of an assistant's turn. `arguments` are parsed; what a model once wrote badly is kept as it was."""

    id: str
    name: str
    arguments: Json


@dataclass(frozen=True, slots=True)
class Function:
    """A tool. `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: Json
    strict: bool
    cache_control: Any  # a mark: what stands before it shall be kept in a cache


@dataclass(slots=True)
class Toolbox:
    """`choice` is auto, required, none or named, then with the `name`; None: the client said nothing."""

    functions: list[Function] = field(default_factory=list)
    choice: str | None = None
    name: str | None = None

    @property
    def forced(self) -> bool:
        """Whether the model must call a tool."""
        return self.choice in ("required", "named")


def messages(body: Json) -> Iterator[tuple[Json, str]]:
    """Each message, with its place."""
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        raise invalid("messages must be a list with at least one message", "messages")
    for at, message in enumerate(given):
        where = f"messages[{at}]"
        if not isinstance(message, dict):
            raise invalid("a message must be an object", where)
        yield message, where


def parts(content: Any, where: str) -> Iterator[tuple[Json, str]]:
    """The parts of a content, each with its place; a text alone is one part."""
    if isinstance(content, str):
        yield {"type": "text", "text": content}, where
    elif isinstance(content, list):
        for at, part in enumerate(content):
            if not isinstance(part, dict):
                raise invalid("a part of the content must be an object", f"{where}[{at}]")
            yield part, f"{where}[{at}]"
    elif content is not None:
        raise invalid("content must be a string or a list of parts", where)


def text_of(part: Json, where: str) -> str:
    """Of a text part, or of a refusal that came back."""
    return string(part, "refusal" if part.get("type") == "refusal" else "text", where)


def texts(content: Any, where: str) -> list[str]:
    """The texts of a content that can hold nothing else. Reasoning that nobody signed is passed over."""
    found = []
    for part, place in parts(content, where):
        if part.get("type") == "thinking":
            continue
        if part.get("type") not in ("text", "refusal"):
            raise invalid("only text can stand here", f"{place}.type")
        found.append(text_of(part, place))
    return found


def image_url(part: Json, where: str) -> str:
    given = part.get("image_url")
    url = given.get("url") if isinstance(given, dict) else given
    if not isinstance(url, str):
        raise invalid("url must be a string", f"{where}.image_url.url")
    return url


def unknown_part(part: Json, where: str) -> Exception:
    kind = str(part.get("type"))[:100]
    return invalid(f"content of type {quoted(kind)} cannot be told to this provider", f"{where}.type")


def calls(message: Json, where: str) -> Iterator[Call]:
    """The tool calls of an assistant's message."""
    if message.get("function_call"):
        raise invalid("function_call cannot be told to this provider; use tool_calls", f"{where}.function_call")
    for at, call in enumerate(message.get("tool_calls") or ()):
        place = f"{where}.tool_calls[{at}]"
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(call.get("id"), str):
            raise invalid("a tool call needs an id and a function", place)
        yield Call(call["id"], string(function, "name", f"{place}.function"), object_of(function.get("arguments")))


def answered(message: Json, where: str) -> str:
    """The id of the call that a tool's message answers."""
    called = message.get("tool_call_id")
    if not isinstance(called, str) or not called:
        raise invalid("a tool message needs the id of the call that it answers", f"{where}.tool_call_id")
    return called


def toolbox(body: Json) -> Toolbox:
    tools, choice = body.get("tools") or [], body.get("tool_choice")
    if not isinstance(tools, list):
        raise invalid("tools must be a list", "tools")
    made = Toolbox([_function(tool, f"tools[{at}]") for at, tool in enumerate(tools)])
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        allowed = choice.get("allowed_tools")
        if not isinstance(allowed, dict):
            raise invalid("allowed_tools must be an object", "tool_choice.allowed_tools")
        listed = allowed.get("tools")
        names = {_name(tool) for tool in listed} if isinstance(listed, list) else set()
        made.functions = [function for function in made.functions if function.name in names]
        choice = allowed.get("mode")
    if isinstance(choice, dict):
        made.name = _name(choice)
        if made.name not in [function.name for function in made.functions]:
            raise invalid("tool_choice names a function that is not among the tools", "tool_choice")
        made.choice = "named"
    elif choice in ("auto", "none", "required", "any"):
        made.choice = "required" if choice == "any" else choice
    elif choice is not None:
        raise invalid("tool_choice must be auto, required, none or a function's name", "tool_choice")
    return made


def stops(body: Json) -> list[str]:
    given = body.get("stop") or []
    words = [given] if isinstance(given, str) else given
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise invalid("stop must be a string or a list of strings", "stop")
    return words


def limit(body: Json) -> int | None:
    """The most tokens that the answer may have."""
    name = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    given = body.get(name)
    if given is not None and (not isinstance(given, int) or isinstance(given, bool) or given < 1):
        raise invalid(f"{name} must be a whole number of at least 1", name)
    return given


def number(body: Json, name: str) -> float | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise invalid(f"{name} must be a number", name)
    return value


def schema(body: Json) -> tuple[str, Json] | None:
    """Name and schema of the JSON that the answer shall be; None where any text will do."""
    form: Json = body.get("response_format") or {}
    if form.get("type") != "json_schema":
        return None
    named = form.get("json_schema")
    if not isinstance(named, dict) or not isinstance(named.get("schema"), dict):
        raise invalid("json_schema needs a schema", "response_format.json_schema.schema")
    return str(named.get("name") or "answer"), named["schema"]


def string(part: Json, name: str, where: str) -> str:
    value = part.get(name)
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string", f"{where}.{name}")
    return value


def _function(tool: Any, where: str) -> Function:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type", "function") != "function":
        raise invalid("only tools of type function can be told to this provider", f"{where}.type")
    parameters = function.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise invalid("parameters must be an object", f"{where}.function.parameters")
    return Function(
        name=string(function, "name", f"{where}.function"),
        description=str(function.get("description") or ""),
        parameters={"type": "object", "properties": {}, **parameters},
        strict=function.get("strict") is True,
        cache_control=tool.get("cache_control") or function.get("cache_control"),
    )


def _name(tool: Any) -> str | None:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def object_of(arguments: Any) -> Json:
    """What a model once wrote badly is kept as it was: the conversation must go on."""
    if not arguments:
        return {}
    try:
        parsed = loads(arguments) if isinstance(arguments, str) else arguments
    except NotJson:
        parsed = None
    return parsed if isinstance(parsed, dict) else {"INVALID_JSON": str(arguments)}
