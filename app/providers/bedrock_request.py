"""An OpenAI chat request as a Converse request, which is one for all models on Bedrock but for what it leaves to them
(`additionalModelRequestFields`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.core.errors import invalid
from app.core.json import Json, dumps
from app.providers import chat_request, fields
from app.providers.anthropic_schema import supported_schema
from app.providers.anthropic_thinking import Plan, plan, wished
from app.providers.bedrock_history import History, cache_point, history
from app.providers.bedrock_models import Family, family
from app.providers.chat_request import Function, Toolbox
from app.providers.claude import Thinking
from app.providers.claude_sampling import sampled

_AS_THEY_ARE = ("guardrailConfig", "performanceConfig")
_TIERS = ("priority", "flex", "reserved", "default")
_METADATA = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}")
_THEIRS: Mapping[str, str] = {"temperature": "temperature", "top_p": "topP"}


def to_converse(body: Json, model: str, max_output: int | None = None) -> tuple[Json, tuple[str, ...]]:
    """The request in Converse's form, without the model, and the names of the fields that got lost on the way.

    Raises:
        GatewayError: invalid_request, naming what cannot be left out and cannot be said.
    """
    return _Writer(body, family(model, max_output)).write()


class _Writer:
    """One translation under way: `made`, `inference` and `own` (the model's own fields) grow, `dropped` grows."""

    def __init__(self, body: Json, of: Family) -> None:
        self.body = body
        self.family = of
        self.dropped = list(fields.check(body, "bedrock"))
        self.made: Json = {}
        self.inference: Json = {}
        self.own: Json = {}

    def write(self) -> tuple[Json, tuple[str, ...]]:
        box = chat_request.toolbox(self.body)
        limit = chat_request.limit(self.body)
        intent, written = self._planned(limit, forced=box.forced)
        self.made["messages"] = written.messages
        if written.system:
            self.made["system"] = written.system
        if limit is not None:
            self.inference["maxTokens"] = limit
        elif intent.thinking and "budget_tokens" in intent.thinking and self.family.claude:
            self.inference["maxTokens"] = self.family.claude.max_tokens  # the default may be below the budget
        self._sampling(thinks=intent.on)
        self._stop()
        self._tools(box, written)
        self._thinking(intent)
        self._form()
        self._about()
        if written.unmarked:
            self.dropped.append("cache_control")
        return self._whole(), tuple(dict.fromkeys(self.dropped))

    def _whole(self) -> Json:
        if self.inference:
            self.made["inferenceConfig"] = self.inference
        given = self.body.get("additionalModelRequestFields")
        own = {**self.own, **given} if isinstance(given, dict) else self.own
        if own:
            self.made["additionalModelRequestFields"] = own
        return {**self.made, **{name: self.body[name] for name in _AS_THEY_ARE if self.body.get(name) is not None}}

    def _planned(self, limit: int | None, *, forced: bool) -> tuple[Plan, History]:
        row = self.family.claude
        if row is None:
            return Plan(), self._history(Plan())
        intent = plan(self.body, row, limit or row.max_tokens, forced=forced)
        written = self._history(intent)
        if intent.thinking and row.thinking is Thinking.BUDGET and written.unfinished_without_thinking:
            # a turn that began without thinking cannot go on with it
            intent = Plan(lost=wished(self.body).name)
            written = self._history(intent)
        return intent, written

    def _history(self, intent: Plan) -> History:
        return history(self.body, caches=self.family.caches, thinking=intent.sees_thinking)

    def _thinking(self, intent: Plan) -> None:
        wish = wished(self.body)
        if intent.thinking:
            self.own["thinking"] = dict(intent.thinking)
        if intent.effort:
            self.own["output_config"] = {"effort": intent.effort}
        if intent.lost:
            self.dropped.append(intent.lost)
        if self.family.claude is None and wish.on is not None:
            told = self.family.wants_effort(wish)
            self.own |= told or {}
            if told is None and wish.on:
                self.dropped.append(wish.name)

    def _sampling(self, *, thinks: bool) -> None:
        names = ("temperature", "top_p", "top_k")
        given = {name: value for name in names if (value := chat_request.number(self.body, name)) is not None}
        if self.family.claude is not None:
            given, lost = sampled(given, self.family.claude, thinks=thinks)
            self.dropped += lost
        elif given.get("temperature", 0) > 1:
            given["temperature"] = 1
            self.dropped.append("temperature")
        if "top_k" in given:
            told = self.family.wants_top_k(given.pop("top_k"))
            self.own |= told or {}
            if told is None:
                self.dropped.append("top_k")
        self.inference |= {_THEIRS[name]: value for name, value in given.items()}

    def _stop(self) -> None:
        words = chat_request.stops(self.body)
        if kept := [word for word in words if word.strip()]:
            self.inference["stopSequences"] = kept
        if len(kept) < len(words):
            self.dropped.append("stop")

    def _tools(self, box: Toolbox, written: History) -> None:
        """There is no word for `none`: no tool is offered then, unless the conversation has used some, which must stay
        declared."""
        used = written.tools_used
        functions = box.functions if box.choice != "none" or used else []
        tools = [block for each in functions for block in self._tool(each)]
        if not tools and used:
            tools = [{"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}} for name in used]
        if not tools:
            return
        self.made["toolConfig"] = {"tools": tools}
        if box.choice == "none":
            self.dropped.append("tool_choice")
        elif box.choice == "named":
            self.made["toolConfig"]["toolChoice"] = {"tool": {"name": box.name}}
        elif box.choice is not None:
            self.made["toolConfig"]["toolChoice"] = {"any" if box.choice == "required" else "auto": {}}

    def _tool(self, function: Function) -> list[Json]:
        schema, strict = function.parameters, False
        if function.strict and self.family.claude is not None and self.family.claude.strict_tools:
            schema, strict = supported_schema(schema), True
        elif function.strict:
            self.dropped.append("tools.function.strict")
        spec: Json = {"name": function.name, "inputSchema": {"json": schema}}
        if function.description.strip():
            spec["description"] = function.description
        if strict:
            spec["strict"] = True
        if not function.cache_control:
            return [{"toolSpec": spec}]
        if not self.family.caches:
            self.dropped.append("cache_control")
            return [{"toolSpec": spec}]
        return [{"toolSpec": spec}, cache_point(function.cache_control)]

    def _form(self) -> None:
        if named := chat_request.schema(self.body):
            name, schema = named
            if self.family.claude is not None:
                schema = supported_schema(schema)
            written = {"name": name, "schema": dumps(schema).decode()}
            form = {"type": "json_schema", "structure": {"jsonSchema": written}}
            self.made["outputConfig"] = {"textFormat": form}

    def _about(self) -> None:
        """Whom it is for, and how soon."""
        told: Json = {}
        metadata = self.body.get("metadata") or {}
        if not isinstance(metadata, dict):
            raise invalid("metadata must be an object", "metadata")
        for name, value in metadata.items():
            self._tell(told, str(name), value, "metadata")
        name = "safety_identifier" if self.body.get("safety_identifier") else "user"
        if user := self.body.get(name):
            self._tell(told, "user", user, name)
        if told:
            self.made["requestMetadata"] = told
        if (tier := self.body.get("service_tier")) in _TIERS:
            self.made["serviceTier"] = {"type": tier}
        elif tier not in (None, "auto"):
            self.dropped.append("service_tier")

    def _tell(self, told: Json, name: str, value: Any, of: str) -> None:
        if isinstance(value, str) and _METADATA.fullmatch(value) and _METADATA.fullmatch(name) and len(told) < 16:
            told[name] = value
        else:
            self.dropped.append(of)
