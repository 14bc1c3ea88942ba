"""The tools of a chat request in Anthropic's form, and who may choose among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.providers.anthropic_schema import supported_schema

_OWN_TOOL = re.compile(r"[a-z_]+_\d{8}")  # Anthropic's own tools carry their version: web_search_20250305
_CHOICES: Mapping[str, str] = {"auto": "auto", "required": "any", "any": "any", "none": "none"}


@dataclass(slots=True)
class Toolbox:
    """`tools` and `tool_choice` as they are sent, and the fields that got lost."""

    tools: list[Json] = field(default_factory=list)
    choice: Json | None = None
    dropped: list[str] = field(default_factory=list)

    @property
    def forced(self) -> bool:
        """Whether the model must call a tool."""
        return self.choice is not None and self.choice["type"] in ("any", "tool")

    def declare(self, used: tuple[str, ...]) -> None:
        """Anthropic wants the tools that a conversation has used declared, also where none is offered any more."""
        if used and not self.tools:
            self.tools = [{"name": name, "input_schema": {"type": "object"}} for name in used]
            self.choice = {"type": "none"}


def toolbox(body: Json, *, strict: bool) -> Toolbox:
    """`strict`: the model can hold itself to a schema.

    Raises:
        GatewayError: invalid_request, for a tool that is no function, or a choice that is none.
    """
    made = Toolbox()
    tools, choice = body.get("tools") or [], body.get("tool_choice")
    if not isinstance(tools, list):
        raise invalid("tools must be a list", "tools")
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        allowed = _object(choice.get("allowed_tools"), "tool_choice.allowed_tools")
        names = {_name(tool) for tool in _list(allowed.get("tools"))}
        tools = [tool for tool in tools if _name(tool) in names]
        choice = allowed.get("mode")
    if not tools:  # Anthropic takes no choice without tools
        return made
    made.tools = [_tool(tool, f"tools[{at}]", made, strict=strict) for at, tool in enumerate(tools)]
    made.choice = _choice(choice)
    if body.get("parallel_tool_calls") is False and made.choice != {"type": "none"}:
        made.choice = {**(made.choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    return made


def _tool(tool: Any, where: str, made: Toolbox, *, strict: bool) -> Json:
    if isinstance(tool, dict) and _OWN_TOOL.fullmatch(str(tool.get("type"))):
        return tool
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type", "function") != "function":
        raise invalid("only tools of type function can be told to this provider", f"{where}.type")
    name = _name(tool)
    if name is None:
        raise invalid("name must be a string", f"{where}.function.name")
    schema: Json = {"type": "object", "properties": {}}
    schema |= _object(function.get("parameters"), f"{where}.function.parameters")
    sent: Json = {"name": name, "input_schema": schema}
    if description := function.get("description"):
        sent["description"] = str(description)
    if function.get("strict") and strict:
        sent |= {"strict": True, "input_schema": supported_schema(schema)}
    elif function.get("strict"):
        made.dropped.append("tools.function.strict")
    if mark := tool.get("cache_control") or function.get("cache_control"):
        sent["cache_control"] = mark
    return sent


def _choice(choice: Any) -> Json | None:
    if choice is None:
        return None
    if isinstance(choice, dict) and choice.get("type", "function") == "function" and (name := _name(choice)):
        return {"type": "tool", "name": name}
    if isinstance(choice, str) and choice in _CHOICES:
        return {"type": _CHOICES[choice]}
    raise invalid("tool_choice must be auto, required, none or a function's name", "tool_choice")


def _name(tool: Any) -> str | None:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def _object(value: Any, where: str) -> Json:
    if value is None or isinstance(value, dict):
        return value or {}
    raise invalid(f"{where.rpartition('.')[2]} must be an object", where)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
