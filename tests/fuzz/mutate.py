"""One case into another that is like it: what coverage-guided fuzzing begins each step with."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import yaml

from tests.fuzz import change, seeds
from tests.fuzz.anything import SHARES
from tests.fuzz.case import Case
from tests.fuzz.change import SETTINGS, VALUES, Changes
from tests.fuzz.draw import Draw
from tests.fuzz.targets import is_sound

Bytes = Callable[[bytes], bytes]


class Mutator:
    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def __call__(self, raw: bytes, chance: Random, bytewise: Bytes) -> bytes:
        """`bytewise`: what is done to bytes of which nothing is known."""
        case = Case.read(raw)
        if not is_sound(case.words) or chance.randrange(50) == 0:
            return bytes(self.fresh(chance))
        if chance.randrange(4) == 0:
            return bytes(Case(case.words, bytewise(case.body), case.headers))
        try:
            body = self._changed(case, chance)
        except (ValueError, RecursionError, yaml.YAMLError, AttributeError, TypeError):
            body = change.raw(case.body, chance)
        headers = self.fresh(chance, case.words[0]).headers if chance.randrange(10) == 0 else case.headers
        return bytes(Case(case.words, body, headers))

    def fresh(self, chance: Random, target: str | None = None) -> Case:
        names = list(SHARES)
        return self._draw.by_target[target or chance.choices(names, list(SHARES.values()))[0]](chance)

    def beginnings(self) -> list[Case]:
        """A sound case of each kind, and one of each target that is not."""
        return [*self._draw.sound(), *(self.fresh(Random(at), target) for target in SHARES for at in range(20))]

    def _changed(self, case: Case, chance: Random) -> bytes:
        if case.words[0] == "config":
            tree = Changes(chance, SETTINGS, VALUES).tree(yaml.safe_load(case.body), 2)
            written = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=None, sort_keys=False)
            return change.dug(written).encode("utf-8", "surrogatepass")
        if case.words[0] == "answer" and case.words[3] == "stream" and b"data: " in case.body:
            return seeds.written(tuple(change.stream(_events(case.body), chance)))
        if case.words[0] in ("sse", "frames", "log"):
            return change.raw(case.body, chance)
        return change.text(Changes(chance).tree(json.loads(case.body), 2)).encode()


def _events(body: bytes) -> list[tuple[str | None, Any]]:
    made: list[tuple[str | None, Any]] = []
    for block in body.split(b"\n\n"):
        name, found, data = block.rpartition(b"data: ")
        if not found:
            continue
        try:
            said: Any = json.loads(data)
        except (ValueError, RecursionError):
            said = data
        named = name.removeprefix(b"event: ").strip().decode("latin-1") or None
        made.append((named, said if isinstance(said, dict | bytes) else data))
    return made
