"""The tools of a Messages request as chat functions, under names that every provider takes."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.core.quoting import quoted

LONGEST_NAME = 64  # OpenAI's limit; Anthropic's is 128
_CHOICES: Mapping[str, str] = {"auto": "auto", "any": "required", "none": "none"}


def short(name: str) -> str:
    """The name, or its beginning and a digest of the whole: the same one in every turn."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}_{blake2b(name.encode(), digest_size=4).hexdigest()}"


def functions(tools: Any, *, marks: bool = False) -> tuple[list[Json], dict[str, str]]:
    """The tools, and the real names of those whose names were cut. `marks`: with their `cache_control`.

    Raises:
        GatewayError: invalid_request, for the tools that only Anthropic can run or knows the arguments of.
    """
    made, names = [], {}
    for at, tool in enumerate(tools or ()):
        where = f"tools[{at}]"
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            raise invalid("a tool needs a name", f"{where}.name")
        if tool.get("type") not in (None, "custom"):
            raise invalid(f"the provider of this model has no tool {quoted(tool['type'])}", f"{where}.type")
        name = short(tool["name"])
        if name != tool["name"]:
            names[name] = tool["name"]
        function: Json = {"name": name, "parameters": tool.get("input_schema") or {"type": "object", "properties": {}}}
        if description := tool.get("description"):
            function["description"] = description
        if tool.get("strict"):
            function["strict"] = True
        kept = {"cache_control": tool["cache_control"]} if marks and tool.get("cache_control") else {}
        made.append({"type": "function", "function": function, **kept})
    return made, names


def choice(wanted: Any) -> Json:
    """`tool_choice` and `parallel_tool_calls`, as far as something is asked for."""
    if wanted is None:
        return {}
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    made: Json
    if kind == "tool" and isinstance(wanted.get("name"), str):
        made = {"tool_choice": {"type": "function", "function": {"name": short(wanted["name"])}}}
    elif isinstance(kind, str) and kind in _CHOICES:
        made = {"tool_choice": _CHOICES[kind]}
    else:
        raise invalid("tool_choice must be of type auto, any, none, or tool with a name", "tool_choice")
    if wanted.get("disable_parallel_tool_use"):
        made["parallel_tool_calls"] = False
    return made
