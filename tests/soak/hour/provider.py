"""The stand-in in a process of its own, and the addresses where nothing of HTTP is reached.

`python -m tests.soak.hour.provider` prints `{"port": ..., "ports": {...}}`, and ends with its standard input.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.faults import special
from tests.standin import Answer, Request, StandIn
from tests.standin.grammar import answer_for

_ONCE = "first-1-"
_KEPT = 10_000  # calls that are remembered


@dataclass(frozen=True, slots=True)
class Ports:
    port: int  # of the stand-in
    ports: Mapping[str, str]  # as tests/faults/special.py has them


class Once:
    """What the grammar counts by the name of a model, counted by the call: one goes wrong at its first attempt."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, None] = OrderedDict()

    def is_first(self, request: Request) -> bool:
        said = next(one["content"] for one in request.json["messages"] if one["role"] == "user")
        if said in self._asked:
            return False
        self._asked[said] = None
        if len(self._asked) > _KEPT:
            self._asked.popitem(last=False)
        return True

    def answer(self, request: Request) -> Answer:
        broken, _, after = request.model.rpartition("/")[2].removeprefix(_ONCE).partition("-then-")
        return answer_for(broken if self.is_first(request) else after or "words-5", request, 1, 0)

    def limited(self, request: Request) -> Answer:
        return special.LimitedUntil()(request) if self.is_first(request) else answer_for("words-5", request, 1, 0)


def main() -> None:
    with StandIn(keep=10) as standin:
        once = Once()
        standin.script(once.answer, model=lambda model: f"/{_ONCE}" in model, times=None)
        standin.script(once.limited, model=lambda model: model.endswith("/limited-until"), times=None)
        special.install(standin)
        with special.ports(standin) as ports:
            print(json.dumps({"port": standin.port, "ports": dict(ports)}), flush=True)
            sys.stdin.read()


@contextlib.contextmanager
def provider() -> Iterator[Ports]:
    command = [sys.executable, "-m", "tests.soak.hour.provider"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield Ports(**json.loads(process.stdout.readline()))
        finally:
            process.communicate(timeout=20)


if __name__ == "__main__":
    main()
