"""Answers of providers that speak the Responses API themselves: as they are, but for what would not validate.

A stream is a series of typed events that ends in one of three: completed, incomplete, failed. The first two mark it
complete; what fails, in that event or in an `error`, is raised, so that it is told, repeated or passed on like any
other failure. One that ends in none of them was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.core.ids import OUR_THOUGHTS, item_id, response_id
from app.core.json import Json, loads
from app.core.usage import Usage
from app.core.wire import Ask, Event, Frame, is_event_name
from app.providers.openai_faults import Failed, NoAnswer
from app.providers.openai_stream import Fail
from app.providers.openai_usage import settle_response

_TEXT_DELTA = "response.output_text.delta"
_ENDS = ("response.completed", "response.incomplete")
_WITH_LOGPROBS = (_TEXT_DELTA, "response.output_text.done")
_EXTRA = "extra_content"
_MOST_EVENTS = 2**53  # of a stream: what counts further is no number of JSON's any more
_ITEMS = ("response.output_item.added", "response.output_item.done")

#: Items that the model writes, whose characters come in deltas; all others are work of the provider's own tools.
_WRITTEN = ("message", "reasoning", "function_call", "custom_tool_call")

#: What every response repeats of its request: of which types it is, and what is meant where nothing was said.
_REPEATED: Mapping[str, tuple[tuple[type, ...], Callable[[], Any]]] = {
    "parallel_tool_calls": ((bool,), lambda: True),
    "tool_choice": ((str, dict), lambda: "auto"),
    "tools": ((list,), list),
}


def without_strangers(body: Json) -> tuple[str, ...]:
    """Leave out of a request (already a copy, of its top level only) what the gateway gave out for another provider.

    A conversation may begin where it was translated and go on here, where thoughts that nobody keeps are looked for in
    vain and a field beside a call is unknown. Gives the names of what is left out.
    """
    given = body.get("input")
    if not isinstance(given, list):
        return ()
    kept = [item for item in given if not _is_ours(item)]
    thoughts = len(kept) < len(given)
    signed = [_EXTRA in item if isinstance(item, dict) else False for item in kept]
    if any(signed):
        kept = [
            {name: item[name] for name in item if name != _EXTRA} if has else item
            for item, has in zip(kept, signed, strict=True)
        ]
    if thoughts or any(signed):
        body["input"] = kept
    return (*(("input[].reasoning",) if thoughts else ()), *((f"input[].{_EXTRA}",) if any(signed) else ()))


def _is_ours(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == "reasoning" and str(item.get("id")).startswith(OUR_THOUGHTS)


def response_answer(ask: Ask, body: Json) -> Frame:
    """Raises NoAnswer where the body is not a response, Failed where it says that there is none."""
    if body.get("error") or body.get("status") == "failed":
        raise Failed(body if body.get("error") else {"error": {"message": "the response failed"}})
    if not isinstance(body.get("output"), list):
        raise NoAnswer("the body has no output")
    put_response(body, ask)
    chars = sum(_chars_of(item) for item in body["output"])
    return Frame(body, chars=chars, finish=_finish(body), usage=settle_response(body), last=True)


def put_response(body: Json, ask: Ask) -> None:
    """Fill what a response needs to validate, in place."""
    body["object"] = "response"
    if not isinstance(body.get("id"), str) or not body["id"]:
        body["id"] = response_id()
    if body.get("created_at").__class__ not in (int, float):
        body["created_at"] = ask.created
    if not isinstance(body.get("model"), str) or not body["model"]:
        body["model"] = ask.body.get("model", "")
    for name, (kinds, default) in _REPEATED.items():
        if not isinstance(body.get(name), kinds):
            body[name] = ask.body[name] if isinstance(ask.body.get(name), kinds) else default()
    output = body.get("output")
    body["output"] = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    for item in body["output"]:
        put_item(item)
        if item.get("type") == "message" and not isinstance(item.get("id"), str):
            item["id"] = item_id("msg")


def put_item(item: Json) -> None:
    """The same for one item of an output."""
    kind = item.get("type")
    if kind == "message":
        item.setdefault("status", "completed")
        item["role"] = "assistant"
        content = item.get("content")
        item["content"] = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
        for part in item["content"]:
            put_part(part)
    elif kind == "reasoning":
        if not isinstance(item.get("summary"), list):
            item["summary"] = []
    elif kind == "function_call" and not isinstance(item.get("arguments"), str):
        item["arguments"] = ""


def put_part(part: Json) -> None:
    """The same for one part of a message."""
    if part.get("type") == "output_text":
        if not isinstance(part.get("annotations"), list):
            part["annotations"] = []
        if not isinstance(part.get("text"), str):
            part["text"] = ""


class ResponsesReader:
    """Reads a stream of typed events. `complete` once the provider has said how its answer ended."""

    __slots__ = ("_ask", "_fail", "_next", "_spoken", "complete", "done")

    def __init__(self, ask: Ask, fail: Fail) -> None:
        self.complete = False
        self.done = False
        self._ask = ask
        self._fail = fail
        self._next = 0  # sequence number, for providers that give none
        self._spoken = False  # since the last item began

    def feed(self, event: Event) -> Sequence[Frame]:
        data = event.data.strip()
        if data in (b"", b"[DONE]"):
            return self.end() if data else ()
        parsed = loads(data)
        try:
            kind, delta = parsed["type"], parsed["delta"]
            if (
                delta.__class__ is str
                and is_event_name(kind)
                and kind.endswith(".delta")
                and parsed["sequence_number"].__class__ is int
                and "item_id" in parsed
                and (kind != _TEXT_DELTA or parsed["logprobs"].__class__ is list)
            ):
                self._spoken = True
                return (Frame(parsed, kind, len(delta)),)
        except (KeyError, TypeError):
            pass
        return self._take(parsed, event.name)

    def end(self) -> Sequence[Frame]:
        self.done = True
        return ()

    def _take(self, parsed: Any, name: bytes | None) -> Sequence[Frame]:
        if not isinstance(parsed, dict):
            raise NoAnswer("an event is not an object")
        kind = parsed.get("type") or (name or b"").decode("ascii", "replace")
        if kind == "error" or (parsed.get("error") and "response" not in parsed):
            raise self._fail(parsed)
        if not is_event_name(kind):
            raise NoAnswer("an event has no type")
        response = parsed.get("response")
        if kind == "response.failed":
            error = response.get("error") if isinstance(response, dict) else None
            raise self._fail({"error": error or {"message": "the response failed"}})
        if kind in _ENDS and not isinstance(response, dict):
            raise NoAnswer("an answer ends without itself")  # passed on, it would look whole
        parsed["type"] = kind
        self._number(parsed)
        usage: Usage | None = None
        if isinstance(response, dict):
            put_response(response, self._ask)
            usage = settle_response(response)
        elif kind in _WITH_LOGPROBS and not isinstance(parsed.get("logprobs"), list):
            parsed["logprobs"] = []
        elif isinstance(part := parsed.get("part"), dict):
            put_part(part)
        chars = self._chars(parsed, kind)
        if kind in _ENDS and isinstance(response, dict):
            self.complete = self.done = True
            return (Frame(parsed, kind, chars, _finish(response), usage, last=True),)
        return (Frame(parsed, kind, chars, usage=usage),)

    def _number(self, parsed: Json) -> None:
        given = parsed.get("sequence_number")
        if given.__class__ is not int or not 0 <= given < _MOST_EVENTS:
            given = parsed["sequence_number"] = self._next
        self._next = given + 1

    def _chars(self, parsed: Json, kind: str) -> int:
        """Of a delta, of an item that came as a whole, or 1 where the provider's own tools have begun to work."""
        delta, item = parsed.get("delta"), parsed.get("item")
        if isinstance(delta, str):
            self._spoken = True
            return len(delta)
        if kind not in _ITEMS or not isinstance(item, dict):
            return 0
        put_item(item)
        if kind == "response.output_item.added":
            self._spoken = item.get("type") not in _WRITTEN
            return int(self._spoken)
        spoken, self._spoken = self._spoken, False
        return 0 if spoken else _chars_of(item)


def _chars_of(item: Json) -> int:
    """Characters of text, reasoning and arguments in an item."""
    count = 0
    for name in ("arguments", "input"):
        if isinstance(value := item.get(name), str):
            count += len(value)
    for name in ("content", "summary"):
        parts = item.get(name)
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                count += sum(len(part[kind]) for kind in ("text", "refusal") if isinstance(part.get(kind), str))
    return count


def _finish(response: Json) -> str:
    """In chat's words."""
    if response.get("status") == "incomplete":
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        return "content_filter" if reason == "content_filter" else "length"
    calls = any(item.get("type") == "function_call" for item in response["output"])
    return "tool_calls" if calls else "stop"
