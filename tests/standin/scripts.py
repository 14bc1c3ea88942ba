"""Which behaviour a request meets: the first script that fits, else what its model's name says."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.standin.grammar import answer_for
from tests.standin.message import Answer, Request

Behaviour = str | Answer | Callable[[Request], Answer]
Match = str | Callable[..., bool]


@dataclass(slots=True)
class _Script:
    behaviour: Behaviour
    left: int | None
    match: Mapping[str, Match]

    def fits(self, request: Request) -> bool:
        return all(_fits(name, wanted, request) for name, wanted in self.match.items())


class Scripts:
    """Thread-safe; counts calls by the words that they meet, so that "the first two fail" can be said in words."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._scripts: list[_Script] = []
        self._calls: Counter[str] = Counter()

    def add(self, behaviour: Behaviour, times: int | None, match: Mapping[str, Match]) -> None:
        with self._lock:
            self._scripts.append(_Script(behaviour, times, match))

    def clear(self) -> None:
        with self._lock:
            self._scripts.clear()
            self._calls.clear()

    def answer(self, request: Request) -> tuple[str, Answer]:
        """The behaviour's name, for the journal, and the answer."""
        behaviour = self._next(request)
        if isinstance(behaviour, str):
            with self._lock:
                self._calls[behaviour] += 1
                count = self._calls[behaviour]
            return behaviour, answer_for(behaviour, request, count, self._seed)
        if isinstance(behaviour, Answer):
            return "answer", behaviour
        return getattr(behaviour, "__name__", "function"), behaviour(request)

    def _next(self, request: Request) -> Behaviour:
        with self._lock:
            for script in self._scripts:
                if script.left != 0 and script.fits(request):
                    if script.left is not None:
                        script.left -= 1
                        if script.left == 0:
                            self._scripts.remove(script)
                    return script.behaviour
        return request.model


def _fits(name: str, wanted: Match, request: Request) -> bool:
    if name == "when":
        return callable(wanted) and wanted(request)
    if name.startswith("header_"):
        value = request.header(name.removeprefix("header_").replace("_", "-")) or ""
    elif name in {"method", "path", "model"}:
        value = getattr(request, name)
    else:
        raise ValueError(f"cannot match by {name!r}; known: method, path, model, header_<name>, when")
    return wanted(value) if callable(wanted) else value == wanted
