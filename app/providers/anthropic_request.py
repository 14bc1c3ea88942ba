"""An OpenAI chat request as an Anthropic Messages request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.errors import invalid
from app.core.json import Json
from app.providers import fields
from app.providers.anthropic_history import History, history
from app.providers.anthropic_schema import supported_schema
from app.providers.anthropic_thinking import Plan, plan
from app.providers.anthropic_tools import toolbox
from app.providers.claude import Claude, Thinking, claude
from app.providers.claude_sampling import sampled

_TIERS: Mapping[str, str] = {"auto": "auto", "default": "standard_only"}


def to_messages(body: Json, model: str, max_output: int | None = None) -> tuple[Json, tuple[str, ...]]:
    """The request in Anthropic's form, and the names of the fields that got lost on the way.

    `max_output`: its longest answer, in tokens, where the configuration knows better than our table.

    Raises:
        GatewayError: invalid_request, naming what cannot be left out and cannot be said.
    """
    return _Writer(body, model, claude(model, max_output)).write()


class _Writer:
    """One translation under way: `made` grows, `dropped` grows."""

    def __init__(self, body: Json, model: str, row: Claude) -> None:
        self.body = body
        self.row = row
        self.dropped = list(fields.check(body, "anthropic"))
        self.made: Json = {"model": model}

    def write(self) -> tuple[Json, tuple[str, ...]]:
        made = self.made
        made["max_tokens"] = max_tokens = self._max_tokens()
        box = toolbox(self.body, strict=self.row.strict_tools)
        intent, written = self._planned(max_tokens, forced=box.forced)
        box.declare(written.tools_used)
        self.dropped += box.dropped
        self._thinking(intent)
        if written.system:
            made["system"] = written.system
        made["messages"] = written.messages
        if box.tools:
            made["tools"] = box.tools
        if box.choice:
            made["tool_choice"] = box.choice
        self._sampling(thinks=intent.on)
        self._stop()
        self._form()
        self._user()
        self._tier()
        if mark := self.body.get("cache_control"):
            made["cache_control"] = mark
        return made, tuple(dict.fromkeys(self.dropped))

    def _max_tokens(self) -> int:
        """Anthropic must be told; where the client says nothing the model may answer as long as it can."""
        name = "max_completion_tokens" if self.body.get("max_completion_tokens") is not None else "max_tokens"
        limit = self.body.get(name)
        if limit is None:
            return self.row.max_tokens
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise invalid(f"{name} must be a whole number of at least 1", name)
        return limit

    def _planned(self, max_tokens: int, *, forced: bool) -> tuple[Plan, History]:
        intent = plan(self.body, self.row, max_tokens, forced=forced)
        written = self._history(intent)
        if intent.thinking and self.row.thinking is Thinking.BUDGET and written.unfinished_without_thinking:
            # a turn that began without thinking cannot go on with it
            intent = Plan(lost="thinking" if self.body.get("reasoning_effort") is None else "reasoning_effort")
            written = self._history(intent)
        return intent, written

    def _history(self, intent: Plan) -> History:
        return history(self.body.get("messages"), system_later=self.row.system_later, thinking=intent.sees_thinking)

    def _thinking(self, intent: Plan) -> None:
        if intent.thinking:
            self.made["thinking"] = dict(intent.thinking)
        if intent.effort:
            self._output("effort", intent.effort)
        if intent.lost:
            self.dropped.append(intent.lost)

    def _output(self, name: str, value: Any) -> None:
        self.made.setdefault("output_config", {})[name] = value

    def _sampling(self, *, thinks: bool) -> None:
        given = {name: self.body[name] for name in ("temperature", "top_p", "top_k") if self.body.get(name) is not None}
        for name, value in given.items():
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise invalid(f"{name} must be a number", name)
        kept, lost = sampled(given, self.row, thinks=thinks)
        self.made.update(kept)
        self.dropped += lost

    def _stop(self) -> None:
        stop = self.body.get("stop") or []
        words = [stop] if isinstance(stop, str) else stop
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise invalid("stop must be a string or a list of strings", "stop")
        if kept := [word for word in words if word.strip()]:  # Anthropic refuses white space alone
            self.made["stop_sequences"] = kept
        if len(kept) < len(words):
            self.dropped.append("stop")

    def _form(self) -> None:
        form = self.body.get("response_format") or {}
        if form.get("type") != "json_schema":
            return
        named = form.get("json_schema")
        schema = named.get("schema") if isinstance(named, dict) else None
        if not isinstance(schema, dict):
            raise invalid("json_schema needs a schema", "response_format.json_schema.schema")
        self._output("format", {"type": "json_schema", "schema": supported_schema(schema)})

    def _user(self) -> None:
        name = "safety_identifier" if self.body.get("safety_identifier") else "user"
        if user := self.body.get(name):
            if isinstance(user, str) and "@" not in user:  # it must not tell who somebody is
                self.made["metadata"] = {"user_id": user}
            else:
                self.dropped.append(name)

    def _tier(self) -> None:
        if tier := self.body.get("service_tier"):
            if isinstance(tier, str) and tier in _TIERS:
                self.made["service_tier"] = _TIERS[tier]
            else:
                self.dropped.append("service_tier")
