"""Streams in OpenAI's language: events in, frames out, each of which validates as an official chunk.

Nearly every chunk of nearly every provider is right as it is. `feed` looks at the few places where that shows and hands
it on; whatever else comes, and every chunk that begins or ends something, takes the long way through `_take`.

The grammar that goes out: chunks of choices, one finish reason a choice; usage once, and only if it was asked for. A
provider that ends with [DONE] but forgot the finish reason gets one: it did say that it is done.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from app.core.errors import GatewayError
from app.core.json import Json, NotJson, loads
from app.core.usage import Usage
from app.core.wire import Ask, Event, Frame
from app.providers.openai_faults import NoAnswer
from app.providers.openai_parts import put_head
from app.providers.openai_usage import settle
from app.providers.openai_values import TIERS, failure_of, finish_of, put_tier

Fail = Callable[[Any], GatewayError]

_GOOD_TIERS = TIERS | {None}


class StreamReader:
    """What streams of chat and of text completions have in common."""

    __slots__ = (
        "_ask",
        "_every_usage",
        "_expected",
        "_fail",
        "_finished",
        "_held",
        "_id",
        "_seen",
        "_shows_usage",
        "_top",
        "_unshown",
        "complete",
        "done",
    )

    kind: str

    def __init__(self, ask: Ask, fail: Fail) -> None:
        options = ask.body.get("stream_options")
        self.complete = False
        self.done = False
        self._ask = ask
        self._fail = fail
        self._id: str | None = None  # of every chunk, once their heads have turned out to be right
        self._top: Json = {}  # head of the first chunk, for those of our own
        self._expected = self._choices_asked(ask.body)
        self._seen: set[int] = set()  # choices
        self._finished: set[int] = set()
        self._held: Json = {}  # of a chunk that said nothing else
        self._shows_usage = ask.wants_usage
        self._every_usage = isinstance(options, dict) and bool(options.get("continuous_usage_stats"))  # vLLM
        self._unshown: tuple[Json, Usage] | None = None  # usage that came before the end

    def feed(self, event: Event) -> Sequence[Frame]:
        data = event.data
        if data == b"[DONE]":
            return self.end()
        try:
            chunk = loads(data)
        except NotJson:
            if data.strip() in (b"", b"[DONE]"):  # a keep-alive, or an end with a space too many
                return self.end() if data.strip() else ()
            raise
        try:
            (choice,) = chunk["choices"]
            chars = None
            if (
                chunk["id"] == self._id
                and self._id is not None
                and chunk["object"] == self.kind
                and chunk["created"].__class__ is int
                and chunk["model"].__class__ is str
                and choice["index"] in self._seen
                and choice["index"].__class__ is int
                and choice.get("finish_reason") is None
                and choice.get("logprobs") is None
                and chunk.get("usage") is None
                and chunk.get("service_tier") in _GOOD_TIERS
                and "error" not in chunk
                and "message" not in choice
            ):
                chars = self._plain(choice)
        except (KeyError, TypeError, ValueError, AttributeError):
            chars = None
        if chars is None:
            return self._take(chunk, event.name)
        if not self._shows_usage:
            chunk.pop("usage", None)
        return (Frame(chunk, None, chars),)

    @abstractmethod
    def _plain(self, choice: Json) -> int | None:
        """Characters of a running choice that is right as it is; None for one that must be looked at."""

    @abstractmethod
    def _put(self, choice: Json, index: int, finish: str | None) -> tuple[int, list[Json]]:
        """Put a choice right but for its finish reason: its characters, and choices that must be shown before it."""

    @abstractmethod
    def _last(self, index: int) -> tuple[list[Json], Json]:
        """A choice that ends one whose end was forgotten, and those that must be shown before it."""

    @abstractmethod
    def _mint(self) -> str:
        """An id for a stream without one."""

    def _choices_asked(self, body: Json) -> int:
        n = body.get("n")
        return n if isinstance(n, int) and n > 0 else 1

    def _take(self, chunk: Any, event_name: bytes | None) -> Sequence[Frame]:
        choices = self._choices(chunk, event_name)
        if self.done:
            return ()
        usage = self._usage(chunk)
        before: list[Json] = []
        chars, finish, again = self._put_all(choices, before)
        self.complete = self.complete or 0 < self._expected <= len(self._finished)
        if self._show(chunk, usage) or "moderation" in chunk or (choices and (chars or finish or not again)):
            self._head(chunk)
            shown = Frame(chunk, chars=chars, finish=finish, usage=usage)
            return (self._made(before), shown) if before else (shown,)
        if "prompt_filter_results" in chunk:  # Azure's first chunk: kept for the one that says something
            self._held["prompt_filter_results"] = chunk["prompt_filter_results"]
        return (Frame(None, usage=usage),) if usage is not None else ()

    def _choices(self, chunk: Any, event_name: bytes | None) -> list[Json]:
        """Raises NoAnswer, or what the provider says went wrong."""
        if not isinstance(chunk, dict):
            raise NoAnswer("an event is not an object")
        if chunk.get("error") or event_name == b"error":
            if not self.complete:
                raise self._fail(chunk)
            chunk.pop("error", None)  # what comes after the finish reason takes nothing back
        choices = chunk.get("choices")
        if choices is None and isinstance(chunk.get("usage"), dict):
            choices = chunk["choices"] = []
        if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
            raise NoAnswer("an event has no choices")
        return choices

    def _put_all(self, choices: list[Json], before: list[Json]) -> tuple[int, str | None, bool]:
        """Their characters, the finish reason if one ends, and whether one ends that had ended before."""
        chars, finish, again = 0, None, False
        for place, choice in enumerate(choices):
            reason = self._reason(choice)
            index = choice.get("index")
            if index.__class__ is not int:
                index = choice["index"] = place
            if reason is not None and index in self._finished:
                reason, again = None, True
            said, first = self._put(choice, index, reason)
            chars += said
            before += first
            choice["finish_reason"] = reason
            self._seen.add(index)
            if reason is not None:
                finish = reason
                self._finished.add(index)
        return chars, finish, again

    def _reason(self, choice: Json) -> str | None:
        if failure := failure_of(choice):
            raise self._fail({"error": failure})
        return finish_of(choice.get("finish_reason"))

    def _usage(self, chunk: Json) -> Usage | None:
        raw = chunk.get("usage")
        if isinstance(raw, dict) and raw:
            return settle(raw)
        groq = chunk.get("x_groq")
        if not isinstance(groq, dict) or not isinstance(groq.get("usage"), dict):
            return None
        copy = dict(groq["usage"])
        usage = settle(copy)
        if self._shows_usage:  # Groq says it there alone where it was not asked
            self._unshown = (copy, usage)
        return usage

    def _show(self, chunk: Json, usage: Usage | None) -> bool:
        """Leave the usage in the chunk if this is the place for it, else take it out."""
        raw = chunk.get("usage")
        if not isinstance(raw, dict) or not raw:
            if "usage" in chunk and (raw is not None or not self._shows_usage):
                del chunk["usage"]
            return False
        if self._shows_usage and self._every_usage:
            return True
        if self._shows_usage and self.complete:
            self._shows_usage = False  # once: Groq and OpenRouter say it twice
            self._unshown = None
            return True
        del chunk["usage"]
        if self._shows_usage and usage is not None:
            self._unshown = (raw, usage)
        return False

    def _head(self, chunk: Json) -> None:
        given = (chunk.get("id"), chunk.get("object"), chunk.get("created"), chunk.get("model"))
        name = self._top.get("id")
        if name is not None:
            chunk["id"] = name
        put_head(chunk, self.kind, self._mint, self._ask.created, self._ask.body.get("model", ""))
        if "service_tier" in chunk:
            put_tier(chunk)
        if not self._top:
            self._top = {part: chunk[part] for part in ("id", "object", "created", "model")}
            if given == tuple(self._top.values()):
                self._id = given[0]
        if self._held and chunk["choices"]:
            chunk.update({part: value for part, value in self._held.items() if part not in chunk})
            self._held = {}

    def _made(self, choices: list[Json]) -> Frame:
        """A chunk of our own, before one that has had its head put right."""
        said = sum(len(call["function"]["arguments"]) for choice in choices for call in choice["delta"]["tool_calls"])
        return Frame({**self._top, "choices": choices}, chars=said)

    def end(self) -> Sequence[Frame]:
        if self.done:
            return ()
        self.done = True
        if not self._seen:  # an end without an answer
            return ()
        frames: list[Frame] = []
        for index in sorted(self._seen - self._finished):
            before, last = self._last(index)
            if before:
                frames.append(self._made(before))
            frames.append(Frame({**self._top, "choices": [last]}, finish=last["finish_reason"]))
        if self._unshown is not None:
            raw, usage = self._unshown
            frames.append(Frame({**self._top, "choices": [], "usage": raw}, usage=usage))
        self.complete = True
        frames.append(Frame(None, last=True))
        return frames
