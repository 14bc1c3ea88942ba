"""A provider that needs no account and no network: it speaks OpenAI's language from inside the process.

Its answers go through the same dialect, splitter and reader as everybody's, so what works here works.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from app.core.clock import Clock
from app.core.json import Json, dumps
from app.core.provider import Provider
from app.core.wire import UpstreamRequest
from app.upstream.faults import ACCIDENTS, REFUSALS, SLOWER, TOO_MUCH, Body, Faults, Refusal, unreachable
from app.upstream.watch import Guard

NO_HEADERS: Mapping[str, str] = {}
TEXT = (
    "This is a simulated answer: no provider was asked and no token was paid for. It comes word by word, at the speed "
    "and of the length that the configuration gives it, so that clients and dashboards can be tried on a laptop."
)
MOST_INPUTS = 2048  # as OpenAI has it
MOST_NUMBERS = 65_536  # of all vectors of an answer: they are made one by one, in some 15 ms
CATEGORIES = (
    "harassment harassment/threatening hate hate/threatening illicit illicit/violent self-harm self-harm/instructions "
    "self-harm/intent sexual sexual/minors violence violence/graphic"
)


@dataclass(frozen=True, slots=True)
class Pace:
    latency: float = 0.2  # seconds before the first word
    tokens_per_second: float = 50.0  # 0: all at once
    words: int = 60

    def slower(self, times: float) -> Pace:
        return Pace(self.latency * times, self.tokens_per_second / times, self.words)


class SimulatedTransport:
    def __init__(self, pace: Pace, faults: Faults, clock: Clock) -> None:
        self._pace = pace
        self._faults = faults
        self._clock = clock

    def send(self, provider: Provider, request: UpstreamRequest, connect: float, guard: Guard) -> SimulatedAnswer:
        fault = self._faults.draw() or ""
        if fault == "connection":
            raise unreachable(provider)
        if refusal := REFUSALS.get(fault) or _too_much(request):
            return SimulatedAnswer(iter((refusal.body,)), refusal.status, refusal.headers)
        body = self._body(provider, request, guard, self._pace.slower(SLOWER) if fault == "slow" else self._pace)
        accident = ACCIDENTS.get(fault)
        return SimulatedAnswer(accident(body, provider, guard) if accident else body.pieces)

    def _body(self, provider: Provider, request: UpstreamRequest, guard: Guard, pace: Pace) -> Body:
        operation = request.url.rpartition("/")[2]
        if operation == "completions":
            return Text(request, pace, self._clock, partial(guard.wait, provider=provider.name)).body()
        make = {"embeddings": _embeddings, "rerank": _rerank}.get(operation, _moderations)
        return _plain(make(request.body))


class Text:
    """One answer in words, plain or streamed, as chat or as completion."""

    def __init__(self, request: UpstreamRequest, pace: Pace, clock: Clock, wait: Callable[[float], None]) -> None:
        """`wait` lets seconds pass, or raises."""
        body = request.body
        asked = body.get("max_completion_tokens") or body.get("max_tokens")
        count = max(1, min(pace.words, asked if isinstance(asked, int) else pace.words))
        self._words = [word + " " for word in itertools.islice(itertools.cycle(TEXT.split()), count)]
        self._words[-1] = self._words[-1].rstrip()
        self._finish = "stop" if count == pace.words else "length"
        self._chat = request.url.endswith("/chat/completions")
        self._head: Json = {
            "id": ("chatcmpl-" if self._chat else "cmpl-") + secrets.token_hex(12),
            "created": int(clock.time()),
            "model": body["model"],
        }
        said = _tokens(body)
        self._usage: Json = {"prompt_tokens": said, "completion_tokens": count, "total_tokens": said + count}
        self._stream = request.stream
        self._latency = pace.latency
        self._gap = 1 / pace.tokens_per_second if pace.tokens_per_second else 0.0
        self._clock = clock
        self._wait = wait

    def body(self) -> Body:
        if self._stream:
            return Body(self._events(), self._chat + (len(self._words) + 1) // 2, stream=True)
        choice: Json = {"index": 0, "finish_reason": self._finish, "logprobs": None}
        text = "".join(self._words)
        message = {"role": "assistant", "content": text, "refusal": None}
        choice |= {"message": message} if self._chat else {"text": text}
        kind = "chat.completion" if self._chat else "text_completion"
        body = _plain({**self._head, "object": kind, "choices": [choice], "usage": self._usage})
        return replace(body, pieces=self._late(body.pieces))

    def _late(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        self._wait(self._latency + self._gap * len(self._words))
        yield from pieces

    def _events(self) -> Iterator[bytes]:
        self._wait(self._latency)
        if self._chat:
            yield self._event({"role": "assistant", "content": ""})
        due = self._clock.monotonic()
        for word in self._words:
            yield self._event({"content": word})
            due += self._gap
            self._wait(due - self._clock.monotonic())
        yield self._event({}, self._finish)
        yield self._chunk([], {"usage": self._usage})
        yield b"data: [DONE]\n\n"

    def _event(self, said: Json, finish: str | None = None) -> bytes:
        part: Json = {"delta": said} if self._chat else {"text": said.get("content", "")}
        return self._chunk([{"index": 0, **part, "logprobs": None, "finish_reason": finish}], {})

    def _chunk(self, choices: list[Json], more: Json) -> bytes:
        kind = "chat.completion.chunk" if self._chat else "text_completion"
        return b"data: " + dumps({**self._head, "object": kind, "choices": choices, **more}) + b"\n\n"


class SimulatedAnswer:
    def __init__(self, pieces: Iterator[bytes], status: int = 200, headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.status = status
        self.headers = headers
        self._pieces = pieces

    def read(self) -> bytes:
        return b"".join(self._pieces)

    def piece(self) -> bytes:
        return next(self._pieces, b"")

    def finish(self) -> None:
        self.close()

    def close(self) -> None:
        self._pieces = iter(())


def _plain(body: Json) -> Body:
    raw = dumps(body)
    half = len(raw) // 2
    return Body(iter((raw[:half], raw[half:])), 1, stream=False)


def _tokens(body: Json) -> int:
    """Words of the prompt, roughly: a figure that grows with the input."""
    said = body.get("messages") or body.get("input") or body.get("prompt")
    return max(1, len(str(said).split()))


def _inputs(body: Json) -> list[Any]:
    given = body.get("input")
    return given if isinstance(given, list) and not all(isinstance(token, int) for token in given) else [given]


def _dimensions(body: Json) -> int:
    length = body.get("dimensions")
    return length if isinstance(length, int) and 0 < length <= 4096 else 8


def _too_much(request: UpstreamRequest) -> Refusal | None:
    """A small body may ask for many long vectors, and whoever makes them holds up all calls of a worker meanwhile."""
    count = len(_inputs(request.body))
    numbers = count * _dimensions(request.body) if request.url.endswith("/embeddings") else 0
    return TOO_MUCH if count > MOST_INPUTS or numbers > MOST_NUMBERS else None


def _embeddings(body: Json) -> Json:
    size = _dimensions(body)
    data = [
        {"object": "embedding", "index": at, "embedding": _vector(text, size)} for at, text in enumerate(_inputs(body))
    ]
    used = _tokens(body)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}


def _vector(text: object, size: int) -> list[float]:
    """The same text gives the same unit vector; nearness means nothing."""
    seed = dumps(text)
    raw = [((seed[i % len(seed)] * 31 + i * 17) % 255) / 127.5 - 1 for i in range(size)]
    norm = sum(x * x for x in raw) ** 0.5 or 1.0
    return [x / norm for x in raw]


def _rerank(body: Json) -> Json:
    """The share of the query's words that a document holds."""
    asked = set(body["query"].lower().split())
    texts = [each["text"] if isinstance(each, dict) else each for each in body["documents"]]
    scores = [len(asked & set(text.lower().split())) / max(1, len(asked)) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: -scores[index])[: body.get("top_n")]
    results = [{"index": index, "relevance_score": scores[index]} for index in order]
    return {"model": body["model"], "results": results, "usage": {"total_tokens": _tokens({"input": texts})}}


def _moderations(body: Json) -> Json:
    names = CATEGORIES.split()
    result: Json = {
        "flagged": False,
        "categories": dict.fromkeys(names, False),
        "category_scores": dict.fromkeys(names, 0.0),
        "category_applied_input_types": {name: ["text"] for name in names},
    }
    return {"id": "modr-" + secrets.token_hex(12), "model": body["model"], "results": [result for _ in _inputs(body)]}
