"""Sixteen ways in which a call with a fallback meets trouble, a line each.

    python -m tests.faults.scenarios [PACE]     1 is real time (70 s); 0.1 takes a tenth of the waits

All run at once, each with a provider of its own, against one gateway of two workers.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.faults import special
from tests.faults.client import Client, Seen
from tests.faults.outage import outage
from tests.gunicorn import Server, gunicorn, until
from tests.metrics.page import page_of
from tests.standin import StandIn, text
from tests.wire import Wire

WORDS = 60
SLACK = 1.5  # seconds
REPLAY: Mapping[str, Any] = {"stream_rescue": "replay"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """`says` is what the provider is told to do, `takes` the seconds that it must and that it may take."""

    title: str
    says: str
    asked: int
    spared: int  # times that the fallback is asked
    takes: tuple[float, float] = (0.0, 1.0)
    entry: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)
    refusal: tuple[int, str, str] | None = None  # status, code, a part of the message
    usage: bool = False
    beside: Any = None  # another target of the same entry
    larger: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    title: str
    figures: str
    complaints: Sequence[str]

    def __str__(self) -> str:
        return f"{self.title:52} {self.figures:60} {'; '.join(self.complaints) or 'as it should'}"


def scenarios(pace: float) -> list[Scenario]:
    """In the order of the page. All times but those that the gateway fixes are multiples of `pace`."""
    ms = int(1000 * pace)
    asked_for = f"first-1-fault-429-afterms-{2 * ms}"
    spare = f"spare/words-{WORDS}"
    refuses = {"target": f"spare/refuses-{WORDS}", "prefill": True}
    cut = f"first-1-fault-cut-40-words-{WORDS}"
    first, token, idle = 5 * pace, 10 * pace, 10 * pace
    silent = {"timeouts": {"first_byte": first}}
    thinking = {"timeouts": {"first_byte": 60 * pace, "first_token": token}}
    stalled = {"timeouts": {"idle": idle}, **REPLAY}
    temperature = {"temperature": 0}
    unended = f"fault-nodone-fault-stall-{WORDS}-words-{WORDS}"
    reason = "content management policy"
    return [
        Scenario("429 once with Retry-After 2", asked_for, 2, 0, (2 * pace, 2 * pace)),
        Scenario("429 for ever", "fault-429", 2, 1, (0.5, 1)),
        Scenario("500 once", "first-1-fault-500", 2, 0, (0, 0.5)),
        Scenario("503 for ever", "fault-503", 2, 1, (0, 0.5)),
        Scenario("reset before the headers", "fault-reset", 2, 1, (0, 0)),
        Scenario("no answer at all", "fault-hang", 1, 1, (first, first), silent),
        Scenario("first token after 20 s, first_token 10", f"late-{20 * ms}", 1, 1, (token, token), thinking),
        Scenario("cut after 40 of 60 words, replay", cut, 2, 0, (0, 0), REPLAY, beside=spare),
        Scenario("stall after 20 words, replay", "fault-stall-20", 1, 1, (idle, idle), stalled, beside=spare),
        Scenario("malformed chunk", "fault-malformed-20", 1, 0, (0, 0)),
        Scenario("no [DONE]", unended, 1, 0, (2, 2), usage=True),
        Scenario("context length", "fault-context", 1, 1, (0, 0), larger=True),
        Scenario("content filter", "fault-filter", 1, 0, (0, 0), refusal=(400, "content_filter", reason)),
        Scenario("cut, prefill refused, temperature 0", cut, 2, 1, (0, 0), call=temperature, beside=refuses),
    ]


@contextlib.contextmanager
def stage(found: Sequence[Scenario], pace: float) -> Iterator[tuple[Server, StandIn, StandIn, Wire]]:
    """The gateway, its providers, and the one that goes down with the wire to it."""
    with contextlib.ExitStack() as stack:
        standin, primary = stack.enter_context(StandIn()), stack.enter_context(StandIn())
        special.install(standin)
        wire = stack.enter_context(Wire(primary.port))
        providers = {name: _provider(standin.port) for name in ("spare", "usage")}
        providers["primary"] = _provider(wire.port)
        models: dict[str, Any] = {
            "spare": {"targets": [f"spare/words-{WORDS}"]},
            "larger": {"targets": [f"spare/plain-words-{WORDS}"]},
            "outage": {"targets": [f"primary/words-{WORDS}"], "fallbacks": {"any": ["spare"]}},
            "usage": {"targets": ["usage/usage/fault-500"], "fallbacks": {"any": ["spare"]}},
        }
        for number, one in enumerate(found):
            name = f"p{number}"
            says = one.says if "words" in one.says or "late" in one.says else f"{one.says}-words-{WORDS}"
            providers[name] = _provider(standin.port)
            others = [] if one.beside is None else [one.beside]
            causes = {"context_length": ["larger"]} if one.larger else {}
            fallbacks = {"any": ["spare"], **causes}
            models[name] = {"targets": [f"{name}/{name}/{says}", *others], "fallbacks": fallbacks, **one.entry}
        breaker = {"open": 5 * pace, "open_max": 20 * pace}
        config = {
            "health": {"probe": False},  # nobody else shall be on the wire
            "resilience": {"breaker": breaker},
            "providers": providers,
            "models": models,
        }
        yield stack.enter_context(gunicorn(json.dumps(config))), standin, primary, wire


def _provider(port: int) -> dict[str, Any]:
    return {"kind": "compatible", "base_url": f"http://127.0.0.1:{port}/v1"}


def play(pace: float, slack: float = SLACK) -> list[Line]:
    """`slack`: seconds that a machine may be busy with others."""
    found = scenarios(pace)
    with stage(found, pace) as (server, standin, primary, wire), Client(server.url, 120) as client:
        jobs: list[Callable[[], Line]] = [
            lambda number=number, one=one: _play(client, standin, number, one, slack)  # type: ignore[misc]
            for number, one in enumerate(found)
        ]
        jobs.append(
            lambda: Line("primary down for 60 s, a call every 4 s", *outage(client, primary, wire, pace, 2 * slack))
        )
        jobs.append(lambda: _usage(client, server))
        with ThreadPoolExecutor(len(jobs)) as pool:
            return list(pool.map(lambda job: job(), jobs))


def _play(client: Client, standin: StandIn, number: int, one: Scenario, slack: float) -> Line:
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if one.usage else {}
    name = f"p{number}"
    seen = client.call(name, name, stream=True, **options, **one.call)
    asked = [each for each in standin.journal.requests() if each.json["messages"][0]["content"] == name]
    primary = sum("/" in each.model for each in asked)
    spared = len(asked) - primary
    complaints = []
    if (primary, spared) != (one.asked, one.spared):
        complaints.append(f"not asked {one.asked} and {one.spared} times")
    least, most = one.takes
    if not least - 0.05 <= seen.took <= most + slack:
        complaints.append(f"not within {least:.1f} to {most + slack:.1f} s")
    complaints.extend(_refused(seen, one.refusal) if one.refusal else _whole(seen))
    if one.usage and seen.usages != [WORDS]:
        complaints.append(f"usage is {seen.usages}")
    words = (
        f"{len(seen.text.split())} words" if one.refusal is None else f"{seen.status} {(seen.error or {}).get('code')}"
    )
    return Line(one.title, f"{seen.took:6.2f} s, primary {primary}, fallback {spared}, {words}", complaints)


def _whole(seen: Seen) -> Iterator[str]:
    if seen.raised or seen.broken or seen.text != text(WORDS) or seen.finish != "stop":
        yield f"not whole: {seen.raised} {seen.status} {seen.error} {len(seen.text.split())} words"
    if b"fault-400" in seen.raw or b"answers 400" in seen.raw:
        yield "the refusal is shown"


def _refused(seen: Seen, refusal: tuple[int, str, str]) -> Iterator[str]:
    status, code, message = refusal
    found = seen.error or {}
    if (seen.status, found.get("code")) != (status, code) or message not in str(found.get("message")):
        yield f"{seen.status} {found}"


def _usage(client: Client, server: Server) -> Line:
    """The fallback's model and usage, once in the answer and once on the page."""
    seen = client.call("usage", "usage", stream=True, stream_options={"include_usage": True})

    def tokens() -> dict[str, float]:
        found = page_of(server).series("tokens_total")
        return {
            labels["provider"]: value
            for labels, value in found
            if labels["model"] == "usage" and labels["type"] == "output" and value
        }

    counted = until(tokens, "its tokens on the page")
    complaints = list(_whole(seen))
    if (seen.model, seen.usages) != (f"words-{WORDS}", [WORDS]):
        complaints.append(f"model {seen.model}, usage {seen.usages}")
    if counted != {"spare": WORDS}:
        complaints.append(f"counted {counted}")
    return Line(
        "usage and model of the fallback, once",
        f"model {seen.model}, usage {seen.usages}, counted {counted}",
        complaints,
    )


def main() -> int:
    lines = play(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
    for number, line in enumerate(lines, 1):
        print(f"{number:2} {line}")
    return sum(bool(line.complaints) for line in lines)


if __name__ == "__main__":
    sys.exit(main())
