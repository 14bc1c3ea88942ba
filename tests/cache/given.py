"""A cache with real parts around it, and calls whose provider a test plays itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from app.cache.entry import Seal
from app.cache.flights import Flights
from app.cache.generations import Generations
from app.cache.parts import Parts
from app.cache.responses import Bounds, ResponseCache, Rules
from app.cache.shelf import Shelf
from app.cache.visit import Cached
from app.core.call import Call, Keeping, Route, Target, Tenant
from app.core.errors import ErrorType, GatewayError
from app.core.exchange import Batch, Exchange, Reply
from app.core.json import Json, dumps, loads
from app.core.usage import Usage
from app.core.wire import Frame
from app.instance import system
from app.providers import registry
from app.store.ending import Ending
from app.store.store import Store
from app.surfaces import LANGUAGES
from app.upstream.watch import Watch

SECRET = b"s" * 32
TARGETS = tuple(Target(registry.build(name, "openai", key="k"), "gpt") for name in ("alpha", "beta"))
OTHER = Target(registry.build("gamma", "openai", key="k"), "gpt")
ROUTE = Route("fast", "fast", TARGETS)
BODY: Json = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}
ANSWER: Json = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4.1",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi there", "refusal": None},
            "finish_reason": "stop",
            "logprobs": None,
        }
    ],
    "usage": {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5},
}


FAILURE = GatewayError(ErrorType.SERVER_ERROR, "no", provider="alpha")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_800_000_000 + self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Worker:
    """One worker's cache over a store that others may share."""

    def __init__(
        self,
        store: Store,
        clock: Any,
        *,
        rules: Rules | None = None,
        bounds: Bounds | None = None,
        secrets: tuple[bytes, ...] = (SECRET,),
    ) -> None:
        self.store = store
        self.clock = clock
        self.counted: Counter[tuple[str, str]] = Counter()
        self.flights = Flights(clock)
        self.watch = Watch(clock, system.poll())
        seal = Seal(secrets)

        def count(operation: str, result: str) -> None:
            self.counted[operation, result] += 1

        self.generations = Generations(seal, clock)
        shelf = Shelf(seal, clock, count)
        parts = Parts(shelf, self.generations, self.flights, self.watch, clock, lambda: 1.0)
        self.cache = ResponseCache(parts, {"fast": rules or Rules(100)}, bounds=bounds or Bounds(jitter=0))

    def call(self, **more: Any) -> Asked:
        return Asked(self, **more)


class Asked:
    """A call that has come to the cache. `found` is what it was given, None: it must ask."""

    def __init__(
        self,
        worker: Worker,
        *,
        tenant: str = "acme",
        body: Mapping[str, Any] = BODY,
        stream: bool = False,
        path: str = "/v1/chat/completions",
        keeping: Keeping | None = None,
        headers: Mapping[str, str] | None = None,
        route: Route = ROUTE,
        patience: float | None = None,
        client: int | None = None,
    ) -> None:
        self.call = Call(
            id="req_1",
            language=LANGUAGES[path],
            model="fast",
            body=dict(body),
            stream=stream,
            tenant=Tenant(tenant),
            headers=headers or {},
            patience=patience,
            began=worker.clock.monotonic(),
            keeping=keeping or Keeping(),
            client=client,
        )
        self.exchange = Exchange(self.call, worker.clock)
        self.store = worker.store.for_call()
        self.exchange.join(Ending(self.store))
        self.visit: Cached = self.exchange.join(worker.cache.visit(self.call, route, self.exchange, self.store))
        self._route = route

    def fetch(self) -> Any:
        """The plain answer, or the events of a stream; None: ask."""
        with self.exchange:
            found = self.visit.fetch()
            if found is None:
                self.exchange.hand_over(iter(()))
                return None
            return _read(self.exchange.hand_over(found), stream=self.call.stream)

    def answered(self, *frames: Frame, by: Target = TARGETS[0], error: GatewayError | None = None) -> None:
        """The provider answers so; all the way to the end of the call."""
        self.exchange.attempt(by)
        reply = self.exchange.hand_over(self.visit.keep(_batches(frames, error)))
        try:
            for _ in reply:
                pass
        except GatewayError:
            pass
        reply.close()

    def failed(self, error: GatewayError) -> None:
        self.exchange.end(error)


def asks(worker: Worker, **how: Any) -> bool:
    """Whether such a call would have to ask; it then fails, so that nothing is kept of it."""
    asked = worker.call(**how)
    found = asked.fetch()
    if found is None:
        asked.failed(FAILURE)
    return found is None


def plain(answer: Json = ANSWER, **more: Any) -> Frame:
    usage = Usage(2, 3)
    frame = Frame(loads(dumps(answer)), chars=8, finish="stop", usage=usage, last=True)
    return replace(frame, **more)


def streamed(*texts: str, finish: str = "stop") -> list[Frame]:
    """Chunks as a provider's reader gives them, its usage for the books alone."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4.1"}

    def chunk(delta: Json, reason: str | None = None) -> Json:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]}

    return [
        Frame(chunk({"role": "assistant", "content": ""})),
        *(Frame(chunk({"content": text}), chars=len(text)) for text in texts),
        Frame(chunk({}, finish), finish=finish),
        Frame(None, usage=Usage(2, 3)),
        Frame(None, last=True),
    ]


def said(events: list[Json]) -> str:
    return "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])


def _read(reply: Reply, *, stream: bool) -> Any:
    frames = [frame for batch in reply for frame in batch]
    reply.close()
    if stream:
        return [frame.data for frame in frames]
    (frame,) = frames
    assert frame.encoded is not None
    return loads(frame.encoded)


def _batches(frames: tuple[Frame, ...], error: GatewayError | None) -> Iterator[Batch]:
    for frame in frames:
        yield (frame,)
    if error is not None:
        raise error
