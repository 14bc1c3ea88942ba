"""Calls of every ending, told by a real Exchange and Reply; only what the upstream would have sent is made up here."""

from collections.abc import Iterator

from app.core.attempt import Attempt
from app.core.call import Call, Route, Target, Tenant
from app.core.clock import SystemClock
from app.core.errors import GatewayError
from app.core.exchange import Batch, Exchange, Reply
from app.core.usage import Usage
from app.core.wire import Frame
from app.metrics.meter import Meter
from app.providers import registry
from app.surfaces import LANGUAGES

PROVIDERS = [registry.build(name, "openai") for name in ("alpha", "beta")]
ALPHA, BETA = (Target(provider, "m") for provider in PROVIDERS)
ROUTE = Route("fast", "fast", (ALPHA, BETA))


def call(*, stream: bool = False, path: str = "/v1/chat/completions", model: str = "fast") -> Call:
    clock = SystemClock()
    return Call(
        id="req_1",
        language=LANGUAGES[path],
        model=model,
        body={},
        stream=stream,
        tenant=Tenant("acme"),
        headers={},
        patience=None,
        began=clock.monotonic(),
    )


class Told(Exchange):
    """Keeps the account of its attempt as whoever reads an answer does."""

    def __init__(self, call: Call) -> None:
        super().__init__(call, SystemClock())
        self._running: Attempt | None = None

    def attempt(self, target: Target) -> Attempt:
        self._running = super().attempt(target)
        return self._running

    def hand_over(self, batches: Iterator[Batch]) -> Reply:
        return super().hand_over(self._read(batches))

    def _read(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            if (attempt := self._running) is not None:
                for frame in batch:
                    attempt.usage = frame.usage or attempt.usage
                    attempt.chars += frame.chars
                    attempt.complete = frame.last
            yield batch


def exchange(meter: Meter, call: Call) -> Exchange:
    made = Told(call)
    made.join(meter.follow(call))
    return made


def batches(*texts: str, usage: Usage | None = None, error: GatewayError | None = None) -> Iterator[Batch]:
    """A batch for each text; then the error, or a last frame with the usage."""
    for text in texts:
        yield [Frame({}, chars=len(text))]
    if error is not None:
        raise error
    yield [Frame({}, usage=usage, last=True)]


def read(reply: Reply) -> None:
    for _ in reply:
        pass
    reply.close()
