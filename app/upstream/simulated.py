"""A provider that needs no account and no network: it speaks OpenAI's language from inside the process.

Its answers go through the same dialect, splitter and reader as everybody's, so what works here works.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.core.clock import Clock
from app.core.json import Json, dumps
from app.core.provider import Provider
from app.core.wire import UpstreamRequest

TEXT = (
    "This is a simulated answer: no provider was asked and no token was paid for. It comes word by word, at the speed "
    "and of the length that the configuration gives it, so that clients and dashboards can be tried on a laptop."
)
CATEGORIES = (
    "harassment harassment/threatening hate hate/threatening illicit illicit/violent self-harm self-harm/instructions "
    "self-harm/intent sexual sexual/minors violence violence/graphic"
)


@dataclass(frozen=True, slots=True)
class Pace:
    latency: float = 0.2  # seconds before the first word
    tokens_per_second: float = 50.0  # 0: all at once
    words: int = 60


class SimulatedTransport:
    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock

    def send(self, provider: Provider, request: UpstreamRequest, connect: float, silence: float) -> SimulatedAnswer:
        operation = request.url.rpartition("/")[2]
        make = {"completions": self._text, "embeddings": _embeddings, "moderations": _moderations}[operation]
        return make(request)

    def _text(self, request: UpstreamRequest) -> SimulatedAnswer:
        body = request.body
        chat = request.url.endswith("/chat/completions")
        most = body.get("max_completion_tokens") or body.get("max_tokens") or self._pace.words
        count = max(1, min(self._pace.words, most if isinstance(most, int) else self._pace.words))
        words = [word + " " for word in itertools.islice(itertools.cycle(TEXT.split()), count)]
        words[-1] = words[-1].rstrip()
        finish = "stop" if count == self._pace.words else "length"
        head: Json = {
            "id": ("chatcmpl-" if chat else "cmpl-") + secrets.token_hex(12),
            "created": int(self._clock.time()),
            "model": body["model"],
        }
        usage = {"prompt_tokens": _tokens(body), "completion_tokens": count, "total_tokens": _tokens(body) + count}
        if request.stream:
            return SimulatedAnswer(self._stream(head, words, finish, usage, chat))
        self._clock.sleep(self._pace.latency + self._gap * count)
        choice: Json = {"index": 0, "finish_reason": finish, "logprobs": None}
        text = "".join(words)
        choice |= {"message": {"role": "assistant", "content": text, "refusal": None}} if chat else {"text": text}
        kind = "chat.completion" if chat else "text_completion"
        return _plain({**head, "object": kind, "choices": [choice], "usage": usage})

    @property
    def _gap(self) -> float:
        return 1 / self._pace.tokens_per_second if self._pace.tokens_per_second else 0.0

    def _stream(self, head: Json, words: list[str], finish: str, usage: Json, chat: bool) -> Iterator[bytes]:
        kind = "chat.completion.chunk" if chat else "text_completion"

        def event(choices: list[Json], **more: Json | None) -> bytes:
            return b"data: " + dumps({**head, "object": kind, "choices": choices, **more}) + b"\n\n"

        def choice(said: Json, reason: str | None = None) -> list[Json]:
            part: Json = {"delta": said} if chat else {"text": said.get("content", "")}
            return [{"index": 0, **part, "logprobs": None, "finish_reason": reason}]

        self._clock.sleep(self._pace.latency)
        if chat:
            yield event(choice({"role": "assistant", "content": ""}))
        due = self._clock.monotonic()
        for word in words:
            yield event(choice({"content": word}))
            due += self._gap
            self._clock.sleep(max(0.0, due - self._clock.monotonic()))
        yield event(choice({}, finish))
        yield event([], usage=usage)
        yield b"data: [DONE]\n\n"


class SimulatedAnswer:
    status = 200
    headers: Mapping[str, str]

    def __init__(self, pieces: Iterator[bytes], content_type: str = "text/event-stream") -> None:
        self.headers = {"content-type": content_type}
        self._pieces = pieces

    def read(self) -> bytes:
        return b"".join(self._pieces)

    def piece(self) -> bytes:
        return next(self._pieces, b"")

    def allow_silence(self, seconds: float) -> None:
        """It is never silent for longer than its own pace."""

    def finish(self) -> None:
        self.close()

    def close(self) -> None:
        self._pieces = iter(())


def _plain(body: Json) -> SimulatedAnswer:
    return SimulatedAnswer(iter((dumps(body),)), "application/json")


def _tokens(body: Json) -> int:
    """Words of the prompt, roughly: a figure that grows with the input."""
    said = body.get("messages") or body.get("input") or body.get("prompt")
    return max(1, len(str(said).split()))


def _embeddings(request: UpstreamRequest) -> SimulatedAnswer:
    given = request.body.get("input")
    inputs = given if isinstance(given, list) and not all(isinstance(token, int) for token in given) else [given]
    length = request.body.get("dimensions")
    size = length if isinstance(length, int) and 0 < length <= 4096 else 8
    data = [{"object": "embedding", "index": i, "embedding": _vector(text, size)} for i, text in enumerate(inputs)]
    used = _tokens(request.body)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return _plain({"object": "list", "data": data, "model": request.body["model"], "usage": usage})


def _vector(text: object, size: int) -> list[float]:
    """The same text gives the same unit vector; nearness means nothing."""
    seed = dumps(text)
    raw = [((seed[i % len(seed)] * 31 + i * 17) % 255) / 127.5 - 1 for i in range(size)]
    norm = sum(x * x for x in raw) ** 0.5 or 1.0
    return [x / norm for x in raw]


def _moderations(request: UpstreamRequest) -> SimulatedAnswer:
    given = request.body.get("input")
    inputs = given if isinstance(given, list) else [given]
    names = CATEGORIES.split()
    result: Json = {
        "flagged": False,
        "categories": dict.fromkeys(names, False),
        "category_scores": dict.fromkeys(names, 0.0),
        "category_applied_input_types": {name: ["text"] for name in names},
    }
    return _plain(
        {"id": "modr-" + secrets.token_hex(12), "model": request.body["model"], "results": [result for _ in inputs]}
    )
