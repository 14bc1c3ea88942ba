"""Tool calls as they come in pieces: which piece belongs to which call, and what of it may be repeated.

Clients add the pieces of a call up (the official SDK joins every text it finds), so an id or a name must come once, and
a null never. Providers repeat ids, leave out indexes, give the same index to several calls, and send no arguments at
all for a call that takes none, where clients will parse what they have as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.core.ids import tool_call_id
from app.core.json import Json, dumps
from app.providers.openai_faults import NoAnswer


@dataclass(slots=True)
class _Call:
    index: int  # as we give it
    theirs: int | None  # as the provider does
    id: str
    named: bool = False
    argued: bool = False
    function: bool = True


class Calls:
    """The calls of one choice."""

    __slots__ = ("_calls", "_going_on")

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._going_on: int | None = None  # index of a call of which more arguments need no looking after

    def plain(self, fragments: list[Json]) -> int | None:
        """Characters of a fragment that only goes on with the arguments it should; None for one to be looked at."""
        (fragment,) = fragments
        index = fragment["index"]
        if (
            index != self._going_on
            or index.__class__ is not int
            or len(fragment) != 2
            or len(fragment["function"]) != 1
        ):
            return None
        arguments = fragment["function"]["arguments"]
        return len(arguments) if arguments.__class__ is str else None

    def __bool__(self) -> bool:
        return bool(self._calls)

    def put(self, fragments: Any) -> list[Json]:
        """The fragments of one chunk, in the official form; changed in place."""
        if not isinstance(fragments, list):
            raise NoAnswer("tool_calls is not a list")
        return [self._put(fragment) for fragment in fragments if isinstance(fragment, dict)]

    def missing(self, within: list[Json]) -> list[Json]:
        """What ends the calls that have no arguments: filled in where `within` begins them, else fragments to add."""
        added: list[Json] = []
        for call in self._calls:
            if call.argued or not call.function:
                continue
            call.argued = True
            begun = next(
                (each["function"] for each in within if each["index"] == call.index and "function" in each), None
            )
            if begun is not None:
                begun["arguments"] = "{}"
            else:
                added.append({"index": call.index, "function": {"arguments": "{}"}})
        return added

    def _put(self, fragment: Json) -> Json:
        call = self._find(fragment)
        new = call is None
        if call is None:
            call = self._begin(fragment)
            fragment["id"] = call.id
        else:
            fragment.pop("id", None)
        fragment["index"] = call.index
        if "custom" in fragment:
            call.function = False
            return fragment
        if new:
            fragment["type"] = "function"
        else:
            fragment.pop("type", None)
        function = fragment.get("function")
        if not isinstance(function, dict):
            if new:
                fragment["function"] = {"arguments": ""}
            else:
                fragment.pop("function", None)
            return fragment
        self._put_function(function, call, new)
        self._going_on = call.index if call.argued and call.index == call.theirs else None
        return fragment

    def _put_function(self, function: Json, call: _Call, new: bool) -> None:
        if "name" in function:
            if isinstance(function["name"], str) and function["name"] and not call.named:
                call.named = True
            else:
                del function["name"]
        arguments = function.get("arguments")
        if arguments.__class__ is str:
            if arguments:
                call.argued = True
        elif arguments is not None:
            function["arguments"] = dumps(arguments).decode()
            call.argued = True
        elif new:
            function["arguments"] = ""
        else:
            function.pop("arguments", None)

    def _find(self, fragment: Json) -> _Call | None:
        """The call that this fragment goes on with, None where it begins one."""
        name, theirs, function = fragment.get("id"), fragment.get("index"), fragment.get("function")
        names = isinstance(function, dict) and bool(function.get("name"))
        if isinstance(name, str) and name:
            if found := next((call for call in self._calls if call.id == name), None):
                return found
            if names or "custom" in fragment:
                return None  # another call, even if it comes under an index that is taken
        if theirs.__class__ is int:
            return next((call for call in reversed(self._calls) if call.theirs == theirs), None)
        if not self._calls or (names and self._calls[-1].named):
            return None
        return self._calls[-1]

    def _begin(self, fragment: Json) -> _Call:
        name, theirs = fragment.get("id"), fragment.get("index")
        index = theirs if theirs.__class__ is int and all(call.index != theirs for call in self._calls) else None
        if index is None:
            index = max((call.index for call in self._calls), default=-1) + 1
        call = _Call(
            index=index,
            theirs=theirs if theirs.__class__ is int else None,
            id=name if isinstance(name, str) and name else tool_call_id(),
        )
        self._calls.append(call)
        return call
