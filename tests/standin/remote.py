"""The stand-in in a process of its own, driven over its control paths: for programs that run many processes."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

_CHECKOUT = Path(__file__).resolve().parents[2]


class Remote:
    """What StandIn and its journal offer, with records as dicts; a control call is no part of the journal."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def script(self, behaviour: str, *, times: int | None = 1, **match: str) -> None:
        self._ask("POST", "script", {"behaviour": behaviour, "times": times, **match})

    def release(self, gate: str, times: int | None = None) -> None:
        self._ask("POST", "release", {"gate": gate, "times": times})

    def clear(self) -> None:
        """Forget the journal and all scripts."""
        self._ask("POST", "clear", {})

    def totals(self) -> dict[str, int]:
        totals: dict[str, int] = self._ask("GET", "totals")
        return totals

    def requests(self, **equal: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", f"requests?{urlencode(equal)}")
        return found

    def connections(self, **equal: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", f"connections?{urlencode(equal)}")
        return found

    def wait(self, count: int = 1, timeout: float = 10.0, **equal: object) -> list[dict[str, Any]]:
        """Block until `count` requests fit; an AssertionError after `timeout` seconds."""
        query = urlencode({"count": count, "timeout": timeout, **equal})
        found: list[dict[str, Any]] = self._ask("GET", f"wait?{query}", timeout=timeout + 10)
        if len(found) < count:
            raise AssertionError(f"{len(found)} of {count} requests fit {equal} within {timeout} s; {self.totals()}")
        return found

    def _ask(self, method: str, order: str, body: object = None, timeout: float = 30.0) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, f"/__control/{order}", None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise AssertionError(f"{method} {order}: {answer.status} {text!r}")
        return json.loads(text)


@contextlib.contextmanager
def standin_process(*arguments: str) -> Iterator[Remote]:
    """`python -m tests.standin` with these arguments, ended with the block, and with this process if it dies."""
    command = [sys.executable, "-m", "tests.standin", "--watch-stdin", *arguments]
    with subprocess.Popen(command, cwd=_CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.strip().isdecimal():
                raise AssertionError(f"the stand-in did not start: {line!r}")
            yield Remote(int(line))
        finally:
            process.terminate()
            process.wait(10)
