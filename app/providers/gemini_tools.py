"""The tools of a chat request in Gemini's form, and who may choose among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.providers.gemini_schema import is_empty, readable_schema

#: Tools that Google runs itself, as clients of its own API and of other gateways write them: `{"googleSearch": {}}`.
_OWN_TOOLS = frozenset(
    {
        "googleSearch",
        "google_search",
        "googleSearchRetrieval",
        "google_search_retrieval",
        "enterpriseWebSearch",
        "googleMaps",
        "google_maps",
        "urlContext",
        "url_context",
        "codeExecution",
        "code_execution",
    }
)
_MODES: Mapping[str, str] = {"auto": "AUTO", "required": "ANY", "any": "ANY", "none": "NONE", "validated": "VALIDATED"}


@dataclass(slots=True)
class Toolbox:
    """`tools` and `config` (toolConfig) as they are sent, and the fields that got lost."""

    tools: list[Json] = field(default_factory=list)
    config: Json | None = None
    dropped: list[str] = field(default_factory=list)


def toolbox(body: Json) -> Toolbox:
    """
    Raises:
        GatewayError: invalid_request, for a tool that is neither a function nor Google's, or a choice that is none.
    """
    made = Toolbox()
    tools, choice = body.get("tools") or [], body.get("tool_choice")
    if not isinstance(tools, list):
        raise invalid("tools must be a list", "tools")
    allowed: list[str] = []
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        given = choice.get("allowed_tools")
        if not isinstance(given, dict):
            raise invalid("allowed_tools must be an object", "tool_choice.allowed_tools")
        allowed = [name for tool in _list(given.get("tools")) if (name := _name(tool))]
        choice = given.get("mode")
        if choice != "required":  # only who must call can be told what
            tools = [tool for tool in tools if _name(tool) in allowed]
            allowed = []
    declared: list[Json] = []
    for at, tool in enumerate(tools):
        if own := _own(tool):
            made.tools.append(own)
        else:
            declared.append(_declaration(tool, f"tools[{at}]", made))
    if declared:
        made.tools.append({"functionDeclarations": declared})
        made.config = _config(choice, allowed)
    return made


def _own(tool: Any) -> Json | None:
    if not isinstance(tool, dict):
        return None
    given = {name: value for name, value in tool.items() if name != "type"}
    return given if given and given.keys() <= _OWN_TOOLS else None


def _declaration(tool: Any, where: str, made: Toolbox) -> Json:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type", "function") != "function":
        raise invalid("only tools of type function can be told to this provider", f"{where}.type")
    name = _name(tool)
    if name is None:
        raise invalid("name must be a string", f"{where}.function.name")
    sent: Json = {"name": name}
    if description := function.get("description"):
        sent["description"] = str(description)
    schema = function.get("parameters")
    if schema is not None and not isinstance(schema, dict):
        raise invalid("parameters must be an object", f"{where}.function.parameters")
    if schema and not is_empty(schema):
        sent["parametersJsonSchema"] = readable_schema({"type": "object", **schema})
    if function.get("strict") and "tools.function.strict" not in made.dropped:
        made.dropped.append("tools.function.strict")
    return sent


def _config(choice: Any, allowed: list[str]) -> Json | None:
    if isinstance(choice, dict) and choice.get("type", "function") == "function" and (name := _name(choice)):
        return {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [name]}}
    if choice is None:
        return None
    if not isinstance(choice, str) or choice not in _MODES:
        raise invalid("tool_choice must be auto, required, none or a function's name", "tool_choice")
    config: Json = {"mode": _MODES[choice]}
    if allowed:
        config["allowedFunctionNames"] = allowed
    return {"functionCallingConfig": config}


def _name(tool: Any) -> str | None:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
