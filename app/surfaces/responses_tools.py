"""The tools of a Responses request as chat functions."""

from __future__ import annotations

from typing import Any

from app.core.errors import GatewayError, invalid
from app.core.json import Json
from app.core.quoting import quoted
from app.surfaces.checks import FLAG, TEXT

_MODES = ("none", "auto", "required")


def functions(tools: Any) -> list[Json]:
    """Raises GatewayError (invalid_request) for the tools that their provider would have to run itself."""
    made = []
    for place, tool in enumerate(tools or ()):
        where = f"tools[{place}]"
        if tool.get("type") != "function":
            kind = str(tool.get("type"))[:100]
            message = f"the provider of this model has no tool {quoted(kind)}; only functions can be given to it"
            raise invalid(message, f"{where}.type", code="unsupported_value")
        if not isinstance(tool.get("name"), str) or not tool["name"]:
            raise invalid("a function needs a name", f"{where}.name")
        if not isinstance(tool.get("parameters"), dict | None):
            raise invalid("parameters must be an object", f"{where}.parameters")
        parameters = tool.get("parameters") or {"type": "object", "properties": {}}
        function: Json = {"name": tool["name"], "parameters": parameters}
        for name, rule in (("description", TEXT), ("strict", FLAG)):
            if tool.get(name) is not None:
                if not rule.holds(tool[name]):
                    raise invalid(f"{name} must be {rule.expected}", f"{where}.{name}")
                function[name] = tool[name]
        made.append({"type": "function", "function": function})
    return made


def choice(wanted: Any, tools: list[Json]) -> tuple[str | Json | None, list[Json]]:
    """What to choose, None where nothing is said, and the tools from which: a choice may allow only some of them."""
    if wanted is None:
        return None, tools
    if isinstance(wanted, str):
        if wanted not in _MODES:
            raise invalid(f"tool_choice must be one of {', '.join(_MODES)}, or an object", "tool_choice")
        return wanted, tools
    kind = wanted.get("type")
    if kind == "function" and isinstance(wanted.get("name"), str):
        return {"type": "function", "function": {"name": wanted["name"]}}, tools
    if kind == "allowed_tools":
        return _allowed(wanted, tools)
    raise _cannot(kind)


def _allowed(wanted: Json, tools: list[Json]) -> tuple[str, list[Json]]:
    mode, given = wanted.get("mode"), wanted.get("tools")
    if mode not in ("auto", "required") or not isinstance(given, list):
        raise invalid("allowed_tools needs a mode, auto or required, and a list of tools", "tool_choice")
    names = {each.get("name") for each in given if isinstance(each, dict) and each.get("type") == "function"}
    if len(names) != len(given):
        raise _cannot("allowed_tools of other types than function")
    return mode, [tool for tool in tools if tool["function"]["name"] in names]


def _cannot(kind: Any) -> GatewayError:
    message = f"the provider of this model cannot be told to choose {quoted(kind)}"
    return invalid(message, "tool_choice", code="unsupported_value")
