"""What a client program is told, and how it tells what it saw. The standard library alone: it runs everywhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Job:
    """One gateway to talk to: its `url`, a `key` and a `guest`'s key, `upstreams` to ask, `faults` to meet.

    `faults` are (name, upstream, model, streamed). What comes of each case goes into the book.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.url: str = given["url"]
        self.key: str = given["key"]
        self.guest: str = given["guest"]
        self.tag: str = given["tag"]
        self.upstreams: list[str] = given["upstreams"]
        self.faults: list[tuple[str, str, bool]] = given["faults"]
        self.book: dict[str, Any] = {}

    def see(self, case: str, upstream: str, words: str, act: Callable[[str], Any]) -> None:
        """Call `act` with a model's name that no other case has, and whose last part says what the provider does."""
        model = f"{upstream}/{self.tag}.{case}/{words}"
        self.note(f"{upstream} {case}", lambda: act(model))

    def note(self, name: str, act: Callable[[], Any]) -> None:
        try:
            self.book[name] = act()
        except Exception as error:  # whatever the SDK raises is what is asked for
            self.book[name] = {"raised": raised(error)}


def run(version: str, work: Callable[[Job], None]) -> None:
    """Do the jobs of standard input side by side, and tell what was seen."""
    out, sys.stdout = sys.stdout, sys.stderr  # some SDKs print
    jobs = [Job(given) for given in json.load(sys.stdin)]
    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(work, jobs))  # which raises what a job raised
    json.dump({"version": version, "books": [job.book for job in jobs]}, out, default=str)


def raised(error: BaseException) -> dict[str, Any]:
    """An SDK's error as the caller's code would look at it. `notes` are ours."""
    response = getattr(error, "response", None)
    body = getattr(error, "body", None)
    return {
        "class": type(error).__name__,
        "message": str(error),
        "status": getattr(error, "status_code", None),
        "code": getattr(error, "code", None),
        "type": getattr(error, "type", None),
        "param": getattr(error, "param", None),
        "headers": dict(getattr(response, "headers", None) or {}),
        "body": body if isinstance(body, dict) else None,
        "notes": getattr(error, "__notes__", []),
    }
