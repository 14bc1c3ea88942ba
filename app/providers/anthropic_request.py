"""An OpenAI chat request as an Anthropic Messages request."""

from __future__ import annotations

import re
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.providers import fields
from app.providers.anthropic_history import History, history
from app.providers.anthropic_schema import supported_schema
from app.providers.anthropic_thinking import Plan, plan
from app.providers.claude import Claude, Sampling, Thinking, claude

_OWN_TOOL = re.compile(r"[a-z_]+_\d{8}")  # Anthropic's own tools carry their version: web_search_20250305
_TIERS = {"auto": "auto", "default": "standard_only"}
_CHOICES = {"auto": "auto", "required": "any", "any": "any", "none": "none"}
_THINKING_TOP_P = 0.95  # the least that is taken together with thinking


def to_messages(body: Json, model: str) -> tuple[Json, tuple[str, ...]]:
    """The request in Anthropic's form, and the names of the fields that got lost on the way.

    Raises:
        GatewayError: invalid_request, naming what cannot be left out and cannot be said.
    """
    return _Writer(body, model, claude(model)).write()


class _Writer:
    """One translation under way: `made` grows, `dropped` grows."""

    def __init__(self, body: Json, model: str, row: Claude) -> None:
        self.body = body
        self.row = row
        self.dropped = list(fields.check(body, "anthropic"))
        self.made: Json = {"model": model}

    def write(self) -> tuple[Json, tuple[str, ...]]:
        body, made = self.body, self.made
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        made["max_tokens"] = max_tokens = limit or self.row.max_tokens
        self._tools()
        forced = made.get("tool_choice", {}).get("type") in ("any", "tool")
        intent = plan(body, self.row, max_tokens, forced=forced)
        written = self._history(intent)
        if intent.thinking and self.row.thinking is Thinking.BUDGET and written.unfinished_without_thinking:
            # a turn that began without thinking cannot go on with it
            intent = Plan(lost="thinking" if body.get("reasoning_effort") is None else "reasoning_effort")
            written = self._history(intent)
        self._thinking(intent)
        if written.system:
            made["system"] = written.system
        made["messages"] = written.messages
        self._tools_of(written)
        self._sampling(thinks=intent.on)
        self._rest()
        return made, tuple(dict.fromkeys(self.dropped))

    def _history(self, intent: Plan) -> History:
        return history(self.body.get("messages"), system_later=self.row.system_later, thinking=intent.sees_thinking)

    def _thinking(self, intent: Plan) -> None:
        if intent.thinking:
            self.made["thinking"] = intent.thinking
        if intent.effort:
            self._output("effort", intent.effort)
        if intent.lost:
            self.dropped.append(intent.lost)

    def _output(self, name: str, value: Any) -> None:
        self.made.setdefault("output_config", {})[name] = value

    def _tools(self) -> None:
        tools = self.body.get("tools") or []
        choice = self.body.get("tool_choice")
        if not isinstance(tools, list):
            raise invalid("tools must be a list", "tools")
        if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
            allowed = choice.get("allowed_tools") or {}
            names = [(tool.get("function") or {}).get("name") for tool in allowed.get("tools") or ()]
            tools = [tool for tool in tools if (tool.get("function") or {}).get("name") in names]
            choice = allowed.get("mode")
        if not tools:  # Anthropic takes no choice without tools
            return
        self.made["tools"] = [self._tool(tool, f"tools[{at}]") for at, tool in enumerate(tools)]
        made = _choice(choice)
        if self.body.get("parallel_tool_calls") is False and made != {"type": "none"}:
            made = {**(made or {"type": "auto"}), "disable_parallel_tool_use": True}
        if made:
            self.made["tool_choice"] = made

    def _tool(self, tool: Any, where: str) -> Json:
        if isinstance(tool, dict) and _OWN_TOOL.fullmatch(str(tool.get("type"))):
            return tool
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type", "function") != "function":
            raise invalid("only tools of type function can be told to this provider", f"{where}.type")
        if not isinstance(function.get("name"), str):
            raise invalid("name must be a string", f"{where}.function.name")
        schema = function.get("parameters") or {}
        made: Json = {"name": function["name"], "input_schema": {"type": "object", "properties": {}, **schema}}
        if description := function.get("description"):
            made["description"] = description
        if function.get("strict"):
            if self.row.strict_tools:
                made["strict"] = True
                made["input_schema"] = supported_schema(made["input_schema"])
            else:
                self.dropped.append("tools.function.strict")
        if mark := tool.get("cache_control") or function.get("cache_control"):
            made["cache_control"] = mark
        return made

    def _tools_of(self, written: History) -> None:
        """Anthropic wants every tool that the conversation has used declared, also where none may be called."""
        if "tools" not in self.made and (used := written.tools_used):
            self.made["tools"] = [{"name": name, "input_schema": {"type": "object"}} for name in used]
            self.made["tool_choice"] = {"type": "none"}

    def _sampling(self, *, thinks: bool) -> None:
        """What the model takes of temperature, top_p and top_k; OpenAI's temperatures go to 2, Anthropic's to 1."""
        given = {name: self.body[name] for name in ("temperature", "top_p", "top_k") if self.body.get(name) is not None}
        for name, value in given.items():
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise invalid(f"{name} must be a number", name)
        kept = dict(given)
        if self.row.sampling is Sampling.NONE:
            kept = {}
        elif thinks:
            kept = {"top_p": given["top_p"]} if given.get("top_p", 0) >= _THINKING_TOP_P else {}
        elif self.row.sampling is Sampling.ONE and "temperature" in kept:
            kept.pop("top_p", None)
        if kept.get("temperature", 0) > 1:
            kept["temperature"] = 1
        self.made.update(kept)
        self.dropped += [name for name, value in given.items() if kept.get(name, 1) != value]

    def _rest(self) -> None:
        body, made = self.body, self.made
        if stop := body.get("stop"):
            stops = [word for word in ([stop] if isinstance(stop, str) else stop) if word.strip()]
            if stops:
                made["stop_sequences"] = stops
            else:
                self.dropped.append("stop")
        form = body.get("response_format") or {}
        if form.get("type") == "json_schema":
            schema = (form.get("json_schema") or {}).get("schema") or {"type": "object", "properties": {}}
            self._output("format", {"type": "json_schema", "schema": supported_schema(schema)})
        self._user()
        if tier := body.get("service_tier"):
            if tier in _TIERS:
                made["service_tier"] = _TIERS[tier]
            else:
                self.dropped.append("service_tier")
        if mark := body.get("cache_control"):
            made["cache_control"] = mark

    def _user(self) -> None:
        name = "safety_identifier" if self.body.get("safety_identifier") else "user"
        if user := self.body.get(name):
            if isinstance(user, str) and "@" not in user:  # it must not tell who somebody is
                self.made["metadata"] = {"user_id": user}
            else:
                self.dropped.append(name)


def _choice(choice: Any) -> Json | None:
    if choice is None:
        return None
    if isinstance(choice, dict):
        name = (choice.get("function") or {}).get("name")
        if choice.get("type", "function") == "function" and isinstance(name, str):
            return {"type": "tool", "name": name}
    elif isinstance(choice, str) and choice in _CHOICES:
        return {"type": _CHOICES[choice]}
    raise invalid("tool_choice must be auto, required, none or a function's name", "tool_choice")
